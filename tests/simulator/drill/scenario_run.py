"""One run of a scenario: the world that it runs in, and what held and what did not."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tests.simulator.environment import World
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.calls import REDIRECTS, CallReport, Outcome, PlacedCall
from tests.simulator.platform.events import CallEnded
from tests.simulator.platform.journal import Entry, Event
from tests.simulator.services.traffic_manager import EndpointChanged, ProbeAnswered

# Threads wake up late on a busy machine; every time limit is at least this generous.
GRACE_SECONDS = 1.0
# The other regions ask for health every 10 s, and one request takes 4 s at most.
PEER_DETECTION_SECONDS = 15.0
# What a region's threads notice is logged by its next request: a probe at the latest.
_LOGGED_LATER_SECONDS = 11.0
_CALL_SECONDS = 60.0
_RECOVERY_SECONDS = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An expectation, whether it held, and what was found."""

    sentence: str
    is_met: bool
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A named stretch of time; it lasts until the next one begins."""

    name: str
    seconds: float


@dataclass(slots=True)
class ScenarioRun:
    """What a scenario works with: it acts on the world and states what must hold.

    All times are in seconds since the world started.

    Attributes:
        first: number of the first event that belongs to this run.
        notes: further figures for the report, by name.
    """

    world: World
    checks: list[Check] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    notes: dict[str, float | int | str] = field(default_factory=dict)
    first: int = field(init=False)

    def __post_init__(self) -> None:
        """Count events from now on."""
        self.first = self.world.journal.next_number

    @property
    def detection_seconds(self) -> float:
        """How long after a fault DNS and all regions must have noticed it."""
        profile = self.world.options.profile
        bound = max(profile.detection_seconds, PEER_DETECTION_SECONDS)
        return bound + GRACE_SECONDS

    @property
    def entries(self) -> list[Entry]:
        """The events of this run so far, with their times."""
        return self.world.journal.entries(self.first)

    def events[E](self, kind: type[E]) -> list[E]:
        """Return the events of one kind so far."""
        return [e.event for e in self.entries if isinstance(e.event, kind)]

    def expect(self, sentence: str, is_met: bool, found: object = "") -> None:
        """Record an expectation and whether it holds."""
        check = Check(sentence=sentence, is_met=is_met, found=str(found))
        self.checks.append(check)

    def phase(self, name: str) -> float:
        """Begin a phase; return its time."""
        seconds = self.world.journal.now_seconds
        self.phases.append(Phase(name=name, seconds=seconds))
        return seconds

    @contextmanager
    def fault(self, fault: str, region: str | None = None) -> Iterator[None]:
        """Inject a fault for the duration of the block."""
        self.world.inject(fault, region)
        try:
            yield
        finally:
            self.world.heal(fault, region)

    def call(self, caller: str = "amsterdam", **members: Any) -> CallReport:
        """Place one call and wait until it ends."""
        return self.calls([PlacedCall(caller=caller, **members)])[0]

    def calls(
        self, placed: Sequence[PlacedCall], *, over_seconds: float = 0.0
    ) -> list[CallReport]:
        """Place calls, all at once or spread over a time, and wait until they end."""
        pause = over_seconds / len(placed) if placed else 0.0
        started_at = time.monotonic()
        futures = []
        for number, call in enumerate(placed):
            self.let_pass(started_at + number * pause - time.monotonic())
            futures.append(self.world.place_call(call))
        return [future.result(_CALL_SECONDS) for future in futures]

    @contextmanager
    def traffic(
        self, calls_per_second: float, placed: Sequence[PlacedCall]
    ) -> Iterator[None]:
        """Place calls in turn during the block, then wait until all have ended."""
        self.world.start_traffic(calls_per_second, placed)
        try:
            yield
        finally:
            self.world.stop_traffic()
        self.world.wait_for_calls(_CALL_SECONDS)

    def let_pass(self, seconds: float) -> None:
        """Let time pass; traffic goes on."""
        if seconds > 0:
            threading.Event().wait(seconds)

    def let_pass_until(self, second: float) -> None:
        """Let time pass until a second of the world."""
        self.let_pass(second - self.world.journal.now_seconds)

    def wait_for(
        self,
        sentence: str,
        matches: Callable[[Event], bool],
        *,
        since: float,
        seconds: float,
    ) -> float | None:
        """Expect an event within some seconds.

        Args:
            sentence: the expectation.
            matches: tells whether an event is the one.
            since: only later events count.
            seconds: how long it may take from now; a region may log it later.

        Returns:
            How long after ``since`` it came; None if it did not.
        """
        ends_at = self.world.journal.now_seconds + seconds
        found = self._wait(matches, since, ends_at)
        took = None if found is None else found - since
        text = f"after {took:.1f} s" if took is not None else f"not in {seconds:.0f} s"
        self.expect(sentence, took is not None, text)
        return took

    def _wait(
        self, matches: Callable[[Event], bool], since: float, ends_at: float
    ) -> float | None:
        """Return when an event happened, between two times; None: it did not."""
        journal = self.world.journal
        logged_by = ends_at + _LOGGED_LATER_SECONDS
        with journal.subscribe(since=self.first) as subscription:
            while entry := subscription.get(max(0.0, logged_by - journal.now_seconds)):
                happened_at = _happened_at(entry)
                if since <= happened_at <= ends_at and matches(entry.event):
                    return happened_at
        return None

    def expect_all_healthy(self) -> None:
        """Wait until DNS and all regions find every running region healthy."""
        missing = self.world.wait_until_healthy(_RECOVERY_SECONDS)
        self.expect("all regions find each other healthy", not missing, missing)

    def wait_for_good_probe(self, code: str) -> None:
        """Wait for the worst moment for a fault: the next probe is furthest away."""
        self.world.journal.wait_for(
            lambda event: (
                isinstance(event, ProbeAnswered)
                and (event.region, event.status) == (code, HTTPStatus.OK)
            ),
            timeout_seconds=self.detection_seconds,
            since=self.world.journal.next_number,
        )

    def wait_for_endpoint(self, code: str, status: str, *, since: float) -> None:
        """Wait until Traffic Manager finds a region ``degraded`` or ``online``."""
        took = self.wait_for(
            f"Traffic Manager finds {code} {status}",
            lambda event: event == EndpointChanged(region=code, status=status),
            since=since,
            seconds=self.detection_seconds,
        )
        if took is not None:
            self.notes[f"Traffic Manager found {code} {status}, s"] = round(took, 1)

    def wait_for_peers(self, code: str, state: str, *, since: float) -> None:
        """Wait until every other running region finds one healthy or unhealthy.

        ``state`` is ``healthy`` or ``unhealthy``.
        """
        for other, region in self.world.regions.items():
            if other == code or region.state != "running":
                continue
            took = self.wait_for(
                f"{other} finds {code} {state}",
                logged(other, event=f"peer.{state}", peer=code),
                since=since,
                seconds=PEER_DETECTION_SECONDS,
            )
            if took is not None:
                self.notes[f"{other} found {code} {state}, s"] = round(took, 1)

    def wait_for_new_keys(self, code: str, *, since: float) -> None:
        """Wait until a region has fetched signing keys."""
        self.wait_for(
            f"{code} fetches the new key",
            logged(code, event="keys.refreshed"),
            since=since,
            seconds=20.0,
        )

    def ended(self, *, since: float = 0.0, until: float = 1e9) -> list[CallEnded]:
        """Return the calls that were placed in a time and have ended."""
        return [
            call
            for call in self.events(CallEnded)
            if since <= call.placed_at_seconds < until
        ]

    def expect_answered(
        self,
        reports: Sequence[CallReport],
        what: str,
        outcome: Outcome = Outcome.ANSWERED,
    ) -> None:
        """Expect that every call ended with ``outcome``."""
        others = [r for r in reports if r.outcome is not outcome]
        found = f"{len(reports) - len(others)} of {len(reports)}"
        if others:
            one = others[0]
            found += f"; one of the others: {one.outcome}, {one.why}, {one.path}"
        self.expect(f"{what}: all {outcome}", bool(reports) and not others, found)

    def expect_rejected(self, reports: Sequence[CallReport], what: str) -> None:
        """Expect that every call was rejected in time."""
        self.expect_answered(reports, what, Outcome.REJECTED)

    def expect_503_in_time(self, reports: Sequence[CallReport], what: str) -> None:
        """Expect that a region answered each call with 503 before its time was up."""
        paths = sorted({str(report.path) for report in reports})
        self.expect(what, all(map(_got_503_in_time, reports)), paths)

    def expect_none_lost(
        self, what: str, *, since: float = 0.0, until: float = 1e9
    ) -> None:
        """Expect that every call that was placed in a time was answered."""
        calls, lost = self._lost(since, until)
        found = f"{len(lost)} of {len(calls)} lost"
        if lost:
            found += f"; the first, {lost[0].caller}: {lost[0].why}"
        self.expect(f"{what}: no call lost", bool(calls) and not lost, found)

    def note_lost(self, what: str, *, since: float, until: float) -> None:
        """Note how many calls were lost, and when the last of them was placed."""
        calls, lost = self._lost(since, until)
        self.notes[f"calls lost {what}"] = len(lost)
        self.notes[f"calls placed {what}"] = len(calls)
        if lost:
            last = max(call.placed_at_seconds for call in lost) - since
            self.notes[f"last call lost {what}, s"] = round(last, 1)

    def _lost(
        self, since: float, until: float
    ) -> tuple[list[CallEnded], list[CallEnded]]:
        calls = self.ended(since=since, until=until)
        return calls, [call for call in calls if call.outcome != Outcome.ANSWERED]


def _happened_at(entry: Entry) -> float:
    late = entry.event.late_by_seconds if isinstance(entry.event, LogWritten) else 0.0
    return entry.seconds - late


def _got_503_in_time(report: CallReport) -> bool:
    """Tell whether 503 came while the call still rang, after nothing but redirects."""
    seconds = 0.0
    for step in report.steps:
        seconds += step.took_seconds
        if step.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return seconds < report.placed.limit_seconds
        if step.status not in {*REDIRECTS, HTTPStatus.NO_CONTENT}:
            return False
    return False


def logged(region: str, **members: str) -> Callable[[Event], bool]:
    """Match a line that a region logged, by members of the line."""

    def matches(event: Event) -> bool:
        return (
            isinstance(event, LogWritten)
            and event.region == region
            and members.items() <= event.line.items()
        )

    return matches
