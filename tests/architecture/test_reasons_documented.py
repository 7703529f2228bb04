"""Reason codes and events: the documentation is the code's."""

import ast
import re

from shared.core import errors
from shared.core.provider_reasons import ProviderReason
from shared.core.reasons import Reason
from tests.support.checkout import CHECKOUT
from tests.support.markdown_tables import code, first_column, read_table

DOCUMENT = "docs/reasons.md"


def test_every_reason_is_documented_with_its_cause_and_cure() -> None:
    rows = read_table(DOCUMENT, "code")
    assert [(code(row[0]), row[2], row[3]) for row in rows] == [
        ([reason.value], reason.cause, reason.cure)
        for reason in (*Reason, *ProviderReason)
    ]


def test_every_reason_has_a_documented_reply() -> None:
    """A status of docs/behaviour.md, or it is a note, or it is only logged."""
    replies = {row[1] for row in read_table(DOCUMENT, "code")}
    statuses = r"(200|202|204|302|307|400|401|403|404|411|413|503)"
    form = re.compile(rf"{statuses}( or {statuses})*|202, note|note|log only")
    assert [reply for reply in replies if not form.fullmatch(reply)] == []


def test_a_refusal_with_one_reason_is_documented_with_its_status() -> None:
    replies = {code(row[0])[0]: row[1] for row in read_table(DOCUMENT, "code")}
    refusals: list[type[errors.WebhookError]] = [
        errors.BodyTooLargeError,
        errors.SettingsUnusableError,
        errors.KeysUnavailableError,
        errors.TenantRefusedError,
        errors.PartitionIllegalError,
        errors.LengthRequiredError,
        errors.UnexpectedError,
    ]
    for refusal in refusals:
        error = refusal()
        assert str(error.status.value) in replies[error.reason].split(" or ")


def test_codes_are_kebab_case_and_explained_in_sentences() -> None:
    """They are an interface, and operators read them."""
    for reason in (*Reason, *ProviderReason):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", reason.value)
        assert reason.cause.endswith(".")
        assert reason.cure.endswith(".")
        assert "|" not in reason.cause + reason.cure


def test_every_event_is_documented() -> None:
    """An event is what the code logs under that name."""
    logged = {"notification.handled"}
    for path in (CHECKOUT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(ast.Name("log_event"), [_, name, *_]):
                    pass
                case ast.Call(ast.Name("log_defect"), [name, *_]):
                    pass
                case _:
                    continue
            # ``log_defect`` hands its own argument on.
            assert isinstance(name, ast.Constant) or path.name == "telemetry.py"
            if isinstance(name, ast.Constant):
                logged.add(str(name.value))

    assert {*first_column(DOCUMENT, "event")} == logged
