"""Regions fail and DNS must notice: from the 65th second on, no call is lost.

The platform announces each call once: no call is saved by being announced again. The
fault comes just after a good probe, which is the worst moment. Calls come all the time,
so the report also counts those that are lost before the fault is noticed.
"""

from functools import partial

from tests.simulator.drill.scenario import Load, Scenario, mixed_calls
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.platform.calls import RetryPolicy

type Fault = tuple[str, str | None]

_CALLS_PER_SECOND = 2.5
_BEFORE_SECONDS = 4.0
_AFTER_SECONDS = 12.0
# A call that was placed just before a fault is still on its way when it happens.
_IN_FLIGHT_SECONDS = 1.5


def _play(run: ScenarioRun, faults: tuple[Fault, ...]) -> None:
    """Inject the faults under traffic, wait until they are noticed, and heal them."""
    failed = [region for _, region in faults if region]
    with run.traffic(_CALLS_PER_SECOND, mixed_calls()):
        before_at = run.phase("before")
        run.let_pass(_BEFORE_SECONDS)
        run.wait_for_good_probe(failed[0])
        fault_at = run.phase("fault")
        for fault, region in faults:
            run.world.inject(fault, region)
        for code in failed:
            run.wait_for_endpoint(code, "degraded", since=fault_at)
        if ("dns-frozen", None) in faults:
            _thaw_dns(run, fault_at)
        known_at = wait_until_known(run, fault_at, then_seconds=_AFTER_SECONDS)
        healed_at = run.phase("healed")
        run.world.heal_all()
        for code in failed:
            run.wait_for_endpoint(code, "online", since=healed_at)
    expect_none_lost_once_known(run, before_at, fault_at, known_at)
    taken_by = {c.region or "none" for c in run.ended(since=known_at, until=healed_at)}
    is_taken = taken_by <= set(run.world.regions) - set(failed)
    run.expect("the other regions take all calls", is_taken, ", ".join(taken_by))


def _thaw_dns(run: ScenarioRun, fault_at: float) -> None:
    """Let DNS go on just in time for its last stale answer to expire."""
    profile = run.world.options.profile
    run.let_pass_until(fault_at + profile.detection_seconds - profile.ttl_seconds)
    run.world.heal("dns-frozen")
    run.phase("DNS moves on")


def wait_until_known(
    run: ScenarioRun, fault_at: float, *, then_seconds: float
) -> float:
    """Wait until a fault must be known, and a while longer; return when it must be."""
    known_at = fault_at + run.detection_seconds
    run.let_pass_until(known_at)
    run.phase("detected")
    run.let_pass(then_seconds)
    return known_at


def expect_none_lost_once_known(
    run: ScenarioRun, before_at: float, fault_at: float, known_at: float
) -> None:
    """Expect that calls are lost only between a fault and when it must be known."""
    hit_from = fault_at - _IN_FLIGHT_SECONDS
    run.expect_none_lost("before the fault", since=before_at, until=hit_from)
    run.note_lost("before detection", since=hit_from, until=known_at)
    bound = f"from {run.detection_seconds:.0f} s after the fault on"
    run.expect_none_lost(bound, since=known_at)


def _row(name: str, title: str, explanation: str, *faults: Fault) -> Scenario:
    return Scenario(
        name=name,
        title=title,
        explanation=explanation,
        play=partial(_play, faults=faults),
        load=Load.WAITS,
        retries=RetryPolicy.none(),
    )


# The last column is the faults, each with its region, or None for all.
SCENARIOS = (
    _row(
        "region-down",
        "A region is down before the call",
        "The process of sea dies. Probes notice, DNS stops naming it, and the other "
        "regions stop sending calls there; from the 65th second on no call is lost. "
        "Then it comes back.",
        ("region-killed", "sea"),
    ),
    _row(
        "region-hanging",
        "A region hangs",
        "The process of sea is suspended with open sockets: every probe waits its full "
        "5 s. This is the fault that takes longest to notice.",
        ("region-hanging", "sea"),
    ),
    _row(
        "region-misconfigured",
        "A region is deployed with broken settings",
        "sea restarts with a setting out of range: calls and health checks get 503 "
        "until it is repaired.",
        ("region-misconfigured", "sea"),
    ),
    _row(
        "one-region-left",
        "All regions are down but one",
        "sea and eus2 die at once; weu takes every call of the world, whatever the "
        "rules prefer.",
        ("region-killed", "sea"),
        ("region-killed", "eus2"),
    ),
    _row(
        "stale-dns",
        "DNS still points at the dead region",
        "DNS freezes and sea dies: DNS still names sea although probes know better, "
        "until the last moment at which its answers can expire in time.",
        ("dns-frozen", None),
        ("region-killed", "sea"),
    ),
)
