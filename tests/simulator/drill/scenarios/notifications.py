"""Notifications that come twice, at once, out of order, or with little time."""

from collections import Counter
from collections.abc import Sequence

from tests.simulator.drill.scenario import mixed_calls, scenario
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.platform.calls import CallReport, PlacedCall
from tests.simulator.platform.events import StepEnded

# No rule of the file names this region, so calls from it stay where they land.
_NOWHERE = "antarctica"


def _expect_answered_once(
    run: ScenarioRun, reports: Sequence[CallReport], sentence: str
) -> None:
    """Expect that Graph has accepted one answer for each call."""
    answers = run.world.neighbours.graph.answers
    taken = Counter(answer.call_id for answer in answers if answer.status == 202)
    counts = [taken[report.call_id] for report in reports]
    run.expect(sentence, set(counts) == {1}, counts)


@scenario()
def duplicates_and_disorder(run: ScenarioRun) -> None:
    """Duplicate and out-of-order notifications.

    The incoming call comes again once it is answered; the end comes before the
    beginning. Everything gets 202, and Graph is asked to answer once.
    """
    reports = run.calls(mixed_calls(is_duplicated=True, follow_ups="out-of-order"))
    run.expect_answered(reports, "all of them")
    statuses = Counter(
        str(step.status)
        for report in reports
        for step in report.steps
        if step.what not in {"incoming", "redirected"}
    )
    is_expected = statuses.keys() <= {"202", "302"}
    run.expect("all get 202, or 302 again", is_expected, dict(statuses))
    _expect_answered_once(run, reports, "each call is answered once")


@scenario()
def two_at_once(run: ScenarioRun) -> None:
    """Two notifications at once for one call.

    The same incoming call arrives twice at the same moment: in one region, which
    answers once and replies to both; and in two regions, of which Graph accepts one.
    """
    for what, duplicate in (("in one region", "amsterdam"), ("in two", "new-york")):
        call = PlacedCall(
            simultaneous_caller=duplicate, country_code="AQ", caller_region=_NOWHERE
        )
        reports = run.calls([call] * 10)
        run.expect_answered(reports, what)
        _expect_answered_once(run, reports, f"{what}: each is answered once")
        ids = {report.call_id for report in reports}
        statuses = Counter(
            step.status
            for step in run.events(StepEnded)
            if step.call_id in ids and step.what in {"incoming", "duplicate"}
        )
        run.expect(f"{what}: both get 202", statuses == {202: 20}, dict(statuses))


@scenario()
def policy_recording(run: ScenarioRun) -> None:
    """Policy recording against its 5 s.

    Nobody here can record, so recordings are rejected in time, also from the wrong
    region, after a legacy form and while Graph is slow; when Graph is down the region
    replies 503 while there is time.
    """
    graph = run.world.neighbours.graph
    calls = mixed_calls(is_policy_recording=True, starts_legacy=True)
    followed = mixed_calls(is_policy_recording=True, follow_ups="in-order")
    reports = run.calls([*calls, *followed])
    run.expect_rejected(reports, "while all is healthy")
    asked = Counter(r.call_id for r in graph.rejects)
    counts = {asked[report.call_id] for report in reports}
    run.expect("Graph is asked once for each", counts == {1}, counts)
    answered = {a.call_id for a in graph.answers} & {r.call_id for r in reports}
    run.expect("Graph is asked to answer none of them", not answered, answered)
    ends = {(r.steps[-1].what, r.steps[-1].status) for r in reports[len(calls) :]}
    run.expect("the end of each gets 202", ends == {("deleted", 202)}, ends)
    media = [
        PlacedCall(
            caller=call.caller,
            is_policy_recording=True,
            media_hosted_region="ASEA",
            follow_ups="none",
        )
        for call in calls
    ]
    reports = run.calls(media)
    run.expect_rejected(reports, "by the region of the media")
    regions = {str(report.region) for report in reports}
    sentence = "the rule for ASEA sends all of them to sea"
    run.expect(sentence, regions == {"sea"}, sorted(regions))
    with run.fault("graph-slow"):
        run.expect_rejected(run.calls(calls), "while Graph is slow")
    with run.fault("graph-failing"):
        reports = run.calls(calls)
    what = "without Graph each gets 503 before its time is up"
    run.expect_503_in_time(reports, what)


SCENARIOS = (duplicates_and_disorder, two_at_once, policy_recording)
