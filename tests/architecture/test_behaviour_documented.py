"""docs/behaviour.md: its tables and numbers are the code's."""

import re

from shared.core import attempts, tokens, verified_tokens, webhook
from shared.core.conditions import CONDITIONS
from shared.core.reasons import Reason
from shared.core.rules import RULES
from shared.edge import (
    answering,
    call_control,
    health_check,
    openid,
    peers,
    signing_keys,
)
from shared.settings import NAMES
from tests.support.checkout import CHECKOUT, read_text
from tests.support.markdown_tables import code, first_column, read_table

DOCUMENT = "docs/behaviour.md"
TEXT = read_text(DOCUMENT)

LIMITS = {
    "body of a POST": webhook.MAX_BODY_BYTES,
    "items of a POST": webhook.MAX_ITEMS,
    "token": tokens.MAX_TOKEN_BYTES,
    "header part of a token": tokens.MAX_HEADER_PART_BYTES,
    "clock difference": tokens.MAX_LEEWAY_SECONDS,
    "accepted tokens that are remembered": verified_tokens.MAX_ENTRIES,
    "budget for answering an ordinary call": attempts.ORDINARY_BUDGET_SECONDS,
    "budget for answering a policy recording call": (
        attempts.POLICY_RECORDING_BUDGET_SECONDS
    ),
    "places for requests to Graph in one process": call_control.PLACES,
    "places of one tenant, unless `CALLING_TENANTS` names only one": (
        call_control.PLACES_PER_TENANT
    ),
    "answered calls that are remembered": answering.REMEMBERED_CALLS,
    "time for which they are remembered": answering.REMEMBERED_SECONDS,
    "age from which signing keys are refreshed": signing_keys.FRESH_SECONDS,
    "age from which requests wait for a refresh of signing keys": (
        signing_keys.OVERDUE_SECONDS
    ),
    "age up to which signing keys are used": signing_keys.USABLE_SECONDS,
    "time that a request waits for signing keys": signing_keys.REQUEST_WAIT_SECONDS,
    "time for one fetch of signing keys": openid.FETCH_SECONDS,
    "document of the identity provider": openid.MAX_DOCUMENT_BYTES,
    "interval between two looks at another region's health": peers.INTERVAL_SECONDS,
    "the same after a bad look at a healthy region": peers.SECOND_LOOK_SECONDS,
    "time that a healthy region needs at most to reply": health_check.REPLY_SECONDS,
}
SECTIONS = re.findall(r"^## (\d+)\. ", TEXT, re.MULTILINE)
UNITS = {"": 1, "s": 1, "h": 3600, "KiB": 1024, "MiB": 1024**2}


def quantity(cell: str) -> float:
    """Return a number with its unit, such as ``16 KiB``, in bytes or seconds."""
    number, _, unit = cell.partition(" ")
    return float(number.replace(",", "")) * UNITS[unit]


def test_sections_keep_the_numbers_that_tests_cite() -> None:
    assert SECTIONS == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]


def test_every_section_that_is_cited_exists() -> None:
    """Code and tests cite a section as `behaviour.md section 2`."""
    cited = {
        number
        for place in ("shared", "tests", "docs")
        for path in (CHECKOUT / place).rglob("*")
        if path.suffix in {".py", ".md", ".lua"}
        for number in re.findall(
            r"behaviour\.md`*,?\s+(?:section )?(\d+)\b", path.read_text("utf-8")
        )
    }

    assert cited <= {*SECTIONS}


def test_the_steps_are_the_rules_with_their_replies() -> None:
    """A redirect may be 307 instead of 302."""
    documented = {
        int(step): {int(status) for status in re.findall(r"`(\d{3})`", reply)} - {307}
        for step, _question, reply in read_table(DOCUMENT, "step")
    }

    assert documented == {rule.number: {*rule.ends} for rule in RULES}


def test_every_kebab_case_word_is_a_reason_code() -> None:
    """One word is a decision that the log names, and some are headers of events."""
    words = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", TEXT)) - {"ask-for-graph"}
    words = {word for word in words if not word.startswith("ce-")}

    assert words <= {reason.value for reason in Reason}
    assert len(words) > 10


def test_the_conditions_are_those_of_the_code() -> None:
    """Each one stands beside the place of its value."""
    rows = read_table(DOCUMENT, "condition")

    assert [(code(name)[0], source.replace("`", "")) for name, source in rows] == [
        (one.name, one.source) for one in CONDITIONS
    ]


def test_every_setting_is_in_one_row() -> None:
    """The rows group settings by what they decide."""
    assert sorted(first_column(DOCUMENT, "settings")) == sorted(NAMES)


def test_the_commands_are_those_of_the_makefile() -> None:
    """They are the targets that `make help` lists."""
    targets = re.findall(r"^([a-z]+):.*## ", read_text("Makefile"), re.MULTILINE)
    commands = sorted(f"make {target}" for target in targets)

    assert sorted(first_column(DOCUMENT, "command")) == commands


def test_the_limits_are_the_constants_of_the_code() -> None:
    rows = read_table(DOCUMENT, "limit")

    assert {name: quantity(value) for name, value in rows} == LIMITS
