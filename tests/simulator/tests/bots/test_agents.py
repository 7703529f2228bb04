"""The example bot with agents, path by path."""

import pytest

from shared.calls import (
    Action,
    Call,
    Established,
    Event,
    Failed,
    OperationCompleted,
    Terminated,
    TransferFailed,
    hang_up,
    play_prompt,
    record_response,
    transfer,
)
from tests.simulator.bots import agents
from tests.simulator.bots.agents import AGENTS, WAV, bot
from tests.support.servers import ScriptedServer
from tests.support.told import Told

BUSY = TransferFailed(result_code=500, result_subcode=7000)
REFUSED = Failed(action="transfer", reason="action-refused")
MESSAGE = record_response(
    WAV.format("leave-a-message"), max_record_duration_in_seconds=120
)


def hold(agent: int) -> Action:
    return play_prompt(WAV.format("please-hold"), client_context=str(agent))


def held(agent: int) -> OperationCompleted:
    return OperationCompleted(type="playPrompt", client_context=str(agent))


@pytest.fixture
def call() -> Told:
    found = Told(bot)
    assert found.tell(*[Established()] * 3) == [hold(0)]
    return found


@pytest.mark.parametrize("failure", [BUSY, REFUSED])
def test_agents_are_called_in_turn_and_then_a_message_is_taken(
    call: Told, failure: Event
) -> None:
    for agent, person in enumerate(AGENTS):
        assert call.tell(held(agent)) == [transfer(person)]
        [following] = call.tell(failure)
        assert following == (hold(agent + 1) if agent < 2 else MESSAGE)


def test_a_failure_that_is_told_twice_skips_nobody(call: Told) -> None:
    """It has no identity by which the product would know it."""
    call.tell(held(0), BUSY)

    assert call.tell(BUSY, BUSY) == []
    assert call.tell(held(1)) == [transfer(AGENTS[1])]


def test_a_message_is_taken_once(call: Told) -> None:
    call.tell(*(event for agent in range(3) for event in (held(agent), BUSY)))

    assert call.tell(BUSY) == []


@pytest.mark.parametrize("event", [held(1), BUSY])
def test_a_lost_state_ends_the_attempts(call: Told, event: Event) -> None:
    call.tell(held(0), BUSY)
    call.state = {}

    assert call.tell(event) == [MESSAGE]


def test_a_state_older_than_the_prompt_ends_the_attempts(call: Told) -> None:
    assert call.tell(held(1)) == [MESSAGE]


def test_the_message_of_a_caller_who_just_hangs_up_is_not_lost(
    call: Told, service: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "INBOX", f"http://{service.host}/messages")
    message = OperationCompleted(
        call=Call(id="c1"),
        type="record",
        recording_location="https://file.location/message",
        recording_access_token="token",
    )

    assert call.tell(Terminated(), message) == [hang_up()]

    [request] = service.requests
    assert request.headers["idempotency-key"] == "c1/message"


def test_a_caller_who_says_nothing_leaves_nothing(call: Told) -> None:
    assert call.tell(OperationCompleted(type="record")) == [hang_up()]


@pytest.mark.parametrize("action", ["playPrompt", "recordResponse", None])
def test_whatever_else_fails_ends_the_call(call: Told, action: str | None) -> None:
    assert call.tell(Failed(action=action)) == [hang_up()]
