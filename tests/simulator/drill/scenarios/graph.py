"""Graph is slow, throttles, has forgotten the call, or is down."""

from tests.simulator.drill.scenario import Scenario, mixed_calls
from tests.simulator.drill.stage import Stage, told_503_in_time
from tests.simulator.environment.fault_switch import GRAPH_SLOW_SECONDS
from tests.simulator.platform.calls import Outcome

_OUTAGE_SECONDS = 5.0


class GraphSlow(Scenario):
    """Graph takes its time."""

    name = "graph-slow"
    title = "Graph is slow"
    explanation = (
        "Graph takes two seconds for an answer: calls are answered, two seconds later, "
        "policy recordings within their 5 s as well."
    )

    def play(self, stage: Stage) -> None:
        """Ordinary calls and recordings."""
        stage.inject("graph-slow")
        ordinary = stage.calls(mixed_calls())
        recordings = stage.calls(mixed_calls(is_policy_recording=True))
        stage.world.heal_all()
        stage.expect_answered(ordinary, "ordinary calls")
        stage.expect_answered(recordings, "policy recordings")
        fastest = min(r.answer_seconds for r in (*ordinary, *recordings))
        stage.expect(
            "it really was slow",
            fastest >= GRAPH_SLOW_SECONDS,
            f"{fastest:.2f} s",
        )


class GraphThrottling(Scenario):
    """Graph says 429."""

    name = "graph-throttling"
    title = "Graph throttles"
    explanation = (
        "Two of three requests get 429 with Retry-After: 1. Each call waits as told "
        "and is answered, and Graph is not asked sooner than it said."
    )

    def play(self, stage: Stage) -> None:
        """One call after another, so that each meets the same."""
        graph = stage.world.neighbours.graph
        before = len(graph.answers)
        stage.inject("graph-throttling")
        reports = [stage.call(key, follow_ups="none") for key in ("paris", "tokyo")]
        stage.world.heal_all()
        stage.expect_answered(reports, "throttled calls")
        asked = graph.answers[before:]
        statuses = [answer.status for answer in asked]
        stage.expect(
            "each needed three requests", statuses == [429, 429, 202] * 2, statuses
        )
        shortest = min(report.answer_seconds for report in reports)
        stage.expect("each waited a second twice", shortest >= 2.0, f"{shortest:.2f} s")


class GraphNotFound(Scenario):
    """The calls are over."""

    name = "graph-not-found"
    title = "Graph 404: the call is over"
    explanation = (
        "Graph knows none of the calls. The expected outcome: 202, one request to "
        "Graph for each call, no repetition; the calls are over, nothing can save them."
    )

    def play(self, stage: Stage) -> None:
        """Calls that are over; then ordinary ones."""
        graph = stage.world.neighbours.graph
        before = len(graph.answers)
        stage.inject("graph-not-found")
        reports = stage.calls(mixed_calls())
        stage.world.heal_all()
        asked = len(graph.answers) - before
        stage.expect(
            "each gets 202 and is not answered",
            all(
                r.path[-1] == 202 and r.outcome is Outcome.LOST and r.attempts == 1
                for r in reports
            ),
            sorted({f"{r.path} {r.outcome}" for r in reports}),
        )
        stage.expect("Graph is asked once for each", asked == len(reports), asked)
        stage.expect_answered(stage.calls(mixed_calls()), "afterwards")


class GraphDown(Scenario):
    """Graph is down for a while."""

    name = "graph-down"
    title = "Graph is down for five seconds"
    explanation = (
        "Graph answers 503 for five seconds. The expected outcome: ordinary calls that "
        "come meanwhile are answered within their 15 s; policy recordings get 503 "
        "within their 5 s."
    )

    def play(self, stage: Stage) -> None:
        """Heal while the calls wait."""
        stage.inject("graph-failing")
        futures = [stage.world.place_call(call) for call in mixed_calls()]
        recordings = [
            stage.world.place_call(call)
            for call in mixed_calls(is_policy_recording=True)
        ]
        stage.let_pass(_OUTAGE_SECONDS + 0.5)
        stage.world.heal_all()
        reports = [future.result(60) for future in futures]
        late = [future.result(60) for future in recordings]
        stage.expect_answered(reports, "ordinary calls")
        stage.expect(
            "recordings are told 503 before their time is up",
            all(told_503_in_time(report) for report in late),
            sorted({str(report.path) for report in late}),
        )
