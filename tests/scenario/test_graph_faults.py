"""Graph and Entra fail: what is retried, what is final, and in what time."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from starlette.responses import JSONResponse, Response

from tests.scenario.calls import answers_of, call, fault, rejects_of, ring
from tests.simulator.deployments import Deployments, Plan
from tests.simulator.platform.notifications import batch
from tests.simulator.services.graph_api import Fault


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 302, 307])
def test_a_passing_fault_of_graph_is_retried(app: Deployments, status: int) -> None:
    """Also a redirect, which is never followed."""
    placed = call()
    app.graph.faults.append(fault(status, Location="https://127.0.0.1:1/evil"))

    assert app.post(ring(app, placed)).status == 202
    assert len(answers_of(app, placed)) == 2
    assert app.graph.other_paths == []


@pytest.mark.parametrize("status", [400, 403, 404, 405, 408, 409, 410, 422])
def test_a_refusal_of_graph_is_202_and_not_repeated(
    app: Deployments, status: int
) -> None:
    """A second request could not help; Graph's code is in the log."""
    placed = call()
    app.graph.faults.append(fault(status, "8522"))

    assert app.post(ring(app, placed)).status == 202
    assert len(answers_of(app, placed)) == 1
    lines = app.log_lines("weu")
    assert any(placed.call_id in line and '"8522"' in line for line in lines)


def test_a_401_of_graph_leads_to_a_new_token_once(app: Deployments) -> None:
    """A second 401 is a refusal like any other."""
    placed, hopeless = call(), call()
    app.graph.faults.append(fault(401))
    assert app.post(ring(app, placed)).status == 202
    used = [a.authorization for a in app.graph.answers if a.call_id == placed.call_id]
    assert len(set(used)) == 2

    app.graph.faults.extend([fault(401), fault(401)])
    assert app.post(ring(app, hopeless)).status == 202
    assert len(answers_of(app, hopeless)) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_reject_that_graph_refuses_is_202_and_not_repeated(
    app: Deployments, status: int
) -> None:
    """The log says beside Graph's code that nobody records."""
    placed = call(is_policy_recording=True)
    app.graph.faults.append(fault(status, "8522"))

    assert app.post(ring(app, placed)).status == 202
    assert len(rejects_of(app, placed)) == 1
    (line,) = [line for line in app.log_lines("weu") if placed.call_id in line]
    assert '"notes":["recording-unhandled"]' in line
    assert '"graph_code":"8522"' in line


def test_a_lost_reply_followed_by_a_refusal_counts_as_answered(
    app: Deployments,
) -> None:
    """The first attempt has probably taken effect."""
    placed = call()
    app.graph.faults.extend([Fault(loses_reply=True), fault(409)])

    assert app.post(ring(app, placed)).status == 202
    lines = app.log_lines("weu")
    assert any(placed.call_id in line and "answer-presumed" in line for line in lines)
    assert app.post(ring(app, placed)).status == 202
    assert len(answers_of(app, placed)) == 2


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_obeyed(app: Deployments, as_date: bool) -> None:
    placed = call()
    value = "1"
    if as_date:
        value = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    app.graph.faults.append(fault(429, **{"Retry-After": value}))
    started_at = time.monotonic()

    assert app.post(ring(app, placed)).status == 202
    assert time.monotonic() - started_at >= 0.9


def test_a_retry_after_beyond_the_budget_is_503_at_once(app: Deployments) -> None:
    """Waiting could not help."""
    placed = call()
    app.graph.faults.append(fault(429, **{"Retry-After": "120"}))
    started_at = time.monotonic()

    reply = app.post(ring(app, placed))

    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert len(answers_of(app, placed)) == 1
    assert time.monotonic() - started_at < 3


def test_a_hanging_graph_is_503_within_the_recording_budget(app: Deployments) -> None:
    """The budget is 4 s from the arrival of the POST."""
    placed = call(is_policy_recording=True)
    app.graph.faults.extend([Fault(delay_seconds=8)] * 5)
    started_at = time.monotonic()

    reply = app.post(ring(app, placed))

    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert time.monotonic() - started_at < 5


def test_one_hanging_attempt_leaves_time_for_another(app: Deployments) -> None:
    """This holds even within the 4 s of a policy recording."""
    placed = call(is_policy_recording=True)
    app.graph.faults.append(Fault(delay_seconds=6))

    assert app.post(ring(app, placed)).status == 202
    assert app.graph.calls[placed.call_id].rejected_for == "none"


def test_a_slow_graph_is_waited_for(app: Deployments) -> None:
    """Two seconds are within the budget of policy recording."""
    placed = call(is_policy_recording=True)
    app.graph.faults.append(Fault(delay_seconds=2.0))

    assert app.post(ring(app, placed)).status == 202
    assert len(rejects_of(app, placed)) == 1


def test_a_batch_is_503_if_any_answer_is(app: Deployments) -> None:
    """The others are answered, and not again when the batch is sent again."""
    first, second = call(), call()
    items = [ring(app, placed)["value"][0] for placed in (first, second)]
    app.graph.faults.append(fault(429, **{"Retry-After": "120"}))

    assert app.post(batch(*items)).status == 503
    assert app.post(batch(*items)).status == 202
    asked = answers_of(app, first) + answers_of(app, second)
    assert len(asked) == 3


@pytest.mark.parametrize("body", [{}, {"error": "x"}, {"error": {"code": 7}}, [], "x"])
def test_an_error_of_graph_without_a_code_is_no_error_of_ours(
    app: Deployments, body: object
) -> None:
    placed = call()
    app.graph.faults.append(Fault(reply=lambda: JSONResponse(body, 403)))

    assert app.post(ring(app, placed)).status == 202


def test_entra_down_is_503_and_then_recovers() -> None:
    """Without a credential the answer is retried within the budget."""
    with Deployments(Plan(regions=("weu",))) as app:
        app.entra.fault = lambda: Response(status_code=500)
        placed = call(is_policy_recording=True)
        started_at = time.monotonic()
        reply = app.post(ring(app, placed))
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        assert time.monotonic() - started_at < 5
        assert rejects_of(app, placed) == []

        failing = threading.Timer(1.0, lambda: setattr(app.entra, "fault", None))
        failing.start()
        assert app.post(ring(app, placed)).status == 202
        assert len(rejects_of(app, placed)) == 1
        failing.join()
