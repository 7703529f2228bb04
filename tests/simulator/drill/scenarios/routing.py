"""Calls reach the right region, wherever they land and in whatever form."""

from collections.abc import Sequence

from tests.simulator.drill.oracle import belongs_to
from tests.simulator.drill.scenario import (
    Load,
    home_calls,
    mixed_calls,
    scenario,
    travelling_calls,
)
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.calls import CallReport
from tests.simulator.platform.stories import STORIES


def expect_where_they_belong(run: ScenarioRun, reports: Sequence[CallReport]) -> None:
    """Expect that each call is answered where the rules say, after one hop at most."""
    wrong = []
    for report in reports:
        lands_in = report.steps[0].region or ""
        region = belongs_to(run.world, report.placed, lands_in=lands_in)
        hops = int(region != lands_in)
        if (report.region, report.hops) != (region, hops):
            wrong.append(f"{report.placed.caller}: {report.path} in {report.region}")
    run.expect(
        "every call is answered where the rules say, with no hop too many",
        not wrong,
        "; ".join(wrong) or f"{len(reports)} calls",
    )
    steps = [step for report in reports for step in report.steps]
    run.expect(
        "no redirect leads through the global host",
        not any(run.world.global_host in (step.location or "") for step in steps),
    )


@scenario()
def ordinary(run: ScenarioRun) -> None:
    """Ordinary calls.

    Everybody calls from home: DNS leads to the nearest region. The region that answers
    takes the follow-ups. Before that, the calls of the demo go as they do there.
    """
    for story in STORIES:
        if story.region is not None:
            differences = story.differences(run.calls([story.call])[0])
            run.expect(story.title, not differences, "; ".join(differences))
    reports = run.calls(home_calls(follow_ups="in-order"))
    run.expect_answered(reports, "from home")
    expect_where_they_belong(run, reports)
    run.expect(
        "every follow-up is taken by the region that answered",
        all(
            (step.status, step.region) == (202, report.region)
            for report in reports
            for step in report.steps[1:]
        ),
    )


@scenario()
def legacy_first(run: ScenarioRun) -> None:
    """Legacy first.

    The legacy form gets 204; the same call comes again in Graph form and is answered or
    redirected.
    """
    reports = run.calls(mixed_calls(starts_legacy=True))
    run.expect_answered(reports, "legacy first")
    starts = {report.path[0] for report in reports}
    run.expect("each starts with 204", starts == {204}, starts)
    expect_where_they_belong(run, reports)


@scenario()
def wrong_region(run: ScenarioRun) -> None:
    """Wrong region.

    Calls are hosted far from where they belong: after one 302 they are answered in
    exactly the region that the rules name.
    """
    reports = run.calls(travelling_calls(follow_ups="in-order"))
    run.expect_answered(reports, "from abroad")
    expect_where_they_belong(run, reports)
    redirected = sum(report.hops > 0 for report in reports)
    found = f"{redirected} of {len(reports)}"
    run.expect("most are redirected", redirected > len(reports) / 2, found)
    run.notes["redirected calls"] = redirected


@scenario(load=Load.WAITS)
def disagreeing_rules(run: ScenarioRun) -> None:
    """A chain of disagreeing rules.

    A roll-out of rules is half done: every region's rules send all calls to the next
    one. The mark of the first hop ends the chain: a call that carries it stays.
    """
    world = run.world
    before = list(world.rules)
    codes = list(world.regions)
    following = dict(zip(codes, codes[1:] + codes[:1], strict=True))
    for code in codes:
        world.set_rules([{"regions": [following[code]]}], code)
    run.expect_all_healthy()
    try:
        reports = run.calls(home_calls())
    finally:
        world.set_rules(before)
    run.expect_answered(reports, "rules in a ring")
    run.expect(
        "each call makes one hop, to the next region, and stays there",
        all(
            report.path == [302, 202]
            and report.region == following[report.steps[0].region or ""]
            for report in reports
        ),
        sorted({str(report.path) for report in reports}),
    )
    suppressed = sum(
        "redirect-suppressed" in (event.line.get("notes") or ())
        for event in run.events(LogWritten)
    )
    run.expect(
        "the log notes each redirect that was suppressed",
        suppressed == len(reports),
        suppressed,
    )


SCENARIOS = (ordinary, legacy_first, wrong_region, disagreeing_rules)
