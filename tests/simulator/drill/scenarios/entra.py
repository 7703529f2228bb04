"""Entra is down."""

from tests.simulator.drill.scenario import Scenario, home_calls, mixed_calls
from tests.simulator.drill.stage import Stage, told_503_in_time
from tests.simulator.platform.callers import CALLERS

_RESTARTED = "sea"


class EntraDown(Scenario):
    """No new tokens for Graph."""

    name = "entra-down"
    title = "Entra is down"
    explanation = (
        "Regions that hold a token for Graph go on. The expected outcome for one that "
        "restarts meanwhile: its calls get 503 within their time, its health stays "
        "good, and everything is well when Entra is."
    )

    def play(self, stage: Stage) -> None:
        """With tokens, without them, and afterwards."""
        stage.expect_answered(stage.calls(mixed_calls()), "before")
        stage.phase("Entra down")
        stage.inject("entra-down")
        stage.expect_answered(stage.calls(mixed_calls()), "while tokens are held")
        stage.phase("sea restarts")
        stage.inject("region-restart", _RESTARTED)
        stage.expect_well()
        calls = [
            call
            for call in home_calls(is_policy_recording=True)
            if CALLERS[call.caller].region == "apac"
        ]
        without = stage.calls(calls)
        stage.expect(
            "without a token each gets 503 before its time is up",
            all(told_503_in_time(report) for report in without),
            sorted({str(report.path) for report in without}),
        )
        stage.phase("healed")
        stage.world.heal("entra-down")
        stage.expect_answered(stage.calls(mixed_calls()), "afterwards")
