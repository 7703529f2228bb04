"""Signing keys, their provider, and clocks."""

from tests.simulator.drill.scenario import Load, mixed_calls, scenario
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.drill.scenarios.detection import (
    expect_none_lost_once_known,
    wait_until_known,
)
from tests.simulator.platform.calls import Outcome, RetryPolicy

# A region asks the provider for an unknown key only this long after it last asked.
_KEY_COOLDOWN_SECONDS = 31.0


@scenario(load=Load.WAITS, retries=RetryPolicy.none())
def key_rotation(run: ScenarioRun) -> None:
    """Key rotation in mid-traffic.

    A new key is published and signs at once. Every region fetches it with the first
    call that needs it, and no call is refused.
    """
    with run.traffic(3.0, mixed_calls()):
        run.let_pass(_KEY_COOLDOWN_SECONDS)
        rotated_at = run.phase("rotation")
        run.world.inject("key-rotation")
        for code in run.world.regions:
            run.wait_for_new_keys(code, since=rotated_at)
        run.let_pass(3.0)
    run.expect_none_lost("before and after")


@scenario(load=Load.WAITS, retries=RetryPolicy.none())
def provider_down(run: ScenarioRun) -> None:
    """The key provider is down.

    Regions that hold keys go on. One that restarts meanwhile has none: its health is
    503, DNS and the other regions avoid it, and its calls go elsewhere.
    """
    with run.traffic(2.5, mixed_calls()):
        down_at = run.phase("provider down")
        with run.fault("provider-down"):
            run.let_pass(2.0)  # so that calls are placed before the restart
            run.wait_for_good_probe("sea")
            restart_at = run.phase("sea restarts")
            run.world.inject("region-restart", "sea")
            run.wait_for_endpoint("sea", "degraded", since=restart_at)
            known_at = wait_until_known(run, restart_at, then_seconds=10.0)
            healed_at = run.phase("healed")
        run.wait_for_endpoint("sea", "online", since=healed_at)
    expect_none_lost_once_known(run, down_at, restart_at, known_at)


@scenario()
def clock_skew(run: ScenarioRun) -> None:
    """Clock skew of 4 minutes.

    The platform's clock is four minutes ahead, then four minutes behind: its tokens are
    accepted. A token that expired long ago is not.
    """
    for fault in ("clock-ahead", "clock-behind"):
        run.phase(fault)
        with run.fault(fault):
            reports = run.calls(mixed_calls())
        run.expect_answered(reports, fault)
    expired = run.call(token_variant="expired")
    is_refused = expired.outcome is Outcome.REFUSED
    run.expect("an expired token is refused", is_refused, expired.path)


SCENARIOS = (key_rotation, provider_down, clock_skew)
