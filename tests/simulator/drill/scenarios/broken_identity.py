"""Regions that take calls and cannot answer them: they get no tokens for Graph."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from starlette.responses import Response

from shared.core.answering_health import CALLS_IN_A_ROW, FIRST_SECONDS
from tests.simulator.drill.scenario import Load, home_calls, mixed_calls, scenario
from tests.simulator.drill.scenario_run import GRACE_SECONDS, ScenarioRun
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import CallReport, PlacedCall, RetryPolicy
from tests.simulator.services.entra import ManagedIdentityEndpoint

_ONCE = RetryPolicy.none()
_HEALTHY_SECONDS = 60.0


@scenario(load=Load.WAITS, retries=_ONCE)
def region_cannot_answer(run: ScenarioRun) -> None:
    """The identity endpoint of a region is broken.

    The region gets no token, and the calls that are under way until the third has ended
    are lost. From then on it redirects each call, and all are answered elsewhere. DNS
    leads calls there all the time. When the endpoint works again the region answers
    its first call after the running pause.
    """
    with _broken_identity(run, ["weu"]) as identity, run.fault("dns-frozen"):
        run.phase("broken")
        first = run.calls(_near_weu()[:CALLS_IN_A_ROW])
        run.expect_503_in_time(first, "the first calls get 503 in time")
        failing_at = run.phase("failing")
        reports = run.calls(_near_weu() * 4, over_seconds=10.0)
        run.expect_answered(reports, "calls that land there while it is failing")
        _expect_redirected(run, reports)
        identity.fault = None
        run.phase("cured")
        run.let_pass_until(failing_at + FIRST_SECONDS + GRACE_SECONDS)
        run.phase("after the pause")
        trial = run.call("amsterdam", follow_ups="none")
        run.expect_answered([trial], "the first call after the pause")
        after = [trial, *run.calls(_near_weu())]
        run.expect_answered(after, "afterwards")
        regions = sorted({str(report.region) for report in after})
        run.expect("it answers its calls itself again", regions == ["weu"], regions)


@scenario(load=Load.WAITS, retries=_ONCE)
def everybody_cannot_answer(run: ScenarioRun) -> None:
    """The identity endpoints of all regions are broken.

    Each call gets 503 in time, after one redirect at most: no region sends calls to one
    that fails, too. As soon as the endpoints work again every call is answered, though
    the pauses still run.
    """
    with _broken_identity(run, list(run.world.regions)) as identity:
        run.phase("broken")
        lost = run.calls(mixed_calls())
        run.phase("all fail")
        lost += run.calls(mixed_calls())
        run.expect_503_in_time(lost, "each call gets 503 in time")
        identity.fault = None
        run.phase("cured")
        reports = run.calls(mixed_calls(), over_seconds=10.0)
        run.expect_answered(reports, "calls from the cure on")
        hops = max(report.hops for report in (*lost, *reports))
        run.expect("no call is redirected twice", hops <= 1, f"{hops} hops at most")


@contextmanager
def _broken_identity(
    run: ScenarioRun, codes: Sequence[str]
) -> Iterator[ManagedIdentityEndpoint]:
    """Restart regions with an identity endpoint that hands out nothing."""
    world = run.world
    neighbours = world.neighbours
    endpoint = ManagedIdentityEndpoint(neighbours.registration, neighbours.entra)
    endpoint.fault = _broken
    with endpoint, ThreadPoolExecutor(len(codes)) as lanes:
        settings = {
            "IDENTITY_ENDPOINT": endpoint.endpoint,
            "IDENTITY_HEADER": endpoint.header,
        }
        list(lanes.map(lambda code: world.override(code, settings), codes))
        missing = world.wait_until_healthy(_HEALTHY_SECONDS)
        run.expect("nothing is found out before a call comes", not missing, missing)
        yield endpoint


def _broken() -> Response:
    return Response(status_code=500)


def _near_weu() -> list[PlacedCall]:
    """Return calls that DNS and the rules leave in weu."""
    nearby = {"amsterdam", "frankfurt", "paris", "london", "dublin"}
    assert nearby <= set(CALLERS)
    return [call for call in home_calls() if call.caller in nearby]


def _expect_redirected(run: ScenarioRun, reports: Sequence[CallReport]) -> None:
    """Expect that each was evacuated, and that the log says so."""
    paths = sorted({str(report.path) for report in reports})
    run.expect("each is redirected once", paths == ["[302, 202]"], paths)
    told = sum(
        event.region == "weu" and event.line.get("reason") == "evacuated"
        for event in run.events(LogWritten)
    )
    run.expect("the log tells each", told == len(reports), told)


SCENARIOS = (region_cannot_answer, everybody_cannot_answer)
