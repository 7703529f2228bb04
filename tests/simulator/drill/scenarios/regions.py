"""Regions die, restart and are passed over, and what that costs the others."""

from collections.abc import Callable
from http import HTTPStatus
from statistics import median

from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.simulator.drill.impostor import Impostor
from tests.simulator.drill.oracle import belongs_to, lands_in
from tests.simulator.drill.scenario import (
    Load,
    home_calls,
    mixed_calls,
    scenario,
    travelling_calls,
)
from tests.simulator.drill.scenario_run import GRACE_SECONDS, ScenarioRun
from tests.simulator.drill.scenarios.routing import expect_where_they_belong
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import (
    REDIRECTS,
    CallReport,
    Outcome,
    PlacedCall,
    RetryPolicy,
)
from tests.simulator.platform.events import StepEnded

# The region that fails.
_FAULTY = "sea"
# The region that the data of some must not leave, and their rule.
_HOME = "weu"
_RESIDENTS = ("DE", "FR", "NL")
_STRICT_RULE = {"countryCode": list(_RESIDENTS), "regions": [_HOME], "strict": True}
# Regions look at each other's health this often.
_LOOK_SECONDS = 10.0
_MAX_RATIO = 1.5
# Smaller differences between medians come from whatever else the machine does.
_NOISE_SECONDS = 0.002
# Seconds of each state, and calls from every caller in it.
_ROUNDS = 4


def _calls_redirected_to_it(run: ScenarioRun) -> list[PlacedCall]:
    """Return calls that land in other regions and belong to the one that fails."""
    return [
        call
        for call in travelling_calls()
        if (found := lands_in(run.world, call)) != _FAULTY
        and belongs_to(run.world, call, lands_in=found) == _FAULTY
    ]


def _expect_redirected_to_it(
    run: ScenarioRun, calls: list[PlacedCall], sentence: str
) -> None:
    reports = run.calls(calls)
    run.expect(
        sentence,
        all((r.hops, r.region) == (1, _FAULTY) for r in reports),
        sorted({f"{r.path} {r.region}" for r in reports}),
    )


@scenario(load=Load.WAITS, retries=RetryPolicy.none())
def target_known_down(run: ScenarioRun) -> None:
    """A redirect's target is down and known to be.

    sea dies; as soon as the others have noticed, calls that belong to sea and land
    elsewhere are no longer sent there. None is lost, on the first attempt.
    """
    calls = _calls_redirected_to_it(run)
    _expect_redirected_to_it(run, calls, "while it is healthy, they are redirected")
    fault_at = run.phase("fault")
    with run.fault("region-killed", _FAULTY):
        run.wait_for_peers(_FAULTY, "unhealthy", since=fault_at)
        run.phase("known")
        reports = run.calls(calls * 5, over_seconds=5.0)
        run.expect_answered(reports, "the target is known to be down")
        run.expect(
            "none of them is sent to it",
            all(step.region != _FAULTY for r in reports for step in r.steps),
        )
        healed_at = run.phase("healed")
    run.wait_for_peers(_FAULTY, "healthy", since=healed_at)
    _expect_redirected_to_it(run, calls, "once it is back, they are redirected again")


@scenario(load=Load.WAITS)
def dies_after_redirect(run: ScenarioRun) -> None:
    """A region dies between redirect and answer.

    A call is sent to sea with 302; sea dies before the call arrives. The call comes to
    the webhook again and again until the region that redirected it has noticed: within
    10 s, well within the 15 s of a call.
    """
    world = run.world
    deaths: list[str] = []

    def kill(step: StepEnded) -> None:
        if step.location and world.region_of_host(step.location) == _FAULTY:
            deaths.append(step.call_id)
            world.inject("region-killed", _FAULTY)

    world.platform.before_redirect = kill
    reports = run.calls(_calls_redirected_to_it(run))
    world.platform.before_redirect = None
    run.expect("it died after a redirect", bool(deaths), len(deaths))
    run.expect_answered(reports, "the target dies under them")
    run.expect(
        "each met the dead region at least once",
        all({"connection-refused", "connection-lost"} & set(r.path) for r in reports),
        [r.path for r in reports],
    )
    run.expect("each was answered elsewhere", all(r.region != _FAULTY for r in reports))
    slowest = max(report.answer_seconds for report in reports)
    run.notes["the slowest answer, s"] = round(slowest, 1)
    world.heal("region-killed", _FAULTY)


@scenario(load=Load.WAITS)
def rolling_update(run: ScenarioRun) -> None:
    """Rolling update of the regions, one by one, under traffic.

    Each region restarts, and the next one waits until it is healthy again. A call that
    meets a region which is restarting comes again half a second later.
    """
    with run.traffic(3.0, mixed_calls()):
        run.let_pass(2.0)
        for code in run.world.regions:
            run.phase(code)
            run.world.inject("region-restart", code)
            run.expect_all_healthy()
        run.let_pass(2.0)
    run.expect_none_lost("during the roll-out")
    again = sum(call.attempts > 1 for call in run.ended())
    run.notes["calls that came again"] = again


@scenario(load=Load.HEAVY)
def death_costs_others(run: ScenarioRun) -> None:
    """A region's death and the latency of the others.

    sea hangs, which is the worst way to die for those who ask it, and wakes up, in
    turn. Calls of the other regions are measured in both states, so that whatever else
    the machine does affects both alike.
    """
    calls = [call for call in home_calls() if lands_in(run.world, call) != _FAULTY]
    took: dict[str, list[float]] = {"healthy": [], "hanging": []}
    # This order cancels out a steady drift of the machine's speed.
    for state in ("healthy", "hanging", "hanging", "healthy") * 2:
        run.phase(state)
        if state == "hanging":
            run.world.inject("region-hanging", _FAULTY)
        reports = run.calls(calls * _ROUNDS, over_seconds=_ROUNDS)
        run.world.heal_all()
        run.expect_answered(reports, f"the others, {_FAULTY} {state}")
        took[state] += [report.answer_seconds for report in reports]
    healthy, hanging = median(took["healthy"]), median(took["hanging"])
    run.notes["median of the others while it is healthy, ms"] = _ms(healthy)
    run.notes["median of the others while it hangs, ms"] = _ms(hanging)
    run.notes["ratio"] = round(hanging / healthy, 2)
    run.expect(
        f"the median latency of the others is at most {_MAX_RATIO} times as long",
        hanging / healthy <= _MAX_RATIO or hanging - healthy <= _NOISE_SECONDS,
        f"{_ms(healthy)} ms, then {_ms(hanging)} ms",
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _is_resident(call: PlacedCall) -> bool:
    return (call.country_code or CALLERS[call.caller].country_code) in _RESIDENTS


def _is_refused_unasked(report: CallReport) -> bool:
    """Tell whether a call got 503 after redirects at most, and nobody answered it."""
    *before, last = report.path
    return (
        last == HTTPStatus.SERVICE_UNAVAILABLE
        and set(before) <= set(REDIRECTS)
        and report.outcome is Outcome.LOST
    )


@scenario(load=Load.WAITS, retries=RetryPolicy.none())
def residency(run: ScenarioRun) -> None:
    """Data that must not leave a region.

    A strict rule keeps calls of three countries in weu, and weu dies. From the 65th
    second on they land elsewhere and get 503 there: no other region asks Graph about
    them. All other calls are answered. When weu is back, it answers theirs again.
    """
    world = run.world
    rules = list(world.rules)
    world.set_rules([_STRICT_RULE, *rules])
    run.expect_all_healthy()
    calls = mixed_calls()
    reports = run.calls(calls)
    run.expect_answered(reports, "while all is healthy")
    expect_where_they_belong(run, reports)
    fault_at = run.phase("fault")
    with run.fault("region-killed", _HOME):
        run.wait_for_endpoint(_HOME, "degraded", since=fault_at)
        run.let_pass_until(fault_at + run.detection_seconds)
        run.phase("detected")
        residents = [call for call in calls if _is_resident(call)]
        kept = run.calls(residents)
        others = run.calls([call for call in calls if not _is_resident(call)])
        healed_at = run.phase("healed")
    run.expect(
        "each of theirs gets 503, and nothing more",
        all(map(_is_refused_unasked, kept)),
        sorted({f"{r.path} {r.outcome}" for r in kept}),
    )
    ids = {report.call_id for report in kept}
    asked = ids & {answer.call_id for answer in world.neighbours.graph.answers}
    run.expect("Graph is asked about none of them", not asked, asked)
    told = [
        event
        for event in run.events(LogWritten)
        if event.line.get("reason") == "region-required"
    ]
    run.expect("the log tells each", len(told) == len(kept), len(told))
    run.expect_answered(others, "all other calls")
    run.wait_for_endpoint(_HOME, "online", since=healed_at)
    run.wait_for_peers(_HOME, "healthy", since=healed_at)
    back = run.calls(residents)
    run.expect_answered(back, "theirs, when it is back")
    regions = {str(report.region) for report in back}
    run.expect(f"{_HOME} answers all of them", regions == {_HOME}, sorted(regions))
    world.set_rules(rules)


@scenario(load=Load.WAITS, retries=RetryPolicy.none())
def peer_lies(run: ScenarioRun) -> None:
    """A region's address says that all is well.

    sea is taken out of DNS and dies, and somebody else answers at its address: its
    health is 200 with the code of another region, then 200 with status unavailable,
    then a parked page. The others believe none of it: no call is sent there, and every
    call is answered.
    """
    world = run.world
    calls = _calls_redirected_to_it(run)
    _expect_redirected_to_it(run, calls, "while it is itself, calls are redirected")
    others = set(world.regions) - {_FAULTY}
    with run.fault("region-disabled", _FAULTY):
        run.let_pass(world.options.profile.ttl_seconds + GRACE_SECONDS)
        with (
            run.fault("region-killed", _FAULTY),
            Impostor(world.regions[_FAULTY], next(iter(_LIES.values()))) as impostor,
        ):
            lying_at = run.phase("somebody else")
            run.wait_for_peers(_FAULTY, "unhealthy", since=lying_at)
            for lie, health in _LIES.items():
                run.phase(lie)
                impostor.health = health
                impostor.looks.clear()
                run.let_pass(_LOOK_SECONDS + GRACE_SECONDS)
                asked = set(impostor.looks)
                run.expect(f"{lie}: all others have looked", asked == others, asked)
                run.expect_answered(run.calls(calls), lie)
                was_sent = impostor.calls
                run.expect(f"{lie}: no call is sent there", not was_sent, was_sent)
        healed_at = run.phase("healed")
        run.wait_for_peers(_FAULTY, "healthy", since=healed_at)
        _expect_redirected_to_it(run, calls, "once it is itself, they are redirected")


_LIES: dict[str, Callable[[], Response]] = {
    "another region": lambda: JSONResponse({"status": "ok", "region": "eus2"}),
    "unavailable": lambda: JSONResponse({"status": "unavailable", "region": _FAULTY}),
    "a parked page": lambda: HTMLResponse("<title>Welcome</title>"),
}

SCENARIOS = (
    target_known_down,
    dies_after_redirect,
    rolling_update,
    death_costs_others,
    residency,
    peer_lies,
)
