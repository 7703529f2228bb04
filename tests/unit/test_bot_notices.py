"""Notices on the bot: handlers that never run, and state that one process knows."""

from typing import NamedTuple

import pytest

from shared.core.notices import bot_notices

NEVER_RUN = "CALLING_ANSWER: it is false, so no handler of shared/bot.py ever runs."
IN_MEMORY = (
    "CALLING_STATE_URL: it is not set, so what the bot remembers of a call is known in "
    "one process only."
)


class Case(NamedTuple):
    """What is told of; a bot in a region whose state is only in memory."""

    has_handlers: bool = True
    keeps_state: bool = True
    has_unreachable: bool = False
    answers: bool = True
    region: str = "weu"
    state_url: str = ""


def told(case: Case) -> list[str]:
    return [*bot_notices(**case._asdict())]


@pytest.mark.parametrize("keeps_state", [True, False])
@pytest.mark.parametrize("region", ["", "weu"])
def test_handlers_never_run_where_calls_are_not_answered(
    *, keeps_state: bool, region: str
) -> None:
    """Then nothing is remembered either, so there is only this one notice."""
    case = Case(answers=False, keeps_state=keeps_state, region=region)

    assert told(case) == [NEVER_RUN]


def test_with_instances_handlers_of_later_events_never_run() -> None:
    """Nor do they keep a state."""
    [notice] = told(Case(has_unreachable=True))
    assert notice.startswith("CALLING_PARTITIONS: partitions have instances")


def test_a_region_without_a_container_keeps_state_in_memory_only() -> None:
    assert told(Case()) == [IN_MEMORY]


@pytest.mark.parametrize(
    "case",
    [
        Case(has_handlers=False, keeps_state=False),
        Case(has_handlers=False, keeps_state=False, answers=False),
        Case(keeps_state=False),
        Case(region=""),
        Case(state_url="https://account.blob.core.windows.net/bot-state"),
    ],
    ids=[
        "no-handlers",
        "no-handlers-and-no-answers",
        "no-state",
        "one-deployment",
        "a-container",
    ],
)
def test_otherwise_there_is_nothing_to_tell(case: Case) -> None:
    assert told(case) == []
