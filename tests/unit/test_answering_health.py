"""docs/behaviour.md section 1: whether this process can answer calls."""

import asyncio
import json
import logging

import pytest
from starlette.responses import JSONResponse, Response

from shared.core.answering_health import Answering, AnsweringHealth
from shared.service import UsableService
from tests.support.answering import AnsweringHarness, make_call
from tests.support.clock import FakeClock
from tests.support.servers import hang_up, in_turn, status
from tests.support.service import ScriptedNeighbours, receive


@pytest.fixture
def health(clock: FakeClock) -> AnsweringHealth:
    """What is known at the start of a process."""
    return AnsweringHealth(clock)


def fail(health: AnsweringHealth, times: int = 3) -> None:
    """Let calls end for a reason of this region."""
    for _ in range(times):
        health.note_failure()


def test_at_first_nothing_is_known(health: AnsweringHealth) -> None:
    assert health.current() == "unknown"


def test_three_failures_in_a_row_are_needed(health: AnsweringHealth) -> None:
    fail(health, 2)
    assert health.current() == "unknown"
    health.note_success()
    fail(health, 2)
    assert health.current() == "ok"
    fail(health, 1)
    assert health.current() == "failing"


def test_a_success_ends_it_at_once(health: AnsweringHealth) -> None:
    fail(health)
    health.note_success()
    assert health.current() == "ok"
    fail(health, 2)
    assert health.current() == "ok"


def test_it_ends_sixty_seconds_after_the_last_failure(
    health: AnsweringHealth, clock: FakeClock
) -> None:
    fail(health)
    clock.now += 59
    assert health.current() == "failing"
    fail(health, 1)
    clock.now += 59
    assert health.current() == "failing"
    clock.now += 1
    assert health.current() == "unknown"


def test_one_failure_of_a_trial_is_enough_and_the_pause_doubles(
    health: AnsweringHealth, clock: FakeClock
) -> None:
    """120, 240, then 480 seconds."""
    fail(health)
    clock.now += 60
    for seconds in (120, 240, 480, 480):
        fail(health, 1)
        clock.now += seconds - 1
        assert health.current() == "failing"
        clock.now += 1
        assert health.current() == "unknown"


def test_after_a_success_the_pauses_begin_anew(
    health: AnsweringHealth, clock: FakeClock
) -> None:
    fail(health)
    clock.now += 60
    fail(health, 1)
    health.note_success()
    fail(health)
    clock.now += 60
    assert health.current() == "unknown"


def after(harness: AnsweringHarness, calls: int = 3) -> Answering:
    """Let calls come one after the other, with little time left."""
    for _ in range(calls):
        harness.answer(make_call(), left=0.4)
    return harness.health.current()


@pytest.mark.parametrize("code", [200, 202])
def test_a_call_that_graph_took_is_a_success(
    harness: AnsweringHarness, code: int
) -> None:
    harness.graph.script = status(code)
    assert after(harness, 1) == "ok"
    call = make_call(is_policy_recording=True)
    harness.answer(call)
    assert harness.health.current() == "ok"


@pytest.mark.parametrize(
    ("script", "found"),
    [
        pytest.param(status(500), "failing", id="500"),
        pytest.param(status(503), "failing", id="503"),
        pytest.param(hang_up, "failing", id="no reply"),
        pytest.param(status(429), "unknown", id="429"),
        pytest.param(status(302), "unknown", id="302"),
        pytest.param(status(403), "unknown", id="refused"),
        pytest.param(status(404), "unknown", id="over"),
    ],
)
def test_only_what_is_of_this_region_counts(
    harness: AnsweringHarness, script: object, found: str
) -> None:
    harness.graph.script = script  # type: ignore[assignment]
    assert after(harness) == found


def test_a_graph_that_is_not_reached_counts(harness: AnsweringHarness) -> None:
    harness.graph.__exit__(None, None, None)
    assert after(harness) == "failing"


def test_what_is_neutral_does_not_end_the_row(harness: AnsweringHarness) -> None:
    harness.graph.script = status(503)
    after(harness, 2)
    harness.graph.script = status(403)
    after(harness, 1)
    harness.graph.script = status(503)
    assert after(harness, 1) == "failing"


def test_want_of_places_does_not_count(harness: AnsweringHarness) -> None:
    """The batch is too large, not the region ill."""
    harness.graph.script = in_turn(status(503))
    harness.control._places._total = 0
    assert after(harness) == "unknown"


ENTRA = {
    "500": (lambda: Response(status_code=500), "failing"),
    "429": (lambda: Response(status_code=429), "unknown"),
    "AADSTS700212": (
        lambda: JSONResponse({"error_description": "AADSTS700212: later"}, 400),
        "failing",
    ),
    "AADSTS7000222": (
        lambda: JSONResponse({"error_description": "AADSTS7000222: expired"}, 401),
        "failing",
    ),
    "AADSTS65001": (
        lambda: JSONResponse({"error_description": "AADSTS65001: consent"}, 400),
        "unknown",
    ),
    "AADSTS50034": (
        lambda: JSONResponse({"error_description": "AADSTS50034: other"}, 400),
        "unknown",
    ),
}


@pytest.mark.parametrize("fault", ENTRA)
def test_of_what_entra_says_only_what_is_of_this_region_counts(
    service: UsableService, neighbours: ScriptedNeighbours, fault: str
) -> None:
    reply, found = ENTRA[fault]
    neighbours.entra.fault = reply
    for _ in range(3):
        receive(service, neighbours.incoming(), seconds_ago=11.4)
    assert service._calls.health.current() == found


def test_health_is_503_while_it_fails(
    service: UsableService, neighbours: ScriptedNeighbours
) -> None:
    """From the end of the third call on, though it was healthy a moment ago."""
    assert asyncio.run(service.health({})).status == 200
    neighbours.graph.script = status(503)
    for _ in range(3):
        receive(service, neighbours.incoming(), seconds_ago=11.8)
    health = asyncio.run(service.health({}))

    assert health.status == 503
    assert health.body is not None
    report = json.loads(health.body)
    assert (report["status"], report["answering"]) == ("unavailable", "failing")
    assert report["problems"] == []


def test_a_failing_process_and_its_recovery_are_logged_once_each(
    service: UsableService,
    neighbours: ScriptedNeighbours,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "calling")
    for code in (*[503] * 4, 202, 202):
        neighbours.graph.script = status(code)
        receive(service, neighbours.incoming(), seconds_ago=11.8)
    asyncio.run(service.health({}))
    lines = [json.loads(record.message) for record in caplog.records]
    events = [line["event"] for line in lines if line["event"].startswith("answering.")]
    assert events == ["answering.failing", "answering.ok"]
