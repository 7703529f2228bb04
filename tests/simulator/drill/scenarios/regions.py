"""Regions die, restart and are passed over, and what that costs the others."""

from statistics import median

from tests.simulator.drill.oracle import belongs_to
from tests.simulator.drill.scenario import (
    Load,
    Scenario,
    home_calls,
    mixed_calls,
    travelling_calls,
)
from tests.simulator.drill.stage import Stage
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import PlacedCall, RetryPolicy
from tests.simulator.platform.events import StepEnded

_STRUCK = "sea"
_MAX_RATIO = 1.5
# Below this, medians differ by what else the machine does.
_NOISE_SECONDS = 0.002
# Seconds of each state, and calls of everybody in it.
_ROUNDS = 4


def _lands_in(stage: Stage, call: PlacedCall) -> str:
    """Return the region to which DNS leads a call while all are well."""
    location = CALLERS[call.caller].location
    return stage.world.traffic_manager.answer(location)[0].code


def _calls_for_sea_hosted_elsewhere(stage: Stage) -> list[PlacedCall]:
    """Return calls that land in other regions and belong to sea."""
    return [
        call
        for call in travelling_calls()
        if (found := _lands_in(stage, call)) != _STRUCK
        and belongs_to(stage.world, call, lands_in=found) == _STRUCK
    ]


class TargetKnownDown(Scenario):
    """The preferred region is dead and known to be."""

    name = "target-known-down"
    title = "A redirect's target is down and known to be"
    explanation = (
        "sea dies; as soon as the others have seen it, calls that belong to sea and "
        "land elsewhere are no longer sent there. None is lost, on the first attempt."
    )
    load = Load.WAITS
    retries = RetryPolicy.none()

    def play(self, stage: Stage) -> None:
        """Kill, wait until peers know, call."""
        calls = _calls_for_sea_hosted_elsewhere(stage)
        healthy = stage.calls(calls)
        stage.expect(
            "while it is well, they are redirected to it",
            all((r.hops, r.region) == (1, _STRUCK) for r in healthy),
            sorted({f"{r.path} {r.region}" for r in healthy}),
        )
        struck_at = stage.phase("fault")
        stage.inject("region-killed", _STRUCK)
        stage.wait_until_peers_know(_STRUCK, since=struck_at)
        stage.phase("known")
        reports = stage.calls(calls * 5, over_seconds=5.0)
        stage.expect_answered(reports, "the target is known to be down")
        stage.expect(
            "none of them is sent to it",
            all(step.region != _STRUCK for r in reports for step in r.steps),
        )
        healed_at = stage.phase("healed")
        stage.world.heal("region-killed", _STRUCK)
        stage.wait_until_peers_know(_STRUCK, since=healed_at, is_healthy=True)
        again = stage.calls(calls)
        stage.expect(
            "once it is back, they are redirected to it again",
            all((r.hops, r.region) == (1, _STRUCK) for r in again),
            sorted({f"{r.path} {r.region}" for r in again}),
        )


class DiesAfterRedirect(Scenario):
    """The target dies between the redirect and the answer."""

    name = "dies-after-redirect"
    title = "A region dies between redirect and answer"
    explanation = (
        "A call is sent to sea with 302; sea dies before the call arrives. It comes "
        "again, to the webhook, and again, until the region that sent it there knows: "
        "10 s at the most, well within the 15 s of a call."
    )
    load = Load.WAITS

    def play(self, stage: Stage) -> None:
        """Kill the target at the very moment."""
        world = stage.world
        deaths: list[float] = []

        def kill(step: StepEnded) -> None:
            if step.location and world.region_of_host(step.location) == _STRUCK:
                deaths.append(stage.inject("region-killed", _STRUCK))

        world.platform.before_redirect = kill
        reports = stage.calls(_calls_for_sea_hosted_elsewhere(stage))
        world.platform.before_redirect = None
        stage.expect("it died after a redirect", bool(deaths), len(deaths))
        stage.expect_answered(reports, "the target dies under them")
        stage.expect(
            "each met the dead region at least once",
            all(
                "connection-refused" in r.path or "connection-lost" in r.path
                for r in reports
            ),
            [r.path for r in reports],
        )
        stage.expect(
            "each was answered elsewhere", all(r.region != _STRUCK for r in reports)
        )
        slowest = max(report.answer_seconds for report in reports)
        stage.notes["the slowest answer, s"] = round(slowest, 1)
        world.heal("region-killed", _STRUCK)


class RollingUpdate(Scenario):
    """The regions restart one after another, under traffic."""

    name = "rolling-update"
    title = "Rolling update of the regions, one by one, under traffic"
    explanation = (
        "Each region restarts, and the next one waits until it is well again. A call "
        "that meets a closed door comes again half a second later."
    )
    load = Load.WAITS

    def play(self, stage: Stage) -> None:
        """Restart each, with the gate of the roll-out between."""
        with stage.traffic(3.0, mixed_calls()):
            stage.let_pass(2.0)
            for code in stage.world.regions:
                stage.phase(code)
                stage.inject("region-restart", code)
                stage.expect_well()
            stage.let_pass(2.0)
        stage.expect_none_lost("during the roll-out")
        again = sum(call.attempts > 1 for call in stage.ended())
        stage.notes["calls that came again"] = again


class DeathCostsOthers(Scenario):
    """What the others pay for a region's death."""

    name = "death-costs-others"
    title = "A region's death and the latency of the others"
    explanation = (
        "sea hangs, the worst way to die for those who ask it, and wakes up, in turn. "
        "Calls of the other regions are measured in both states, so that whatever else "
        "the machine does hits both alike."
    )
    load = Load.HEAVY

    def play(self, stage: Stage) -> None:
        """Measure the same calls in both states."""
        calls = [call for call in home_calls() if _lands_in(stage, call) != _STRUCK]
        took: dict[str, list[float]] = {"well": [], "hanging": []}
        # In an order that a steady drift of the machine's cannot tell.
        for state in ("well", "hanging", "hanging", "well") * 2:
            stage.phase(state)
            if state == "hanging":
                stage.inject("region-hanging", _STRUCK)
            reports = stage.calls(calls * _ROUNDS, over_seconds=_ROUNDS)
            stage.world.heal_all()
            stage.expect_answered(reports, f"the others, {_STRUCK} {state}")
            took[state] += [report.answer_seconds for report in reports]
        well, hanging = median(took["well"]), median(took["hanging"])
        stage.notes["median of the others while it is well, ms"] = _ms(well)
        stage.notes["median of the others while it hangs, ms"] = _ms(hanging)
        stage.notes["ratio"] = round(hanging / well, 2)
        stage.expect(
            f"the median latency of the others is at most {_MAX_RATIO} times as long",
            hanging / well <= _MAX_RATIO or hanging - well <= _NOISE_SECONDS,
            f"{_ms(well)} ms, then {_ms(hanging)} ms",
        )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
