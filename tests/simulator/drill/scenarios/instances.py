"""Instances of partitions: they fail, they are slow, and they answer calls themselves.

Each of these scenarios has a world of its own, which it tells where the instances are.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from tests.simulator.drill.scenario import Load, mixed_calls, scenario
from tests.simulator.drill.scenario_run import GRACE_SECONDS, ScenarioRun, logged
from tests.simulator.environment.events import LogWritten
from tests.simulator.instances.fleet import Fleet
from tests.simulator.platform import notifications
from tests.simulator.platform.calls import CallReport, PlacedCall, RetryPolicy
from tests.simulator.platform.events import CallEnded, StepStarted

_PASSED_OVER_SECONDS = 30.0
_SLOW_SECONDS = 2.0
_DETECTED_SECONDS = 30.0
_LOGGED_SECONDS = 15.0
_ONCE = RetryPolicy.none()


class _Running(NamedTuple):
    """A call that goes on while something happens to its instance."""

    call: notifications.Call
    report: CallReport

    @property
    def partition(self) -> str:
        """The partition that holds it."""
        return partition_of(self.report)


@scenario(load=Load.WAITS, retries=_ONCE)
def own_media_bot(run: ScenarioRun) -> None:
    """A bot with media of its own answers the calls.

    The regions ask Graph for nothing and deliver what rings to an instance, which
    answers it with a callbackUri of its own. So it is with forward and with direct.
    Every call is answered, and each of its events arrives once, byte for byte.
    """
    with Fleet(run.world, answers=True) as fleet:
        for way in ("forward", "direct"):
            run.phase(way)
            fleet.roll_out(fleet.settings(CALLING_DELIVERY=way))
            reports = run.calls(_talking(mixed_calls()), over_seconds=5.0)
            run.expect_answered(reports, way)
            own = {each.bot.url for each in fleet.instances.values()}
            is_own = {report.callback_uri for report in reports} <= own
            run.expect(f"{way}: every callbackUri is an instance's", is_own)
            expect_whole(run, fleet, reports, way)


@scenario(load=Load.WAITS, retries=_ONCE)
def direct_callbacks(run: ScenarioRun) -> None:
    """The platform posts to the instances itself.

    The regions answer with the URL of the instance as callbackUri. Every event arrives
    there once, and none goes through a region.
    """
    with Fleet(run.world) as fleet:
        fleet.roll_out(fleet.settings(CALLING_DELIVERY="direct"))
        reports = run.calls(_talking(mixed_calls()), over_seconds=5.0)
        run.expect_answered(reports, "calls")
        expect_whole(run, fleet, reports, "direct")
        posts = [p for each in fleet.instances.values() for p in each.bot.received]
        forwarded = sum(post.is_forwarded for post in posts)
        run.expect("nothing was forwarded", bool(posts) and not forwarded, forwarded)


@scenario(load=Load.WAITS, retries=_ONCE)
def instance_down(run: ScenarioRun) -> None:
    """One of three instances is down.

    Its calls lose their events, and the platform is told 503. After three failures in a
    row a region gives it no new call for 30 s: these calls, and all calls of the
    others, get every event. When it is back it gets new calls again.
    """
    with Fleet(run.world) as fleet:
        fleet.roll_out(fleet.settings())
        before = run.calls(_talking(mixed_calls()), over_seconds=4.0)
        expect_whole(run, fleet, before, "before")
        down_at = run.phase("down")
        fleet["a"].stop_machine()
        codes = list(run.world.regions)
        with run.traffic(4.0, _talking(mixed_calls())):
            found = {
                code: _wait_until_passed_over(run, code, down_at) for code in codes
            }
            run.let_pass(5.0)
        run.expect_none_lost("every call is answered", since=down_at)
        _expect_passed_over(run, found)
        back_at = run.phase("back")
        fleet["a"].start_machine()
        run.let_pass(_PASSED_OVER_SECONDS + GRACE_SECONDS)
        after = run.calls(_talking(mixed_calls()), over_seconds=5.0)
        run.expect_answered(after, "afterwards")
        expect_whole(run, fleet, after, "afterwards")
        new = sum(partition_of(report) == "a" for report in after)
        run.expect("it gets new calls again", new > 0, f"{new} since {back_at:.0f} s")


@scenario(load=Load.WAITS, retries=_ONCE)
def instance_slow(run: ScenarioRun) -> None:
    """One of three instances takes two seconds for each reply.

    Every event arrives once, also there. Answers, and events of the other instances,
    take as long as before.
    """
    with Fleet(run.world) as fleet:
        fleet.roll_out(fleet.settings())
        # The first of everything costs more.
        run.calls(_talking(mixed_calls()), over_seconds=4.0)
        times: dict[str, tuple[float, float]] = {}
        for name, seconds in (("alone", 0.0), ("beside it", _SLOW_SECONDS)):
            run.phase(name)
            fleet["a"].bot.delay_seconds = seconds
            reports = run.calls(_talking(mixed_calls()), over_seconds=10.0)
            run.expect_answered(reports, name)
            expect_whole(run, fleet, reports, name)
            others = [report for report in reports if partition_of(report) != "a"]
            times[name] = _medians(others)
        for place, what in enumerate(("answers", "events of others")):
            alone, beside = (times[name][place] for name in times)
            run.notes[f"median of {what}, slow to alone"] = round(beside / alone, 2)
            # A busy machine is slower, but a slow instance would cost seconds.
            is_quick = beside < max(3 * alone, _SLOW_SECONDS / 2)
            run.expect(f"{what} do not wait for it", is_quick, f"{beside:.3f} s")


@scenario(load=Load.WAITS, retries=_ONCE)
def instance_restarts(run: ScenarioRun) -> None:
    """An instance restarts, and has forgotten its calls.

    It says 404 to the events of these, which the log tells once for each; the platform
    is told 202. The new calls, and all others, lose nothing.
    """
    with Fleet(run.world) as fleet:
        fleet.roll_out(fleet.settings())
        held = _running_calls(run)
        run.phase("restart")
        fleet["a"].restart()
        told = _end_all(run, held)
        forgotten = [one for one in held if one.partition == "a"]
        lost = told.count("instance-without-call")
        found = f"{lost} of {len(forgotten)}"
        is_told = bool(forgotten) and lost == len(forgotten)
        run.expect("the log tells each event of a forgotten call", is_told, found)
        kept = told.count("delivered")
        is_kept = kept == len(held) - len(forgotten)
        run.expect("the other instances get theirs", is_kept, kept)
        reports = run.calls(_talking(mixed_calls()), over_seconds=4.0)
        run.expect_answered(reports, "new calls")
        expect_whole(run, fleet, reports, "new calls")


@scenario(load=Load.WAITS, retries=_ONCE)
def instance_moves(run: ScenarioRun) -> None:
    """The calls of an instance move to another machine.

    The new machine has the memory of the old one, and its DNS name. The old one is
    gone, and no event of a running call is lost.
    """
    with Fleet(run.world) as fleet:
        fleet.roll_out(fleet.settings())
        held = _running_calls(run)
        run.phase("move")
        fleet.move("a")
        told = _end_all(run, held)
        is_whole = told == ["delivered"] * len(held)
        run.expect("every event of a running call is delivered", is_whole, told)
        reports = run.calls(_talking(mixed_calls()), over_seconds=4.0)
        run.expect_answered(reports, "new calls")
        expect_whole(run, fleet, reports, "new calls")


def _talking(calls: list[PlacedCall]) -> list[PlacedCall]:
    """Return the same calls, each with what follows an answer."""
    return [replace(call, follow_ups="in-order") for call in calls]


def partition_of(report: CallReport) -> str:
    """Return the partition whose callbackUri a call was answered with."""
    return (report.callback_uri or "").rpartition("/")[2]


def expect_whole(
    run: ScenarioRun, fleet: Fleet, reports: Sequence[CallReport], what: str
) -> None:
    """Expect that each event came once, in time, to the instance of its call."""
    check = fleet.check(run.first, [report.call_id for report in reports])
    sentence = f"{what}: every event arrives once, in time, at its call's instance"
    run.expect(sentence, check.is_whole, check)


def _medians(reports: Sequence[CallReport]) -> tuple[float, float]:
    """Return how long answers took, and what followed them."""
    events = [
        step.took_seconds
        for report in reports
        for step in report.steps
        if step.what not in {"incoming", "redirected"}
    ]
    return median(report.answer_seconds for report in reports), median(events)


def _expect_passed_over(run: ScenarioRun, found: dict[str, float | None]) -> None:
    """Expect that no region gave ``a`` a call once it had found out."""
    placed = {one.call_id: one.placed_at_seconds for one in run.events(CallEnded)}
    late = [
        f"{event.region}, {placed[event.call_id]:.1f} s"
        for event in run.events(StepStarted)
        if event.what == "establishing"
        and event.url.endswith("/a")
        and (known_at := found[event.region or ""]) is not None
        and 0 < placed[event.call_id] - known_at < _PASSED_OVER_SECONDS
    ]
    run.expect("no new call goes there once it is known", not late, late)


def _wait_until_passed_over(run: ScenarioRun, code: str, since: float) -> float | None:
    """Return when a region found out that ``a`` fails."""
    took = run.wait_for(
        f"{code} passes the instance over",
        logged(code, event="instance.passed-over", instance="a"),
        since=since,
        seconds=_DETECTED_SECONDS,
    )
    return None if took is None else since + took


def _running_calls(run: ScenarioRun) -> list[_Running]:
    """Place calls, and go as far as the instances hold them."""
    platform = run.world.platform
    running = []
    for placed in mixed_calls():
        call = platform.call_of(placed)
        report = platform.announce(placed, call)
        running.append(_Running(call, report))
        url = report.callback_uri or run.world.webhook
        platform.send(
            call, report, "establishing", notifications.establishing(call), url
        )
    run.expect_answered([each.report for each in running], "running calls")
    return running


def _end_all(run: ScenarioRun, running: Sequence[_Running]) -> list[str]:
    """End calls; return what the log says of each end."""
    since = run.world.journal.next_number
    for call, report in running:
        url = report.callback_uri or run.world.webhook
        body = notifications.terminated(call)
        run.world.platform.send(call, report, "terminated", body, url)
    return [_reason(run, call.call_id, since) for call, _report in running]


def _reason(run: ScenarioRun, call_id: str, since: int) -> str:
    entry = run.world.journal.wait_for(
        lambda event: (
            isinstance(event, LogWritten)
            and event.call_id == call_id
            and event.line.get("event") == "notification.handled"
        ),
        timeout_seconds=_LOGGED_SECONDS,
        since=since,
    )
    if entry is None or not isinstance(entry.event, LogWritten):
        return "not logged"
    return str(entry.event.line["reason"])


SCENARIOS = (
    own_media_bot,
    direct_callbacks,
    instance_down,
    instance_slow,
    instance_restarts,
    instance_moves,
)
