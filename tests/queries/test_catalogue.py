"""Every field, reason and event of the log is used by a query, or is said not to be."""

import re

import pytest

from shared.core.provider_reasons import ProviderReason
from shared.core.reasons import Reason
from tests.queries.checks import CHECKS
from tests.simulator.report.queries import QUERIES, read_query
from tests.support.checkout import read_text
from tests.support.markdown_tables import code, first_column, read_table

OPERATIONS = "docs/operations.md"
FILES = {
    str(path.relative_to(QUERIES)): path.read_text("utf-8")
    for path in sorted(QUERIES.rglob("*.kql"))
}
EVERYTHING = "\n".join(FILES.values())
# ``line.reason``, ``item["type"]``
_FIELD = re.compile(r'\b(?:line|item|action)(?:\.(\w+)|\["(\w+)"\])')
_TEXT = re.compile(r'"([a-z]+(?:[.-][a-z]+)+|answered|handled|redirected|delivered)"')


def used_fields(text: str = EVERYTHING) -> set[str]:
    return {one or other for one, other in _FIELD.findall(text)}


def used_codes() -> set[str]:
    """Reasons and events that queries name."""
    return set(_TEXT.findall(EVERYTHING))


def fields_of_the_code() -> set[str]:
    """Fields as docs/behaviour.md has them, which a test compares with the code."""
    rows = read_table("docs/behaviour.md", "field")
    names = {name for row in rows for name in code(row[0])}
    # Of events beside requests, and of actions.
    events = {"detail", "happened_at", "keys", "notice", "peer", "problems"}
    return names | events | {"name", "status", "attempts", "traceback", "warnings"}


def told(heading: str) -> set[str]:
    return set(first_column(OPERATIONS, heading))


def test_every_field_is_used_or_said_not_to_be() -> None:
    fields = fields_of_the_code()

    assert fields - used_fields() == told("not in a query")
    assert used_fields() <= fields


def test_every_reason_is_named_or_said_not_to_be() -> None:
    reasons = {reason.value for kind in (Reason, ProviderReason) for reason in kind}
    events = set(first_column("docs/reasons.md", "event"))

    assert reasons - used_codes() == told("reason without a query")
    assert used_codes() <= reasons | events
    assert events <= used_codes()


@pytest.mark.parametrize("name", FILES)
def test_a_query_begins_with_its_question(name: str) -> None:
    question = read_query(name, FILES[name]).question

    assert re.fullmatch(r"[A-Z].+[?.]", question)
    assert question.endswith("." if name.startswith("alerts/") else "?")


def test_every_query_is_checked_and_explained() -> None:
    names = {name.removesuffix(".kql") for name in FILES if "/" not in name}
    document = read_text(OPERATIONS)

    assert CHECKS.keys() == names
    linked = re.findall(r"\[([\w-]+)\.kql\]\(\.\./infra/queries/\1\.kql\)", document)
    assert set(linked) == names


def test_what_files_have_in_common_is_the_same() -> None:
    """The rank of an outcome decides what counts as lost; all must agree."""
    ranks = {
        match[0]
        for text in FILES.values()
        if (
            match := re.search(
                r"\| extend rank = case\((.*?)\n    4\)\n", text, re.DOTALL
            )
        )
    }
    builds = re.findall(r"^let wanted_build .*$", EVERYTHING, re.MULTILINE)

    assert len(ranks) == 1
    assert len(set(builds)) == 1
