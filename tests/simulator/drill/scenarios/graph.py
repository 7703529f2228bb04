"""Graph is slow, throttles, forgets, is down, falls silent; Entra refuses a tenant."""

from tests.simulator.drill.scenario import Load, home_calls, mixed_calls, scenario
from tests.simulator.drill.scenario_run import GRACE_SECONDS, ScenarioRun
from tests.simulator.environment.events import LogWritten
from tests.simulator.environment.fault_switch import GRAPH_SLOW_SECONDS
from tests.simulator.platform.calls import Outcome

_OUTAGE_SECONDS = 5.5
_HEAD_START_SECONDS = 1.0
# Each is nearest to another region.
_NEAR_EACH_REGION = ("singapore", "new-york", "amsterdam")
# A connection that was idle for longer is not used again.
_MAX_IDLE_SECONDS = 60.0
# What a handshake may cost on a busy machine, and a lost path never costs.
_QUICK_SECONDS = 2.0
_REFUSED_TENANT = "2f6d0a1c-94b7-4e35-8c1d-5a7e3b9f0d42"
_REMEMBERED_SECONDS = 30.0


@scenario()
def graph_slow(run: ScenarioRun) -> None:
    """Graph is slow.

    Graph takes two seconds for each request: calls are answered two seconds later, and
    policy recordings are rejected two seconds later, within their 5 s.
    """
    with run.fault("graph-slow"):
        ordinary = run.calls(mixed_calls())
        recordings = run.calls(mixed_calls(is_policy_recording=True))
    run.expect_answered(ordinary, "ordinary calls")
    run.expect_rejected(recordings, "policy recordings")
    fastest = min(r.answer_seconds for r in (*ordinary, *recordings))
    is_slow = fastest >= GRAPH_SLOW_SECONDS
    run.expect("it really was slow", is_slow, f"{fastest:.2f} s")


@scenario()
def graph_throttling(run: ScenarioRun) -> None:
    """Graph throttles.

    Two of three requests get 429 with Retry-After: 1. Each call waits as long as Graph
    says and is answered, and Graph is not asked sooner than it said.
    """
    graph = run.world.neighbours.graph
    before = len(graph.answers)
    with run.fault("graph-throttling"):
        # One call after another, so that each gets the same replies.
        reports = [run.call(key, follow_ups="none") for key in ("paris", "tokyo")]
    run.expect_answered(reports, "throttled calls")
    statuses = [answer.status for answer in graph.answers[before:]]
    is_expected = statuses == [429, 429, 202] * 2
    run.expect("each needed three requests", is_expected, statuses)
    shortest = min(report.answer_seconds for report in reports)
    run.expect("each waited a second twice", shortest >= 2.0, f"{shortest:.2f} s")


@scenario()
def graph_not_found(run: ScenarioRun) -> None:
    """Graph 404: the call is over.

    Graph knows none of the calls. The expected outcome: 202, one request to Graph for
    each call, no repetition; the calls are over, nothing can save them.
    """
    graph = run.world.neighbours.graph
    before = len(graph.answers)
    with run.fault("graph-not-found"):
        reports = run.calls(mixed_calls())
    asked = len(graph.answers) - before
    run.expect(
        "each gets 202 and is not answered",
        all(
            r.path[-1] == 202 and r.outcome is Outcome.LOST and r.attempts == 1
            for r in reports
        ),
        sorted({f"{r.path} {r.outcome}" for r in reports}),
    )
    run.expect("Graph is asked once for each", asked == len(reports), asked)
    run.expect_answered(run.calls(mixed_calls()), "afterwards")


@scenario()
def graph_down(run: ScenarioRun) -> None:
    """Graph is down for five seconds.

    Graph answers 503 for five seconds. The expected outcome: ordinary calls that come
    meanwhile are answered within their 15 s; policy recordings get 503 within their
    5 s.
    """
    place = run.world.place_call
    with run.fault("graph-failing"):
        recordings = [place(call) for call in mixed_calls(is_policy_recording=True)]
        # They have little time: the others must not take it from them.
        run.let_pass(_HEAD_START_SECONDS)
        ordinary = [place(call) for call in mixed_calls()]
        run.let_pass(_OUTAGE_SECONDS - _HEAD_START_SECONDS)
    late = [future.result(60) for future in recordings]
    run.expect_503_in_time(late, "recordings get 503 before their time is up")
    reports = [future.result(60) for future in ordinary]
    run.expect_answered(reports, "ordinary calls")


@scenario(load=Load.WAITS)
def idle_path_gone(run: ScenarioRun) -> None:
    """The paths of idle connections are gone.

    A NAT forgets the connections to Graph and tells nobody. A call that uses one within
    the minute waits long, and is answered by the next attempt. The first calls after a
    minute of silence use none of them: they lose no time, policy recordings included.
    """
    for key in _NEAR_EACH_REGION:
        run.call(key, follow_ups="none")
    run.phase("paths gone")
    run.world.inject("graph-path-gone")
    *_others, near_weu = _NEAR_EACH_REGION
    unlucky = run.call(near_weu, follow_ups="none")
    run.expect_answered([unlucky], "on a path that is gone")
    is_gone = unlucky.answer_seconds > _QUICK_SECONDS
    run.expect("it really was gone", is_gone, f"{unlucky.answer_seconds:.1f} s")
    run.world.inject("graph-path-gone")
    run.phase("silence")
    run.let_pass(_MAX_IDLE_SECONDS + GRACE_SECONDS)
    run.phase("first calls")
    reports = run.calls(home_calls())
    run.expect_answered(reports, "after a minute")
    recordings = run.calls(home_calls(is_policy_recording=True))
    run.expect_rejected(recordings, "policy recordings after a minute")
    slowest = max(r.answer_seconds for r in (*reports, *recordings))
    is_quick = slowest < _QUICK_SECONDS
    run.expect("none waits for a path that is gone", is_quick, f"{slowest:.2f} s")


@scenario(load=Load.WAITS)
def tenant_without_consent(run: ScenarioRun) -> None:
    """Entra refuses one tenant.

    The administrator of a tenant has not consented to the bot (AADSTS65001). Its calls
    end at once with 202, since repeating cannot help, and no region asks Entra about
    it again for half a minute. The calls of others among them are answered. Half a
    minute after the consent its own calls are, too.
    """
    entra = run.world.neighbours.entra
    entra.without_consent.add(_REFUSED_TENANT)
    pairs = zip(mixed_calls(), mixed_calls(tenant_id=_REFUSED_TENANT), strict=True)
    reports = run.calls([call for pair in pairs for call in pair], over_seconds=5.0)
    others, refused = reports[::2], reports[1::2]
    run.expect_answered(others, "calls of other tenants")
    run.expect(
        "each of its calls gets 202, is announced once, and is not answered",
        all(
            r.path[-1] == 202 and r.attempts == 1 and r.outcome is Outcome.LOST
            for r in refused
        ),
        sorted({f"{r.path} {r.outcome}" for r in refused}),
    )
    slowest = max(report.answer_seconds for report in refused)
    run.expect("at once", slowest < _QUICK_SECONDS, f"{slowest:.2f} s")
    asked = entra.requests.count(f"/{_REFUSED_TENANT}/oauth2/v2.0/token")
    is_once = 0 < asked <= len(run.world.regions)
    run.expect("each region asks Entra once", is_once, asked)
    run.phase("consent")
    entra.without_consent.clear()
    run.let_pass(_REMEMBERED_SECONDS + GRACE_SECONDS)
    told = [
        event.line
        for event in run.events(LogWritten)
        if event.line.get("event") == "notification.handled"
        and event.line.get("reason") == "credential-refused"
    ]
    codes = {line.get("entra_code") for line in told}
    is_told = len(told) == len(refused) and codes == {"AADSTS65001"}
    run.expect("the log tells each, with Entra's code", is_told, f"{len(told)} {codes}")
    late = run.calls(mixed_calls(tenant_id=_REFUSED_TENANT))
    run.expect_answered(late, "its calls, half a minute after the consent")


SCENARIOS = (
    graph_slow,
    graph_throttling,
    graph_not_found,
    graph_down,
    idle_path_gone,
    tenant_without_consent,
)
