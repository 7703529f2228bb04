"""Many calls at once."""

from itertools import cycle, islice

from tests.simulator.drill.scenario import Load, Scenario, mixed_calls
from tests.simulator.drill.stage import Stage

CALLS = 500
_OVER_SECONDS = 5.0


class Burst(Scenario):
    """A town hall begins."""

    name = "burst"
    title = "A burst of 500 calls"
    explanation = (
        "500 calls in five seconds, half of them in the wrong region: all are answered "
        "within their 15 s."
    )
    load = Load.HEAVY

    def play(self, stage: Stage) -> None:
        """All of them, and how long it took."""
        calls = list(islice(cycle(mixed_calls()), CALLS))
        reports = stage.calls(calls, over_seconds=_OVER_SECONDS)
        stage.expect_answered(reports, "the burst")
        slowest = max(report.answer_seconds for report in reports)
        stage.notes["the slowest answer, s"] = round(slowest, 1)
        stage.notes["calls that came again"] = sum(r.attempts > 1 for r in reports)
