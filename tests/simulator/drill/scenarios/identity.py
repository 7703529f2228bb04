"""Signing keys, their provider, and clocks."""

from tests.simulator.drill.scenario import Load, Scenario, mixed_calls
from tests.simulator.drill.scenarios.detection import IN_FLIGHT_SECONDS
from tests.simulator.drill.stage import Stage
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.calls import Outcome, PlacedCall, RetryPolicy

# A region asks the provider for an unknown key this long after it asked last.
_KEY_COOLDOWN_SECONDS = 31.0


class KeyRotation(Scenario):
    """The platform signs with a new key from one call to the next."""

    name = "key-rotation"
    title = "Key rotation in mid-traffic"
    explanation = (
        "A new key is published and signs at once. Every region fetches it with the "
        "first call that needs it, and no call is refused."
    )
    load = Load.WAITS
    retries = RetryPolicy.none()

    def play(self, stage: Stage) -> None:
        """Rotate when the keys are older than the pause between two fetches."""
        with stage.traffic(3.0, mixed_calls()):
            stage.let_pass(_KEY_COOLDOWN_SECONDS)
            rotated_at = stage.phase("rotation")
            stage.inject("key-rotation")
            for code in stage.world.regions:
                stage.wait_for(
                    f"{code} fetches the new key",
                    lambda event, code=code: (  # type: ignore[misc]
                        isinstance(event, LogWritten)
                        and event.region == code
                        and event.line.get("event") == "keys.refreshed"
                    ),
                    seconds=20.0,
                    after=rotated_at,
                )
            stage.let_pass(3.0)
        stage.expect_none_lost("before and after")


class ProviderDown(Scenario):
    """The identity provider is down, and a region has to start without it."""

    name = "provider-down"
    title = "The key provider is down"
    explanation = (
        "Regions that hold keys go on. One that restarts meanwhile has none: its "
        "health is 503, DNS and peers avoid it, and its calls go elsewhere."
    )
    load = Load.WAITS
    retries = RetryPolicy.none()

    def play(self, stage: Stage) -> None:
        """Provider down; then a restart; then the provider comes back."""
        with stage.traffic(2.5, mixed_calls()):
            down_at = stage.phase("provider down")
            stage.inject("provider-down")
            stage.wait_for_good_probe("sea")
            struck_at = stage.phase("sea restarts")
            stage.inject("region-restart", "sea")
            stage.wait_until_degraded("sea", since=struck_at)
            known_at = struck_at + stage.detection_seconds
            stage.let_pass_until(known_at)
            stage.phase("detected")
            stage.let_pass(10.0)
            healed_at = stage.phase("healed")
            stage.world.heal("provider-down")
            stage.wait_until_online("sea", since=healed_at)
        hit_from = struck_at - IN_FLIGHT_SECONDS
        stage.expect_none_lost("while all hold keys", since=down_at, until=hit_from)
        stage.note_lost("before detection", since=hit_from, until=known_at)
        bound = stage.detection_seconds
        stage.expect_none_lost(
            f"from {bound:.0f} s after the restart on", since=known_at
        )


class ClockSkew(Scenario):
    """Clocks differ by four minutes."""

    name = "clock-skew"
    title = "Clock skew of 4 minutes"
    explanation = (
        "The platform's clock is four minutes ahead, then four minutes behind: its "
        "tokens are accepted, an expired one is not."
    )

    def play(self, stage: Stage) -> None:
        """Both ways."""
        for fault in ("clock-ahead", "clock-behind"):
            stage.phase(fault)
            stage.inject(fault)
            reports = stage.calls(mixed_calls())
            stage.world.heal(fault)
            stage.expect_answered(reports, fault)
        expired = stage.calls([PlacedCall(token_variant="expired")])[0]
        stage.expect(
            "an hour is too much",
            expired.outcome is Outcome.REFUSED,
            expired.path,
        )
