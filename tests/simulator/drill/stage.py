"""Where a scenario plays: a running world, and a note of what held and what did not."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.environment import World
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.calls import REDIRECTS, CallReport, Outcome, PlacedCall
from tests.simulator.platform.events import CallEnded
from tests.simulator.platform.journal import Entry, Event
from tests.simulator.services.traffic_manager import EndpointChanged, ProbeAnswered

# Threads wake up late on a busy machine; no bound of a wait is nearer than this.
GRACE_SECONDS = 1.0
# Peers look every 10 s, and one look takes 4 s at most.
PEER_DETECTION_SECONDS = 15.0
_HEALTHY = 200
_GRAPH_AGAIN = 204
_UNAVAILABLE = 503
_CALL_SECONDS = 60.0
_WELL_SECONDS = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An expectation, whether it held, and what was found."""

    sentence: str
    is_met: bool
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of time with a name, from the second it begins."""

    name: str
    seconds: float


@dataclass(slots=True)
class Stage:
    """One scenario's view of its world.

    Attributes:
        first: number of the first event that belongs to this scenario.
        notes: further figures, by name, for the report.
    """

    world: World
    checks: list[Check] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    notes: dict[str, float | int | str] = field(default_factory=dict)
    first: int = 0

    def __post_init__(self) -> None:
        """Begin where the world is now."""
        self.first = self.world.journal.next_number

    @property
    def detection_seconds(self) -> float:
        """When everybody must know of a fault, counted from it."""
        profile = self.world.options.profile
        bound = max(profile.detection_seconds, PEER_DETECTION_SECONDS)
        return bound + GRACE_SECONDS

    @property
    def entries(self) -> list[Entry]:
        """What has happened on this stage so far."""
        return self.world.journal.entries(self.first)

    def expect(self, sentence: str, is_met: bool, found: object = "") -> None:
        """Note an expectation and whether it holds."""
        text = str(found)
        self.checks.append(Check(sentence=sentence, is_met=is_met, found=text))

    def phase(self, name: str) -> float:
        """Begin a phase; return its second."""
        seconds = self.world.journal.now_seconds
        self.phases.append(Phase(name=name, seconds=seconds))
        return seconds

    def inject(self, fault: str, region: str | None = None) -> float:
        """Inject a fault; return the second."""
        seconds = self.world.journal.now_seconds
        self.world.inject(fault, region)
        return seconds

    def call(self, caller: str = "amsterdam", **members: Any) -> CallReport:
        """Place one call and wait for its end."""
        return self.calls([PlacedCall(caller=caller, **members)])[0]

    def calls(
        self, placed: Sequence[PlacedCall], *, over_seconds: float = 0.0
    ) -> list[CallReport]:
        """Place calls, all at once or spread over a time, and wait for their ends."""
        pause = over_seconds / len(placed) if placed else 0.0
        started_at = time.monotonic()
        waiting = threading.Event()
        futures = []
        for number, call in enumerate(placed):
            late = started_at + number * pause - time.monotonic()
            if late > 0:
                waiting.wait(late)
            futures.append(self.world.place_call(call))
        return [future.result(_CALL_SECONDS) for future in futures]

    @contextmanager
    def traffic(
        self, calls_per_second: float, placed: Sequence[PlacedCall]
    ) -> Iterator[None]:
        """Place calls in turn meanwhile; afterwards wait until none rings any more."""
        self.world.start_traffic(calls_per_second, placed)
        try:
            yield
        finally:
            self.world.stop_traffic()
        self.world.wait_for_calls(_CALL_SECONDS)

    def let_pass(self, seconds: float) -> None:
        """Let time pass in which only traffic happens."""
        threading.Event().wait(seconds)

    def let_pass_until(self, second: float) -> None:
        """Let time pass until a second of the world."""
        self.let_pass(max(0.0, second - self.world.journal.now_seconds))

    def wait_for(
        self,
        what: str,
        matches: Callable[[Event], bool],
        *,
        seconds: float,
        after: float = 0.0,
    ) -> float | None:
        """Wait for an event; note how long after a second it came, or its lack."""
        started_at = self.world.journal.now_seconds
        found = self.world.journal.wait_for(
            matches, timeout_seconds=seconds, since=self._number_at(after)
        )
        since = after or started_at
        took = None if found is None else found.seconds - since
        text = f"after {took:.1f} s" if took is not None else f"not in {seconds:.0f} s"
        self.expect(what, found is not None, text)
        return took

    def expect_well(self) -> None:
        """Expect that all running regions are found well, by all, in a while."""
        missing = self.world.wait_until_healthy(_WELL_SECONDS)
        self.expect("all regions find each other well", not missing, missing)

    def wait_for_good_probe(self, code: str) -> None:
        """Wait for the worst moment for a fault: the next probe is the farthest."""

        def matches(event: Event) -> bool:
            return (
                isinstance(event, ProbeAnswered)
                and event.region == code
                and event.status == _HEALTHY
            )

        self.world.journal.wait_for(
            matches,
            timeout_seconds=self.detection_seconds,
            since=self.world.journal.next_number,
        )

    def wait_until_degraded(self, code: str, *, since: float) -> None:
        """Wait until Traffic Manager has taken a region out."""
        took = self.wait_for(
            f"Traffic Manager takes {code} out",
            lambda event: (
                isinstance(event, EndpointChanged)
                and (event.region, event.status) == (code, "degraded")
            ),
            seconds=self.detection_seconds,
            after=since,
        )
        if took is not None:
            self.notes[f"Traffic Manager took {code} out, s"] = round(took, 1)

    def wait_until_online(self, code: str, *, since: float) -> None:
        """Wait until Traffic Manager has brought a region back."""
        self.wait_for(
            f"Traffic Manager brings {code} back",
            lambda event: (
                isinstance(event, EndpointChanged)
                and (event.region, event.status) == (code, "online")
            ),
            seconds=self.detection_seconds,
            after=since,
        )

    def wait_until_peers_know(
        self, code: str, *, since: float, is_healthy: bool = False
    ) -> None:
        """Wait until every other running region has seen that a region is sick."""
        state = "healthy" if is_healthy else "unhealthy"
        for other, region in self.world.regions.items():
            if other == code or region.state != "running":
                continue
            took = self.wait_for(
                f"{other} finds {code} {state}",
                peer_found(other, code, state),
                seconds=PEER_DETECTION_SECONDS,
                after=since,
            )
            if took is not None:
                self.notes[f"{other} found {code} {state}, s"] = round(took, 1)

    def ended(self, *, since: float = 0.0, until: float = 1e9) -> list[CallEnded]:
        """Return the calls that were placed in a time and have ended."""
        return [
            entry.event
            for entry in self.entries
            if isinstance(entry.event, CallEnded)
            and since <= entry.event.placed_at_seconds < until
        ]

    def expect_answered(self, reports: Sequence[CallReport], what: str) -> None:
        """Expect that every call was answered."""
        bad = [r for r in reports if r.outcome is not Outcome.ANSWERED]
        found = f"{len(reports) - len(bad)} of {len(reports)}"
        if bad:
            found += f"; one of the others: {bad[0].why}, {bad[0].path}"
        self.expect(f"{what}: all answered", bool(reports) and not bad, found)

    def expect_none_lost(
        self, what: str, *, since: float = 0.0, until: float = 1e9
    ) -> None:
        """Expect that every call that was placed in a time was answered."""
        calls = self.ended(since=since, until=until)
        bad = [call for call in calls if call.outcome != Outcome.ANSWERED]
        found = f"{len(bad)} of {len(calls)} lost"
        if bad:
            found += f"; the first, {bad[0].caller}: {bad[0].why}"
        self.expect(f"{what}: no call lost", bool(calls) and not bad, found)

    def note_lost(self, what: str, *, since: float, until: float) -> None:
        """Note how many calls a time cost, and when the last of them was placed."""
        calls = self.ended(since=since, until=until)
        bad = [call for call in calls if call.outcome != Outcome.ANSWERED]
        self.notes[f"calls lost {what}"] = len(bad)
        self.notes[f"calls placed {what}"] = len(calls)
        if bad:
            last = max(call.placed_at_seconds for call in bad) - since
            self.notes[f"last call lost {what}, s"] = round(last, 1)

    def _number_at(self, second: float) -> int:
        for entry in self.entries:
            if entry.seconds >= second:
                return entry.number
        return self.world.journal.next_number


def told_503_in_time(report: CallReport) -> bool:
    """Tell whether a region said 503 while the call still rang, and nothing else."""
    seconds = 0.0
    for step in report.steps:
        seconds += step.took_seconds
        if step.status == _UNAVAILABLE:
            return seconds < report.placed.limit_seconds
        if step.status not in {*REDIRECTS, _GRAPH_AGAIN}:
            return False
    return False


def peer_found(other: str, code: str, state: str) -> Callable[[Event], bool]:
    """Match the log line in which a region says how it finds another one."""

    def matches(event: Event) -> bool:
        return (
            isinstance(event, LogWritten)
            and event.region == other
            and event.line.get("event") == f"peer.{state}"
            and event.line.get("peer") == code
        )

    return matches
