"""A region cannot answer: Graph, Entra or its managed identity is out of its reach.

Three calls are lost there; that is what it takes to notice. From then on the region
sends its calls to others, and its health is 503 until it may try again.
"""

from shared.core.answering_health import CALLS_IN_A_ROW
from tests.simulator.drill.oracle import lands_in
from tests.simulator.drill.scenario import Load, home_calls, mixed_calls, scenario
from tests.simulator.drill.scenario_run import GRACE_SECONDS, ScenarioRun
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.calls import CallReport, PlacedCall, RetryPolicy

_FAILING = "sea"
_EVACUATED_PATH = [302, 202]


@scenario(load=Load.WAITS, retries=RetryPolicy.none())
def entra_down(run: ScenarioRun) -> None:
    """Entra is down.

    Regions that hold a token for Graph go on. sea restarts meanwhile and has none: its
    health is good until three of its calls got 503 within their time. Then its calls
    are answered by another region, and DNS and the others avoid it. When Entra is back,
    it comes back within a minute and answers its calls again.
    """
    run.expect_answered(run.calls(mixed_calls()), "before")
    run.phase("Entra down")
    with run.fault("entra-down"):
        run.expect_answered(run.calls(mixed_calls()), "while tokens are held")
        _restart_without_token(run)
        noticed_at = _lose_three(run)
        _expect_evacuated(run)
        run.wait_for_peers(_FAILING, "unhealthy", since=noticed_at)
        run.wait_for_endpoint(_FAILING, "degraded", since=noticed_at)
        run.let_pass(run.world.options.profile.ttl_seconds + GRACE_SECONDS)
        run.phase("avoided")
        reports = run.calls(mixed_calls())
        run.expect_answered(reports, "while it is avoided")
        is_avoided = all(s.region != _FAILING for r in reports for s in r.steps)
        run.expect("none of these calls comes near it", is_avoided)
    healed_at = run.phase("healed")
    run.wait_for_endpoint(_FAILING, "online", since=healed_at)
    run.wait_for_peers(_FAILING, "healthy", since=healed_at)
    _expect_answered_at_home(run)


@scenario(retries=RetryPolicy.none())
def identity_down(run: ScenarioRun) -> None:
    """The managed identity gets no tokens.

    The endpoint that hands out tokens to the apps answers 503. sea restarts meanwhile:
    after three calls that got 503 within their time, its calls are answered by another
    region.
    """
    run.expect_answered(run.calls(mixed_calls()), "before")
    with run.fault("identity-down"):
        run.expect_answered(run.calls(mixed_calls()), "while tokens are held")
        _restart_without_token(run)
        _lose_three(run)
        _expect_evacuated(run)


@scenario(retries=RetryPolicy.none())
def region_without_graph(run: ScenarioRun) -> None:
    """One region cannot reach Graph.

    No request of sea reaches Graph, while the others answer: after three calls that got
    503 within their time, its calls are answered by another region. With its path back,
    it answers them itself.
    """
    with run.fault("region-without-graph", _FAILING):
        run.expect_all_healthy()
        _lose_three(run)
        _expect_evacuated(run)
    run.phase("healed")
    run.expect_all_healthy()
    _expect_answered_at_home(run)


def _restart_without_token(run: ScenarioRun) -> None:
    run.phase(f"{_FAILING} restarts")
    run.world.inject("region-restart", _FAILING)
    run.expect_all_healthy()


def _its_calls(run: ScenarioRun, *, is_policy_recording: bool) -> list[PlacedCall]:
    """Return calls that land in the region that fails, and would stay there."""
    calls = home_calls(is_policy_recording=is_policy_recording, caller_region="apac")
    return [call for call in calls if lands_in(run.world, call) == _FAILING]


def _lose_three(run: ScenarioRun) -> float:
    """Lose so many calls that the region notices; return when it must have."""
    calls = _its_calls(run, is_policy_recording=True)[:CALLS_IN_A_ROW]
    reports = run.calls(calls)
    run.expect_503_in_time(reports, "three calls get 503 before their time is up")
    return run.phase("noticed")


def _expect_evacuated(run: ScenarioRun) -> None:
    """Expect that another region takes each call that lands in the failing one."""
    ordinary = run.calls(_its_calls(run, is_policy_recording=False))
    recordings = run.calls(_its_calls(run, is_policy_recording=True))
    run.expect_answered(ordinary, "calls that land there")
    run.expect_rejected(recordings, "policy recordings that land there")
    reports = [*ordinary, *recordings]
    run.expect(
        "each makes one hop, to another region",
        all(r.path == _EVACUATED_PATH and r.region != _FAILING for r in reports),
        sorted({f"{r.path} {r.region}" for r in reports}),
    )
    told = _lines_about(run, reports, reason="evacuated")
    run.expect("the log tells each as evacuated", told == len(reports), told)


def _lines_about(run: ScenarioRun, reports: list[CallReport], *, reason: str) -> int:
    """Count the lines of the failing region about some calls."""
    ids = {report.call_id for report in reports}
    return sum(
        event.line.get("reason") == reason
        for event in run.events(LogWritten)
        if event.region == _FAILING and event.call_id in ids
    )


def _expect_answered_at_home(run: ScenarioRun) -> None:
    """Expect that the region answers its calls itself again."""
    reports = run.calls(_its_calls(run, is_policy_recording=False))
    run.expect_answered(reports, "its calls, when it is back")
    regions = {str(report.region) for report in reports}
    run.expect("it answers all of them", regions == {_FAILING}, sorted(regions))


SCENARIOS = (entra_down, identity_down, region_without_graph)
