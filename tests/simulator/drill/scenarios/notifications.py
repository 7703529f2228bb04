"""Notifications that come twice, at once, out of order, or with little time."""

from collections import Counter

from tests.simulator.drill.scenario import Scenario, mixed_calls
from tests.simulator.drill.stage import Stage, told_503_in_time
from tests.simulator.platform.calls import CallReport, PlacedCall
from tests.simulator.platform.events import StepEnded

# Both land where they are hosted: no rule of the file knows this region.
_NOWHERE = "antarctica"


def _taken(stage: Stage, report: CallReport) -> int:
    """Return how many answers of a call Graph has taken."""
    graph = stage.world.neighbours.graph
    return sum(
        answer.call_id == report.call_id and answer.status == 202
        for answer in graph.answers
    )


class DuplicateAndOutOfOrder(Scenario):
    """Everything twice, and the follow-ups in any order."""

    name = "duplicates-and-disorder"
    title = "Duplicate and out-of-order notifications"
    explanation = (
        "The incoming call comes again when it is answered; the end comes before the "
        "beginning. Everything gets 202, Graph is asked to answer once."
    )

    def play(self, stage: Stage) -> None:
        """Answered calls whose notifications are a mess."""
        calls = mixed_calls(is_duplicated=True, follow_ups="out-of-order")
        reports = stage.calls(calls)
        stage.expect_answered(reports, "all of them")
        statuses = Counter(
            str(step.status)
            for report in reports
            for step in report.steps
            if step.what not in {"incoming", "redirected"}
        )
        accepted = {status for status in statuses if status not in {"202", "302"}}
        stage.expect("all get 202, or 302 again", not accepted, dict(statuses))
        answers = [_taken(stage, report) for report in reports]
        stage.expect("each call is answered once", set(answers) == {1}, answers)


class TwoAtOnce(Scenario):
    """One call, two notifications at the same time."""

    name = "two-at-once"
    title = "Two notifications at once for one call"
    explanation = (
        "The same incoming call arrives twice in the same moment: in one region, which "
        "answers once and tells both; and in two regions, of which Graph takes one."
    )

    def play(self, stage: Stage) -> None:
        """In one region, and in two."""
        for what, caller in (("in one region", "amsterdam"), ("in two", "new-york")):
            reports = stage.calls(
                [
                    PlacedCall(
                        caller="amsterdam",
                        simultaneous_caller=caller,
                        country_code="AQ",
                        caller_region=_NOWHERE,
                    )
                ]
                * 10
            )
            stage.expect_answered(reports, what)
            answers = [_taken(stage, report) for report in reports]
            stage.expect(f"{what}: each is answered once", set(answers) == {1}, answers)
            ids = {report.call_id for report in reports}
            statuses = Counter(
                step.status
                for entry in stage.entries
                if isinstance(step := entry.event, StepEnded)
                and step.call_id in ids
                and step.what in {"incoming", "duplicate"}
            )
            stage.expect(f"{what}: both get 202", statuses == {202: 20}, dict(statuses))


class PolicyRecording(Scenario):
    """Five seconds, not fifteen."""

    name = "policy-recording"
    title = "Policy recording against its 5 s"
    explanation = (
        "Recordings are answered in time, also from the wrong region, after a legacy "
        "form and while Graph is slow; when Graph is down the region says so while "
        "there is time."
    )

    def play(self, stage: Stage) -> None:
        """In good times, in slow ones, and without Graph."""
        calls = mixed_calls(is_policy_recording=True, starts_legacy=True)
        stage.expect_answered(stage.calls(calls), "in good times")
        media = [
            PlacedCall(
                caller=call.caller,
                is_policy_recording=True,
                media_hosted_region="ASEA",
                follow_ups="none",
            )
            for call in calls
        ]
        reports = stage.calls(media)
        stage.expect_answered(reports, "by the region of the media")
        stage.expect(
            "the rule for ASEA sends all of them to sea",
            {report.region for report in reports} == {"sea"},
            sorted({str(report.region) for report in reports}),
        )
        stage.inject("graph-slow")
        slow = stage.calls(calls)
        stage.world.heal_all()
        stage.expect_answered(slow, "while Graph is slow")
        stage.inject("graph-failing")
        down = stage.calls(calls)
        stage.world.heal_all()
        stage.expect(
            "without Graph each is told 503 before its time is up",
            all(told_503_in_time(report) for report in down),
            sorted({str(report.path) for report in down}),
        )
