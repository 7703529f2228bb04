"""The example bot with a PIN, path by path."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.calls import (
    Action,
    Call,
    Established,
    Failed,
    Incoming,
    OperationCompleted,
    Person,
    Tone,
    TransferFailed,
    cancel_media_processing,
    hang_up,
    play_prompt,
    subscribe_to_tone,
    transfer,
    user,
)
from tests.simulator.bots import pin
from tests.simulator.bots.pin import GOODBYE, OPERATOR, WAV, bot
from tests.support.servers import (
    ScriptedServer,
    json_reply,
    reply,
    status,
)
from tests.support.servers import (
    hang_up as hang_up_on,
)
from tests.support.told import Told

ADVISER = "0c8a1d2e-6f0b-4b5e-9f57-2d1c7a90e4b3"
STOP = cancel_media_processing()
CALL = Call(id="c1")


def asked(wav: str, turn: int) -> Action:
    wavs = WAV.format(wav), WAV.format("silence-5s")
    return play_prompt(*wavs, client_context=str(turn))


def silence(turn: int) -> Action:
    return play_prompt(WAV.format("silence-5s"), client_context=str(turn))


def ended(context: object, *, is_cancelled: bool = False) -> OperationCompleted:
    return OperationCompleted(
        type="playPrompt", client_context=str(context), is_cancelled=is_cancelled
    )


def keys(pressed: str, first: int = 1) -> list[Tone]:
    return [
        Tone(call=CALL, key=key, sequence_id=number)
        for number, key in enumerate(pressed, first)
    ]


@pytest.fixture
def pins(service: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    monkeypatch.setattr(pin, "SERVICE", f"http://{service.host}/check")
    service.script = lambda *_: json_reply({"adviser": ADVISER})
    return service


@pytest.fixture
def call(pins: ScriptedServer) -> Told:
    """A call in which the welcome plays."""
    found = Told(bot)
    assert found.tell(Incoming(source=Person(kind="user", id="caller"))) == []
    started = found.tell(*[Established()] * 3)
    assert started == [subscribe_to_tone(), asked("welcome", 1)]
    return found


def test_the_right_pin_leads_to_the_callers_adviser(
    call: Told, pins: ScriptedServer
) -> None:
    first, *_, last = keys("4711")
    assert call.tell(first) == [STOP, silence(2)]
    call.tell(*keys("71", first=2))

    assert call.tell(last) == [STOP, transfer(user(ADVISER))]
    [request] = pins.requests
    assert request.json() == {"caller": "caller", "pin": "4711"}
    assert request.headers["idempotency-key"] == "c1/try-0"


def test_keys_that_come_out_of_order_or_twice_make_the_same_pin(
    call: Told, pins: ScriptedServer
) -> None:
    one, two, three, four = keys("4711")
    call.tell(two, two, one, four, four, three)

    [request] = pins.requests
    assert request.json()["pin"] == "4711"


def test_keys_without_an_order_count_as_they_come(
    call: Told, pins: ScriptedServer
) -> None:
    call.tell(*(Tone(key=key) for key in "4711"))

    assert pins.requests[0].json()["pin"] == "4711"


def test_each_wrong_pin_is_a_try_with_a_key_of_its_own(
    call: Told, pins: ScriptedServer
) -> None:
    pins.script = status(403)

    [_, second] = call.tell(*keys("1111"))[-2:]
    assert second == asked("wrong", 6)
    call.tell(*keys("2222", first=5))
    assert call.tell(*keys("3333", first=9))[-2:] == [STOP, GOODBYE]

    assert [r.headers["idempotency-key"] for r in pins.requests] == [
        f"c1/try-{number}" for number in range(3)
    ]
    assert call.tell(*keys("4711", first=13)) == []
    assert call.tell(ended("bye")) == [hang_up()]


def test_silence_counts_as_a_try(call: Told) -> None:
    assert call.tell(ended(1)) == [asked("again", 2)]
    assert call.tell(ended(2)) == [asked("again", 3)]
    assert call.tell(ended(3)) == [GOODBYE]


def test_a_silence_that_a_key_interrupted_counts_for_nothing(call: Told) -> None:
    call.tell(*keys("4"))

    assert call.tell(ended(1), ended(1, is_cancelled=True)) == []
    assert call.state["tries"] == 0


def test_keys_that_are_no_digits_change_nothing(call: Told) -> None:
    assert call.tell(*keys("*#A"), Tone()) == []


@pytest.mark.parametrize(
    "script",
    [
        status(500),
        lambda *_: reply(200, b"no JSON"),
        lambda *_: json_reply(["a list"]),
        lambda *_: json_reply({}),
        lambda *_: json_reply({"adviser": None}),
        hang_up_on,
    ],
)
def test_a_service_that_fails_leads_to_a_person(
    call: Told, pins: ScriptedServer, script: Any
) -> None:
    pins.script = script

    assert call.tell(*keys("4711"))[-2:] == [STOP, transfer(OPERATOR)]
    assert "4711" not in str(call.state)


def test_a_service_that_is_not_there_leads_to_a_person(
    call: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closed_server() as host:
        monkeypatch.setattr(pin, "SERVICE", f"http://{host}/check")
        assert call.tell(*keys("4711"))[-1] == transfer(OPERATOR)


@contextmanager
def closed_server() -> Iterator[str]:
    with ScriptedServer(status(200), None) as server:
        host = server.host
    yield host


def test_the_pin_is_forgotten_when_it_was_looked_up(call: Told) -> None:
    call.tell(*keys("4711"))

    assert call.state["keys"] is None
    assert call.tell(*keys("4711", first=5), ended(4)) == []


def test_a_caller_who_is_not_known_is_asked_by_a_person(
    call: Told, pins: ScriptedServer
) -> None:
    """The state of ``incoming`` is lost, or another program made the call."""
    del call.state["caller"]

    assert call.tell(*keys("4711"))[-1] == transfer(OPERATOR)
    assert pins.requests == []


def test_with_a_lost_state_keys_do_nothing_and_silence_is_the_last_try(
    call: Told,
) -> None:
    call.state = {}

    assert call.tell(*keys("4711")) == []
    assert call.tell(ended(1)) == [GOODBYE]


@pytest.mark.parametrize("failure", [TransferFailed(), Failed(action="transfer")])
def test_a_failed_transfer_ends_with_a_goodbye(
    call: Told, failure: TransferFailed | Failed
) -> None:
    call.tell(*keys("4711"))

    assert call.tell(failure) == [GOODBYE]
    assert call.tell(ended("bye", is_cancelled=True)) == []
    assert call.tell(ended("bye")) == [hang_up()]


def test_whatever_else_fails_ends_the_call(call: Told) -> None:
    assert call.tell(Failed(reason="bot-failed")) == [hang_up()]


def test_only_the_handler_that_waits_has_a_thread() -> None:
    """On the event loop it would make every call wait."""
    found = {
        event.name: handler.is_async
        for event in (Incoming(), Established(), Tone(), ended(1), Failed())
        if (handler := bot.handler_for(event))
    }

    assert [name for name, is_async in found.items() if not is_async] == ["tone"]
