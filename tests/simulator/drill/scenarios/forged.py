"""Forged traffic."""

from collections import Counter
from statistics import median

from tests.simulator.drill.scenario import Load, Scenario, mixed_calls
from tests.simulator.drill.stage import Stage
from tests.simulator.environment.events import ForgedRefused
from tests.simulator.environment.fault_switch import FORGED_TIMES

_CALLS_PER_SECOND = 3.0
_SECONDS = 12.0
# They begin a moment later than they are counted from, and a busy machine is late.
_MORE = 8


class ForgedTraffic(Scenario):
    """Somebody tries."""

    name = "forged-traffic"
    title = "Forged traffic at 20 times the honest rate"
    explanation = (
        "Forged, tampered, expired and foreign tokens, with unknown key ids among "
        "them: each gets 401, none reaches Graph, honest calls are answered as before."
    )
    load = Load.HEAVY

    def play(self, stage: Stage) -> None:
        """Honest calls alone, then among forged ones."""
        calls = mixed_calls()
        with stage.traffic(_CALLS_PER_SECOND, calls):
            alone_at = stage.phase("honest alone")
            stage.let_pass(_SECONDS)
            among_at = stage.phase("among forged")
            stage.world.traffic.forge(FORGED_TIMES + _MORE)
            stage.let_pass(_SECONDS)
            until = stage.world.journal.now_seconds
            stage.world.traffic.forge(0)
        stage.expect_none_lost("honest calls")
        statuses: Counter[str] = Counter()
        for entry in stage.entries:
            if isinstance(entry.event, ForgedRefused):
                statuses.update(entry.event.statuses)
        stage.expect("every forged one gets 401", set(statuses) == {"401"}, statuses)
        honest = len(stage.ended(since=among_at, until=until))
        times = statuses.total() / max(1, honest)
        stage.notes["forged calls"] = statuses.total()
        stage.notes["forged calls for each honest one"] = round(times, 1)
        stage.expect(
            f"there were at least {FORGED_TIMES} times as many",
            times >= FORGED_TIMES,
            f"{times:.1f}",
        )
        asked = {answer.call_id for answer in stage.world.neighbours.graph.answers}
        stage.expect(
            "Graph is asked to answer none of them",
            stage.world.traffic.forged_call.call_id not in asked,
        )
        for what, since, end in (
            ("alone", alone_at, among_at),
            ("among forged", among_at, until),
        ):
            took = [c.answer_seconds for c in stage.ended(since=since, until=end)]
            stage.notes[f"median {what}, ms"] = round(median(took) * 1000, 1)
