"""Calls find their way: ordinary, legacy first, wrong region, rules that disagree."""

from collections.abc import Sequence

from tests.simulator.drill.oracle import belongs_to
from tests.simulator.drill.scenario import (
    Load,
    Scenario,
    home_calls,
    mixed_calls,
    travelling_calls,
)
from tests.simulator.drill.stage import Stage
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.calls import CallReport
from tests.simulator.platform.stories import STORIES

_FOLLOW_UPS = [202] * 5


def expect_where_they_belong(stage: Stage, reports: Sequence[CallReport]) -> None:
    """Expect that each call is answered where rules say, in one hop at the most."""
    wrong = []
    for report in reports:
        lands_in = report.steps[0].region or ""
        region = belongs_to(stage.world, report.placed, lands_in=lands_in)
        hops = int(region != lands_in)
        if (report.region, report.hops) != (region, hops):
            wrong.append(f"{report.placed.caller}: {report.path} in {report.region}")
    stage.expect(
        "every call is answered where the rules say, with no hop too many",
        not wrong,
        "; ".join(wrong) or f"{len(reports)} calls",
    )
    stage.expect(
        "no redirect leads through the global host",
        all(
            step.location is None or stage.world.global_host not in step.location
            for report in reports
            for step in report.steps
        ),
    )


class Ordinary(Scenario):
    """Nothing is wrong."""

    name = "ordinary"
    title = "Ordinary calls"
    explanation = (
        "Everybody calls from home: DNS leads to the nearest region. Whoever answers "
        "takes the follow-ups."
    )

    def play(self, stage: Stage) -> None:
        """The stories, then one call of everybody."""
        for story in STORIES:
            if story.region is not None:
                found = story.differences(stage.calls([story.call])[0])
                stage.expect(story.title, not found, "; ".join(found))
        reports = stage.calls(home_calls(follow_ups="in-order"))
        stage.expect_answered(reports, "from home")
        expect_where_they_belong(stage, reports)
        stage.expect(
            "every follow-up is taken by the region that answered",
            all(
                (step.status, step.region) == (202, report.region)
                for report in reports
                for step in report.steps[1:]
            ),
        )


class LegacyFirst(Scenario):
    """The platform asks in which protocol to speak."""

    name = "legacy-first"
    title = "Legacy first"
    explanation = (
        "The legacy form gets 204; the same call comes again in Graph form and is "
        "answered or redirected."
    )

    def play(self, stage: Stage) -> None:
        """One call of everybody, at home and abroad."""
        calls = mixed_calls(starts_legacy=True)
        reports = stage.calls(calls)
        stage.expect_answered(reports, "legacy first")
        stage.expect(
            "each starts with 204",
            all(report.path[0] == 204 for report in reports),
        )
        expect_where_they_belong(stage, reports)


class WrongRegion(Scenario):
    """DNS leads to one region, the rules to another."""

    name = "wrong-region"
    title = "Wrong region"
    explanation = (
        "Calls are hosted far from where they belong: one 302, then they are answered "
        "in exactly the region that the rules name."
    )

    def play(self, stage: Stage) -> None:
        """Calls of travellers."""
        reports = stage.calls(travelling_calls(follow_ups="in-order"))
        stage.expect_answered(reports, "from abroad")
        expect_where_they_belong(stage, reports)
        redirected = [report for report in reports if report.hops]
        found = f"{len(redirected)} of {len(reports)}"
        stage.expect("most are redirected", len(redirected) > len(reports) / 2, found)
        stage.notes["redirected calls"] = len(redirected)


class DisagreeingRules(Scenario):
    """A roll-out of rules is half done: each region sends everything on."""

    load = Load.WAITS
    name = "disagreeing-rules"
    title = "A chain of disagreeing rules"
    explanation = (
        "Every region thinks that the next one should have all calls. The mark of the "
        "first hop ends the chain: whoever gets a marked call keeps it."
    )

    def play(self, stage: Stage) -> None:
        """Rules in a ring, then one call of everybody."""
        world = stage.world
        before = list(world.rules)
        codes = list(world.regions)
        following = dict(zip(codes, codes[1:] + codes[:1], strict=True))
        for code in codes:
            world.set_rules([{"regions": [following[code]]}], code)
        stage.expect_well()
        try:
            reports = stage.calls(home_calls())
        finally:
            world.set_rules(before)
        stage.expect_answered(reports, "rules in a ring")
        stage.expect(
            "each call makes one hop, to the next region, and stays there",
            all(
                report.path == [302, 202]
                and report.region == following[report.steps[0].region or ""]
                for report in reports
            ),
            sorted({str(report.path) for report in reports}),
        )
        suppressed = sum(
            isinstance(entry.event, LogWritten)
            and "redirect-suppressed" in (entry.event.line.get("notes") or ())
            for entry in stage.entries
        )
        stage.expect(
            "the log tells of each redirect that was suppressed",
            suppressed == len(reports),
            suppressed,
        )
