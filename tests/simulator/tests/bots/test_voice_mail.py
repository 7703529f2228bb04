"""The example bot with voice mail, path by path."""

from datetime import datetime

import pytest
import requests

from shared.calls import (
    Call,
    Established,
    Failed,
    Incoming,
    OperationCompleted,
    Terminated,
    answer,
    hang_up,
    record_response,
    redirect,
)
from tests.simulator.bots import voice_mail
from tests.simulator.bots.voice_mail import GREETING, QUEUE, bot, is_open
from tests.support.servers import ScriptedServer, status
from tests.support.told import Told

RECORDED = OperationCompleted(
    call=Call(id="c1"),
    type="record",
    status="completed",
    recording_location="https://file.location/message",
    recording_access_token="token",
)


@pytest.fixture(autouse=True)
def inbox(service: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    monkeypatch.setattr(voice_mail, "INBOX", f"http://{service.host}/messages")
    return service


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-25 09:00", True),
        ("2026-11-25 16:59", True),
        ("2026-11-25 08:59", False),
        ("2026-11-25 17:00", False),
        ("2026-11-28 12:00", False),
    ],
)
def test_the_office_is_open_on_weekdays_from_nine_to_five(
    now: str, expected: bool
) -> None:
    assert is_open(datetime.fromisoformat(now)) is expected


@pytest.mark.parametrize(
    ("hours", "action"), [(True, redirect(QUEUE)), (False, answer(prefetch=[GREETING]))]
)
def test_the_queue_gets_a_call_in_office_hours_and_the_bot_any_other(
    monkeypatch: pytest.MonkeyPatch, hours: bool, action: object
) -> None:
    monkeypatch.setattr(voice_mail, "is_open", lambda _now: hours)

    assert bot.react(Incoming()) == [action]


def test_a_message_is_recorded_once_and_handed_on(inbox: ScriptedServer) -> None:
    call = Told(bot)

    assert call.tell(*[Established()] * 3) == [
        record_response(GREETING, max_record_duration_in_seconds=120)
    ]
    assert call.tell(RECORDED) == [hang_up()]

    [request] = inbox.requests
    assert request.headers["idempotency-key"] == "c1/message"
    assert request.json() == {"url": "https://file.location/message", "token": "token"}


def test_the_message_of_a_caller_who_just_hangs_up_is_not_lost(
    inbox: ScriptedServer,
) -> None:
    """It comes after the end; Graph says then that the call to hang up is over."""
    Told(bot).tell(Established(), Terminated(), RECORDED)

    assert len(inbox.requests) == 1


def test_a_caller_who_says_nothing_leaves_nothing(inbox: ScriptedServer) -> None:
    silent = OperationCompleted(type="record", status="failed")

    assert bot.react(silent) == [hang_up()]
    assert inbox.requests == []


def test_a_lost_message_is_an_error_and_nobody_waits_in_silence(
    inbox: ScriptedServer,
) -> None:
    """The product logs ``bot-failed``, and calls the handler of that."""
    inbox.script = status(500)

    with pytest.raises(requests.HTTPError):
        bot.react(RECORDED)

    assert bot.react(Failed(reason="bot-failed")) == [hang_up()]
