"""Redirects reach exactly the region that the rules name."""

from itertools import batched, cycle, islice

from tests.simulator.drill.decisions import DECISIONS, count_exact
from tests.simulator.drill.scenario import Load, Scenario, mixed_calls
from tests.simulator.drill.scenarios.routing import expect_where_they_belong
from tests.simulator.drill.stage import Stage

_CALLS = 500
_AT_ONCE = 20


class ExactRedirects(Scenario):
    """As many as it takes to be sure."""

    name = "exact-redirects"
    title = "10,000 decisions and 500 calls"
    explanation = (
        "10,000 calls of all kinds are decided by the function app in the worker "
        "library, 500 are placed over sockets: each goes to exactly the region that "
        "the rules name, in one hop at the most, never through the global host."
    )
    load = Load.HEAVY

    def play(self, stage: Stage) -> None:
        """By decisions, then over sockets."""
        stage.phase("decisions")
        decided = count_exact(stage.world)
        stage.expect(
            f"{DECISIONS} decisions name exactly the right region",
            decided.exact == decided.made == DECISIONS,
            f"{decided.exact} of {decided.made}; {decided.first_wrong}",
        )
        stage.expect(
            "redirects and stays are both among them",
            0 < decided.redirects < decided.made,
            f"{decided.redirects} redirects",
        )
        stage.notes["redirects among the decisions"] = decided.redirects
        stage.phase("calls")
        calls = list(islice(cycle(mixed_calls()), _CALLS))
        reports = [
            report
            for some in batched(calls, _AT_ONCE, strict=False)
            for report in stage.calls(some)
        ]
        stage.expect_answered(reports, f"{_CALLS} calls")
        expect_where_they_belong(stage, reports)
        hops = sum(report.hops for report in reports)
        stage.notes["redirects among the calls"] = hops
