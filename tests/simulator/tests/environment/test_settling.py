"""When an environment counts as healthy, told from what its journal holds."""

from collections.abc import Sequence

from tests.simulator.environment.events import LogWritten, RegionChanged
from tests.simulator.environment.settling import failed_regions, wait_until_healthy
from tests.simulator.platform.journal import Event, Journal
from tests.simulator.services.traffic_manager import ProbeAnswered


def state(region: str, state: str) -> RegionChanged:
    return RegionChanged(region=region, state=state, pid=None)


def probe(region: str) -> ProbeAnswered:
    return ProbeAnswered(region=region, status=200, error=None, took_seconds=0.0)


def line(region: str, **members: str) -> LogWritten:
    return LogWritten(region=region, call_id=None, line=members)


STARTED = (
    *(state("weu", "running"), state("sea", "running"), probe("weu"), probe("sea")),
    line("weu", event="peer.healthy", peer="sea"),
    line("sea", event="peer.healthy", peer="weu"),
)


def missing(events: Sequence[Event]) -> list[str]:
    """Return what two regions still miss after some events."""
    journal = Journal()
    for event in events:
        journal.append(event)
    named = {"weu": ["sea"], "sea": ["weu"]}
    return wait_until_healthy(journal, ["weu", "sea"], named, timeout_seconds=0.0)


def test_regions_that_find_each_other_healthy_are_enough() -> None:
    assert missing(STARTED) == []


def test_a_restart_is_over_once_the_others_can_have_told_what_they_saw_of_it() -> None:
    """A region that looked during the restart says so with a later probe."""
    restart = (state("sea", "stopped"), state("sea", "starting"))
    back = (state("sea", "running"), probe("sea"), STARTED[-1])

    assert missing((*STARTED, *restart, *back)) == ["weu of sea"]


def test_a_region_whose_calls_ended_for_a_reason_of_its_own_has_failed() -> None:
    journal = Journal()
    for reason, region in (
        ("answer-unavailable", "sea"),
        ("credential-unavailable", "weu"),
        ("call-over", "eus2"),
    ):
        journal.append(line(region, event="notification.handled", reason=reason))

    assert failed_regions(journal.entries()) == ["sea", "weu"]
