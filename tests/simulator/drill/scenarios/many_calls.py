"""Many calls: a burst, a flood of forged ones, and every kind of redirect."""

from collections import Counter
from itertools import batched, cycle, islice
from statistics import median

from tests.simulator.drill.decisions import DECISIONS, count_exact
from tests.simulator.drill.scenario import Load, mixed_calls, scenario
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.drill.scenarios.routing import expect_where_they_belong
from tests.simulator.environment.events import ForgedRefused
from tests.simulator.environment.fault_switch import FORGED_TIMES

_CALLS = 500
_BURST_SECONDS = 5.0
_AT_ONCE = 20
_HONEST_PER_SECOND = 3.0
_HONEST_SECONDS = 12.0
# Forged calls start a moment after they are counted from, and a busy machine is late.
_MORE_FORGED_TIMES = 8


@scenario(load=Load.HEAVY)
def burst(run: ScenarioRun) -> None:
    """A burst of 500 calls.

    500 calls come in five seconds, half of them in the wrong region: all are answered
    within their 15 s.
    """
    calls = list(islice(cycle(mixed_calls()), _CALLS))
    reports = run.calls(calls, over_seconds=_BURST_SECONDS)
    run.expect_answered(reports, "the burst")
    slowest = max(report.answer_seconds for report in reports)
    run.notes["the slowest answer, s"] = round(slowest, 1)
    run.notes["calls that came again"] = sum(r.attempts > 1 for r in reports)


@scenario(load=Load.HEAVY)
def forged_traffic(run: ScenarioRun) -> None:
    """Forged traffic at 20 times the honest rate.

    Forged, tampered, expired and foreign tokens, with unknown key ids among them: each
    gets 401, none reaches Graph, and honest calls are answered as before.
    """
    world = run.world
    with run.traffic(_HONEST_PER_SECOND, mixed_calls()):
        alone_at = run.phase("honest alone")
        run.let_pass(_HONEST_SECONDS)
        among_at = run.phase("among forged")
        world.traffic.forge(FORGED_TIMES + _MORE_FORGED_TIMES)
        run.let_pass(_HONEST_SECONDS)
        until = world.journal.now_seconds
        world.traffic.forge(0)
    run.expect_none_lost("honest calls")
    statuses: Counter[str] = Counter()
    for refused in run.events(ForgedRefused):
        statuses.update(refused.statuses)
    run.expect("every forged call gets 401", set(statuses) == {"401"}, statuses)
    times = statuses.total() / max(1, len(run.ended(since=among_at, until=until)))
    run.notes["forged calls"] = statuses.total()
    run.notes["forged calls for each honest one"] = round(times, 1)
    sentence = f"there were at least {FORGED_TIMES} times as many"
    run.expect(sentence, times >= FORGED_TIMES, f"{times:.1f}")
    asked = {answer.call_id for answer in world.neighbours.graph.answers}
    is_unasked = world.traffic.forged_call.call_id not in asked
    run.expect("Graph is asked to answer none of them", is_unasked)
    for what, since, end in (
        ("alone", alone_at, among_at),
        ("among forged", among_at, until),
    ):
        took = [call.answer_seconds for call in run.ended(since=since, until=end)]
        run.notes[f"median {what}, ms"] = round(median(took) * 1000, 1)


@scenario(load=Load.HEAVY)
def exact_redirects(run: ScenarioRun) -> None:
    """10,000 decisions and 500 calls.

    10,000 calls of all kinds are decided by the function app in the worker library, 500
    are placed over sockets: each goes to exactly the region that the rules name, in one
    hop at the most, never through the global host.
    """
    run.phase("decisions")
    decided = count_exact(run.world)
    run.expect(
        f"{DECISIONS} decisions name exactly the right region",
        decided.exact == decided.made == DECISIONS,
        f"{decided.exact} of {decided.made}; {decided.first_wrong}",
    )
    run.expect(
        "there are calls that are redirected and calls that stay",
        0 < decided.redirects < decided.made,
        f"{decided.redirects} redirects",
    )
    run.notes["redirects among the decisions"] = decided.redirects
    run.phase("calls")
    calls = list(islice(cycle(mixed_calls()), _CALLS))
    reports = [
        report
        for some in batched(calls, _AT_ONCE, strict=False)
        for report in run.calls(some)
    ]
    run.expect_answered(reports, f"{_CALLS} calls")
    expect_where_they_belong(run, reports)
    run.notes["redirects among the calls"] = sum(report.hops for report in reports)


SCENARIOS = (burst, forged_traffic, exact_redirects)
