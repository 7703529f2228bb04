"""Calls of the phone in real time: what is heard, told and remembered."""

from pathlib import Path

import pytest
import requests

from tests.simulator.environment.events import LogWritten
from tests.simulator.phone.phone import MEMORY, STORE, Phone
from tests.simulator.tests.phone.conftest import MakePhone
from tests.simulator.tests.phone.following import (
    ends,
    entries_of,
    hears,
    wait_for,
)

SALES = "0c8a1d2e-6f0b-4b5e-9f57-2d1c7a90e4b3"
OPERATOR = "550fae72-d251-43ec-868c-373732c2704f"
RECORDER = """
import os
import socket

from shared import calls
from shared.calls import Bot

bot = Bot(otherwise=calls.answer())
socket.getaddrinfo("localhost", 80)


@bot.incoming
def take(event, state):
    state["kind"] = event.source.kind


@bot.established
def record(event):
    beep = os.environ["BEEP"] == "yes"
    return calls.record_response(play_beep=beep, max_silence_timeout_in_seconds=1)


@bot.operation_completed("record")
async def keep(event, state):
    state["where"] = event.recording_location
    state["token"] = event.recording_access_token
    raise KeyError("whoever")
"""
WAV = b"RIFF" + b"\x00" * 60


def test_a_key_interrupts_the_prompt_and_the_target_takes_the_call(
    phone: Phone,
) -> None:
    call = phone.call("amsterdam")
    started = hears(phone, call, "main")
    assert started["length_seconds"] == phone.prompts.lengths()["main"]
    assert call.press("1")
    hears(phone, call, "orders")
    call.press("1")
    wait_for(phone, "phone-changed", call_id=call.call.call_id, asked_for="transfer")
    assert call.react("answers")

    end = ends(phone, call)

    assert (end["ended_by"], end["sent_to"]) == ("transfer", (SALES,))
    cut = [e for e in entries_of(phone, call) if e["kind"] == "prompt-ended"]
    assert [e["is_cut"] for e in cut] == [True, True]
    assert not call.press("1")
    assert not call.react("answers")


def test_whoever_says_nothing_is_asked_again_and_then_nobody_answers(
    phone: Phone,
) -> None:
    """A target who is left to ring for 20 s does not answer."""
    call = phone.call("singapore", kind="phone")
    hears(phone, call, "main-again")
    call.press("2")

    end = ends(phone, call)

    assert end["ended_by"] == "bot"
    reactions = [e for e in entries_of(phone, call) if e["kind"] == "person-reacted"]
    assert [(e["person"], e["reaction"]) for e in reactions] == [
        (OPERATOR, "does not answer")
    ]


def test_each_handler_is_told_with_its_place_state_and_actions(phone: Phone) -> None:
    """The message says in which POST the event came."""
    call = phone.call("amsterdam", kind="guest")
    hears(phone, call, "main")
    call.press("9")
    hears(phone, call, "main-again")
    call.hang_up()
    ends(phone, call)

    known = entries_of(phone, call)
    runs = [e for e in known if e["kind"] == "handler-ran"]
    tone = next(e for e in runs if e["bot_event"] == "tone")
    assert tone["state_before"] == {"at": "main", "failures": 0, "turn": 1}
    assert tone["state_after"]["failures"] == 1
    assert [a["name"] for a in tone["actions"]] == [
        "cancelMediaProcessing",
        "playPrompt",
    ]
    line = Path(tone["file"]).read_text().splitlines()[tone["line"] - 1]
    assert "@bot.tone" in line
    step = next(e for e in known if e["kind"] == "step-started" and e["what"] == "tone")
    assert step["headers"]["X-Microsoft-Skype-Message-ID"] == tone["message_id"]
    numbers = [e["step"] for e in known if e["kind"] == "step-started"]
    assert len(numbers) == len(set(numbers))


def test_a_caller_can_hang_up_before_anybody_answers(phone: Phone) -> None:
    call = phone.call("amsterdam")

    call.hang_up()

    assert ends(phone, call)["ended_by"] == "caller"


def test_a_rough_wire_repeats_events_and_the_bot_takes_each_once(
    phone: Phone,
) -> None:
    call = phone.call("amsterdam", is_rough=True)
    hears(phone, call, "main")
    call.press("1")
    hears(phone, call, "orders")
    call.hang_up()
    ends(phone, call)

    known = entries_of(phone, call)
    ran = [e["bot_event"] for e in known if e["kind"] == "handler-ran"]
    assert ran.count("established") == 1
    assert ran.count("tone") == 1
    numbers = [e["step"] for e in known if e["kind"] == "step-started"]
    assert len(numbers) == len(set(numbers)) > 8


def test_an_event_can_be_sent_again(phone: Phone) -> None:
    call = phone.call("amsterdam")
    hears(phone, call, "main")
    call.press("*")
    sent = wait_for(phone, "step-started", call_id=call.call.call_id, what="tone")

    call.send_again(
        sent["what"], sent["notification"], sent["url"], copies=2, after_seconds=0.01
    )
    found = phone.journal.wait_for(
        lambda event: (
            isinstance(event, LogWritten)
            and event.call_id == call.call.call_id
            and event.line["bot_event"] == "tone"
            and event.line["reason"] == "already-handled"
        ),
        timeout_seconds=20,
    )
    assert found is not None
    call.hang_up()
    ends(phone, call)

    runs = [e for e in entries_of(phone, call) if e["kind"] == "handler-ran"]
    assert [e["bot_event"] for e in runs].count("tone") == 1


def test_graph_refuses_what_the_switch_says(phone: Phone) -> None:
    phone.refuse("transfer", "403")
    try:
        call = phone.call("amsterdam")
        hears(phone, call, "main")
        call.press("2")
        hears(phone, call, "goodbye")
        assert ends(phone, call)["ended_by"] == "bot"
    finally:
        phone.refuse("transfer", None)

    runs = [e for e in entries_of(phone, call) if e["kind"] == "handler-ran"]
    assert "failed" in [e["bot_event"] for e in runs]
    assert phone.switches.refusals == {}


def test_a_saved_file_is_served_and_a_broken_one_is_told(
    phone: Phone, bot_file: Path
) -> None:
    """The call under way goes on, and loses its state unless the store keeps it."""
    text = bot_file.read_text()
    since = phone.journal.next_number
    bot_file.write_text(text.replace("def choose", "def choose(("))
    wait_for(phone, "bot-file-changed", state="broken")
    problem = phone.watch.last.problem
    assert problem is not None
    assert (problem["type"], problem["line"]) == ("SyntaxError", 35)
    call = phone.call("amsterdam")
    hears(phone, call, "main")
    assert phone.snapshot()["bot"]["state"] == "broken"

    bot_file.write_text(text.replace('"2": "operator", "*": "main"', '"2": "orders"'))

    wait_for(phone, "bot-file-changed", state="running")
    call.hang_up()
    call = phone.call("amsterdam")
    hears(phone, call, "main")
    call.press("2")
    hears(phone, call, "orders")
    call.hang_up()
    ends(phone, call)
    now = phone.journal.next_number
    bot_file.write_text(text)
    wait_for(phone, "bot-file-changed", since=now, state="running")
    states = [
        entry.to_json()["state"]
        for entry in phone.journal.entries(since)
        if entry.kind == "bot-file-changed"
    ]
    assert states[:3] == ["broken", "restarting", "running"]


@pytest.mark.parametrize("place", [STORE, MEMORY])
def test_the_store_keeps_states_over_a_restart_and_the_memory_does_not(
    phone: Phone, place: str
) -> None:
    phone.keep_state_in(place)
    call = phone.call("amsterdam")
    # A process that knows nothing of the call would take its copies for new.
    wait_for(phone, "step-ended", call_id=call.call.call_id, what="roster")

    phone.restart()
    call.press("1")

    ran = wait_for(phone, "handler-ran", call_id=call.call.call_id, function="choose")
    is_kept = ran["state_before"].get("at") == "main"
    assert is_kept == (place == STORE)
    call.hang_up()


def test_a_recording_holds_what_the_caller_said(
    make_phone: MakePhone, tmp_path: Path
) -> None:
    """An error of a handler is told with its message, which no log ever has.

    The bot reads a setting of its own, finds services on this machine, and wants no
    beep.
    """
    bot = tmp_path / "recorder.py"
    bot.write_text(RECORDER)
    phone = make_phone(bot, variables={"BEEP": "no", "CALLING_REGION": "mars"})
    call = phone.call("amsterdam", kind="guest")
    call_id = call.call.call_id
    assert not call.speak(1.0)
    began = wait_for(phone, "phone-changed", call_id=call_id, is_recording=True)

    assert not began["has_beeped"]
    assert call.speak(None)
    assert call.speak(0.0, WAV)

    ran = wait_for(phone, "handler-ran", call_id=call_id, function="keep")
    error = ran["error"]
    assert ran["state_before"] == {"kind": "guest"}
    assert (error["type"], error["message"]) == ("KeyError", "'whoever'")
    assert "raise KeyError" in RECORDER.splitlines()[error["line"] - 1]
    kept = ran["state_after"]
    reply = requests.get(
        kept["where"],
        headers={"Authorization": f"Bearer {kept['token']}"},
        verify=phone.ca_bundle,
        timeout=5,
    )
    assert reply.content == WAV
    call.hang_up()
    ends(phone, call)
