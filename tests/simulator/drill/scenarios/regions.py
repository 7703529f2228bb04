"""Regions die, restart and are passed over, and what that costs the others."""

from statistics import median

from tests.simulator.drill.oracle import belongs_to
from tests.simulator.drill.scenario import (
    Load,
    home_calls,
    mixed_calls,
    scenario,
    travelling_calls,
)
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import PlacedCall, RetryPolicy
from tests.simulator.platform.events import StepEnded

# The region that fails.
_FAULTY = "sea"
_MAX_RATIO = 1.5
# Smaller differences between medians come from whatever else the machine does.
_NOISE_SECONDS = 0.002
# Seconds of each state, and calls from every caller in it.
_ROUNDS = 4


def _lands_in(run: ScenarioRun, call: PlacedCall) -> str:
    """Return the region to which DNS leads a call while all are healthy."""
    location = CALLERS[call.caller].location
    return run.world.traffic_manager.answer(location)[0].code


def _calls_redirected_to_it(run: ScenarioRun) -> list[PlacedCall]:
    """Return calls that land in other regions and belong to the one that fails."""
    return [
        call
        for call in travelling_calls()
        if (found := _lands_in(run, call)) != _FAULTY
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
    calls = [call for call in home_calls() if _lands_in(run, call) != _FAULTY]
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


SCENARIOS = (target_known_down, dies_after_redirect, rolling_update, death_costs_others)
