"""The regions are updated while instances hold calls whose events go on."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count, cycle
from typing import Any

from tests.simulator.drill.scenario import Load, mixed_calls, scenario
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.drill.scenarios.instances import expect_whole, partition_of
from tests.simulator.instances.fleet import Fleet
from tests.simulator.platform import consequences, notifications
from tests.simulator.platform.calls import CallReport, Outcome, PlacedCall
from tests.simulator.platform.events import CallEnded
from tests.support.running import Running

_DRAINED = "a"
_EVENT_SECONDS = 1.0
_EVENTS_OF_A_SHORT_CALL = 6
# A call every so often; with those that last there are forty at a time.
_PAUSE_SECONDS = 0.5
_CALLS_AT_ONCE = 100
_START_SECONDS = 60.0
# Multiples of it are spread evenly over a second.
_GOLDEN_RATIO = 0.618
# So that deliveries are under way when a region ends.
_INSTANCE_SECONDS = 0.1


@scenario(load=Load.WAITS)
def rolling_update_with_instances(run: ScenarioRun) -> None:
    """Rolling update of the regions while instances hold calls.

    Some calls last, others come and go, and each gets an event every second. The update
    takes one instance out of service: once it is done, that one gets no new call. A
    notification that meets a region which is restarting comes again half a second
    later. No call is lost and no event: each reaches the instance of its call, and
    comes twice only where the platform sent it again.
    """
    with Fleet(run.world) as fleet:
        fleet.roll_out(fleet.settings())
        for instance in fleet.instances.values():
            instance.bot.delay_seconds = _INSTANCE_SECONDS
        updated = fleet.settings(draining=_DRAINED)
        with _Callers(run, lasting=mixed_calls()) as callers:
            callers.wait_until_all_last()
            for code in run.world.regions:
                run.phase(code)
                run.world.override(code, updated)
                run.expect_all_healthy()
            updated_at = run.phase("updated")
            run.let_pass(_EVENTS_OF_A_SHORT_CALL * _EVENT_SECONDS)
        reports = callers.reports()
        run.expect_answered(reports, "during the roll-out")
        expect_whole(run, fleet, reports, "during the roll-out")
        _expect_at_home(run, fleet, reports)
        _expect_drained(run, reports, updated_at)
        _note_repeats(run, fleet, reports)


class _Callers(Running):
    """Callers whose calls last until the block ends, and others who come and go."""

    def __init__(self, run: ScenarioRun, *, lasting: Sequence[PlacedCall]) -> None:
        """Call when the block begins."""
        self._platform = run.world.platform
        self._lasting = lasting
        self._all_last = threading.Barrier(len(lasting) + 1)
        self._ending = threading.Event()
        self._numbers = count()
        self._calls: list[Future[CallReport]] = []
        self._pool: ThreadPoolExecutor

    def start(self, stack: ExitStack) -> None:
        """Call; at the end of the block, end all calls."""
        pool = ThreadPoolExecutor(_CALLS_AT_ONCE, "caller")
        self._pool = stack.enter_context(pool)
        others = threading.Thread(target=self._come_and_go)
        stack.callback(others.join)
        stack.callback(self._ending.set)
        self._calls += [pool.submit(self._last, placed) for placed in self._lasting]
        others.start()

    def wait_until_all_last(self) -> None:
        """Wait until the calls that last are held by their instances."""
        self._all_last.wait(_START_SECONDS)

    def reports(self) -> list[CallReport]:
        """Return what became of all calls."""
        return [call.result() for call in self._calls]

    def _come_and_go(self) -> None:
        for placed in cycle(mixed_calls()):
            if self._ending.wait(_PAUSE_SECONDS):
                return
            call = self._pool.submit(self._talk, placed, _EVENTS_OF_A_SHORT_CALL)
            self._calls.append(call)

    def _last(self, placed: PlacedCall) -> CallReport:
        return self._talk(placed, None)

    def _talk(self, placed: PlacedCall, events: int | None) -> CallReport:
        """Place a call; press a key every second, so often or until the end."""
        call = self._platform.call_of(placed)
        report = self._platform.announce(placed, call)
        if report.outcome is Outcome.ANSWERED:
            self._send(call, report, "establishing", notifications.establishing(call))
        if events is None:
            self._all_last.wait()
        if report.outcome is not Outcome.ANSWERED:
            return report
        # Not all in one moment of each second, or a quick restart meets none of them.
        self._ending.wait(next(self._numbers) * _GOLDEN_RATIO % _EVENT_SECONDS)
        number = 0
        while number != events and not self._ending.wait(_EVENT_SECONDS):
            number += 1
            self._send(call, report, "tone", consequences.tone(call, "1", number))
        self._send(call, report, "terminated", notifications.terminated(call))
        return report

    def _send(
        self, call: notifications.Call, report: CallReport, what: str, body: Any
    ) -> None:
        url = report.callback_uri or ""
        self._platform.send_until_taken(call, report, what, body, url)


def _expect_at_home(
    run: ScenarioRun, fleet: Fleet, reports: Sequence[CallReport]
) -> None:
    """Expect that instances got nothing of a call that another one holds."""
    homes = {report.call_id: partition_of(report) for report in reports}
    astray = [
        f"{homes[call_id]} to {name}"
        for name, instance in fleet.instances.items()
        for post in instance.bot.received
        for call_id in post.call_ids
        if homes.get(call_id) != name
    ]
    run.expect("no event comes to another instance", not astray, astray)


def _expect_drained(
    run: ScenarioRun, reports: Sequence[CallReport], updated_at: float
) -> None:
    """Expect that an instance kept its calls, and got none after the update."""
    placed = {one.call_id: one.placed_at_seconds for one in run.events(CallEnded)}
    partitions: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for report in reports:
        is_new = placed[report.call_id] >= updated_at
        partitions[is_new][partition_of(report)] += 1
    held, new = partitions[False][_DRAINED], partitions[True]
    run.expect("the drained instance held calls", held > 0, held)
    is_spared = bool(new) and not new[_DRAINED]
    run.expect("it gets no new call after the update", is_spared, dict(new))


def _note_repeats(
    run: ScenarioRun, fleet: Fleet, reports: Sequence[CallReport]
) -> None:
    """Note how many notifications met a restart; some must have."""
    check = fleet.check(run.first, [report.call_id for report in reports])
    posts = [post for each in fleet.instances.values() for post in each.bot.received]
    taken = Counter(post.body for post in posts if post.status == 202)
    run.expect("some events met a restart", bool(check.again), len(check.again))
    run.notes["events sent"] = len(check.sent) - len(check.again)
    run.notes["events that were sent again"] = len(check.again)
    run.notes["events that came twice"] = sum(times > 1 for times in taken.values())
    again = sum(call.attempts > 1 for call in run.ended())
    run.notes["calls that came again"] = again


SCENARIOS = (rolling_update_with_instances,)
