"""Regions fail, and DNS must find out: no call is lost from the 65th second on.

The platform announces each call once: whatever is saved owes nothing to repetition. The
fault comes just after a good probe, which is the worst moment. Calls come all the time,
so those that the fault costs before it is found are counted.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from tests.simulator.drill.scenario import Load, Scenario, mixed_calls
from tests.simulator.drill.stage import Stage
from tests.simulator.platform.calls import RetryPolicy

_CALLS_PER_SECOND = 2.5
_BEFORE_SECONDS = 4.0
_AFTER_SECONDS = 12.0
# A call that was placed just before a fault is one of those that it hits.
IN_FLIGHT_SECONDS = 1.5


class Detection(Scenario):
    """A fault under traffic, with nothing lost once it must be known."""

    load = Load.WAITS
    retries = RetryPolicy.none()
    struck: ClassVar[Sequence[str]] = ("sea",)
    comes_back: ClassVar[bool] = True

    @abstractmethod
    def strike(self, stage: Stage) -> None:
        """Inject the fault."""

    def meanwhile(self, stage: Stage, struck_at: float) -> None:
        """Do what belongs between the fault and its detection."""
        for code in self.struck:
            stage.wait_until_degraded(code, since=struck_at)

    def play(self, stage: Stage) -> None:
        """Before, the fault, detection, after; then the region comes back."""
        with stage.traffic(_CALLS_PER_SECOND, mixed_calls()):
            before_at = stage.phase("before")
            stage.let_pass(_BEFORE_SECONDS)
            stage.wait_for_good_probe(self.struck[0])
            struck_at = stage.phase("fault")
            self.strike(stage)
            self.meanwhile(stage, struck_at)
            known_at = struck_at + stage.detection_seconds
            stage.let_pass_until(known_at)
            stage.phase("detected")
            stage.let_pass(_AFTER_SECONDS)
            healed_at = stage.phase("healed")
            if self.comes_back:
                stage.world.heal_all()
                for code in self.struck:
                    stage.wait_until_online(code, since=healed_at)
        hit_from = struck_at - IN_FLIGHT_SECONDS
        stage.expect_none_lost("before the fault", since=before_at, until=hit_from)
        stage.note_lost("before detection", since=hit_from, until=known_at)
        bound = stage.detection_seconds
        stage.expect_none_lost(f"from {bound:.0f} s after the fault on", since=known_at)


class RegionDown(Detection):
    """A region dies."""

    name = "region-down"
    title = "A region is down before the call"
    explanation = (
        "The process of sea dies. Probes find out, DNS forgets it, peers stop sending "
        "calls there; from the 65th second on nobody notices. Then it comes back."
    )

    def strike(self, stage: Stage) -> None:
        """Kill it."""
        stage.inject("region-killed", "sea")


class RegionHanging(Detection):
    """A region accepts connections and answers nothing."""

    name = "region-hanging"
    title = "A region hangs"
    explanation = (
        "The process of sea stops in its tracks, with open sockets: every probe waits "
        "its full 5 s. This is the slowest fault to find."
    )

    def strike(self, stage: Stage) -> None:
        """Halt it."""
        stage.inject("region-hanging", "sea")


class RegionMisconfigured(Detection):
    """A region answers 503."""

    name = "region-misconfigured"
    title = "A region is deployed with broken settings"
    explanation = (
        "sea restarts with a setting out of range: calls and health get 503 until it "
        "is repaired."
    )

    def strike(self, stage: Stage) -> None:
        """Break its settings."""
        stage.inject("region-misconfigured", "sea")


class OneRegionLeft(Detection):
    """All regions but one die."""

    name = "one-region-left"
    title = "All regions are down but one"
    explanation = (
        "sea and eus2 die at once; weu takes every call of the world, whatever the "
        "rules prefer."
    )
    struck = ("sea", "eus2")

    def strike(self, stage: Stage) -> None:
        """Kill both."""
        for code in self.struck:
            stage.inject("region-killed", code)

    def play(self, stage: Stage) -> None:
        """As the others; and see who took the calls."""
        super().play(stage)
        second = next(p.seconds for p in stage.phases if p.name == "detected")
        until = next(p.seconds for p in stage.phases if p.name == "healed")
        regions = {
            call.region or "none" for call in stage.ended(since=second, until=until)
        }
        stage.expect("weu has taken all of them", regions == {"weu"}, sorted(regions))


class StaleDns(Detection):
    """DNS goes on to name a dead region."""

    name = "stale-dns"
    title = "DNS still points at the dead region"
    explanation = (
        "sea dies, and DNS is stuck: it goes on to name sea although probes know "
        "better, up to the last moment at which its answers can still expire in time."
    )

    def strike(self, stage: Stage) -> None:
        """Freeze DNS, then kill the region."""
        stage.inject("dns-frozen")
        stage.inject("region-killed", "sea")

    def meanwhile(self, stage: Stage, struck_at: float) -> None:
        """Let DNS go on when its last stale answer expires just in time."""
        super().meanwhile(stage, struck_at)
        profile = stage.world.options.profile
        thaws_at = profile.detection_seconds - profile.ttl_seconds
        stage.let_pass_until(struck_at + thaws_at)
        stage.world.heal("dns-frozen")
        stage.phase("DNS moves on")
