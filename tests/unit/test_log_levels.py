"""shared.edge.log_levels: the level is the highest of reason, notes and items."""

import logging

import pytest

from shared.core.decisions import Accept
from shared.core.outcomes import ItemOutcome, Taken
from shared.core.reasons import Reason
from shared.edge.log_levels import level_of, level_of_reason

ANSWERED = ItemOutcome(Reason.ANSWERED)
REFUSED = ItemOutcome(Reason.ANSWER_REFUSED)
EXPECTED = REFUSED._replace(was_expected=True)


def test_every_reason_has_the_documented_level() -> None:
    """docs/behaviour.md section 10; the rest is information."""
    levels = {reason: level_of_reason(reason) for reason in Reason}

    assert {r.value for r, level in levels.items() if level == logging.ERROR} == {
        "action-refused",
        "action-unavailable",
        "answer-refused",
        "answer-unavailable",
        "bot-failed",
        "credential-refused",
        "credential-unavailable",
        "delivery-refused",
        "delivery-unavailable",
        "recording-unhandled",
        "region-required",
        "unexpected-error",
    }
    assert {r.value for r, level in levels.items() if level == logging.WARNING} == {
        "evacuated",
        "instance-without-call",
        "partition-unlisted",
        "redirect-suppressed",
        "region-unhealthy",
        "state-unavailable",
        "unreadable-item",
    }


def test_a_note_raises_the_level_of_its_line() -> None:
    follow_up = Accept(Reason.FOLLOW_UP)
    levels = [
        level_of(follow_up, notes)
        for notes in (
            [Reason.TENANT_DIFFERS],
            [Reason.PARTITION_UNLISTED, Reason.TENANT_DIFFERS],
            [Reason.RECORDING_UNHANDLED, Reason.PARTITION_UNLISTED],
        )
    ]
    assert levels == [logging.INFO, logging.WARNING, logging.ERROR]


@pytest.mark.parametrize(
    ("outcomes", "level"),
    [
        ([ANSWERED, ANSWERED], logging.INFO),
        ([ANSWERED, EXPECTED], logging.WARNING),
        ([EXPECTED, REFUSED], logging.ERROR),
        ([ANSWERED, ItemOutcome(Reason.REGION_REQUIRED)], logging.ERROR),
    ],
)
def test_a_batch_is_as_bad_as_its_worst_item(
    outcomes: list[ItemOutcome], level: int
) -> None:
    """Though its own reason says only that there are several."""
    batch = Taken(outcomes)

    assert batch.reason is Reason.BATCH
    assert level_of(batch, []) == level
