"""docs/behaviour.md section 8: handlers of ``failed``."""

import threading
from typing import Any

import pytest

from shared.calls import (
    Action,
    Bot,
    Failed,
    Terminated,
    Tone,
    hang_up,
    mute,
    play_prompt,
    transfer,
    unmute,
    user,
)
from tests.support.bot_calls import PlaceCall, by_path, fail_at, waits_for
from tests.support.clock import at_most
from tests.support.servers import hang_up as break_off
from tests.support.servers import json_reply, status
from tests.support.service import ScriptedNeighbours

SORRY = play_prompt("https://cdn.example/sorry.wav")
SALES = user("550fae72-d251-43ec-868c-373732c2704f")
REFUSED = {"error": {"code": "7504", "message": "no permission"}}


def bot_that_transfers(found: list[Failed], *then: Action) -> Bot:
    """Return a bot whose transfer may fail; then it does something else."""
    bot = Bot()
    bot.tone(lambda _event: transfer(SALES, client_context="sales"))

    @bot.failed
    def failed(event: Failed) -> list[Action]:
        found.append(event)
        return list(then)

    return bot


def test_a_refused_action_is_told_to_the_handler_of_failed(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    """Its actions are carried out; the line's reason stays the first."""
    refuse = {"transfer": lambda *_: json_reply(REFUSED, 403)}
    neighbours.graph.script = by_path(refuse, status(200))
    found: list[Failed] = []
    call = place_call(bot_that_transfers(found, SORRY))
    assert call.post(call.tone()).status == 202

    assert call.asked == ["POST /transfer", "POST /playPrompt"]
    [event] = found
    assert (event.reason, event.during, event.action) == (
        "action-refused",
        "tone",
        "transfer",
    )
    assert (event.client_context, event.status, event.graph_code) == (
        "sales",
        403,
        "7504",
    )
    assert event.call.id == call.call.call_id
    assert event.raw["resourceData"]["toneInfo"]
    assert (call.line["reason"], call.line["bot_event"]) == ("action-refused", "tone")
    assert [each["name"] for each in call.line["actions"]] == ["transfer", "playPrompt"]


def test_a_lost_action_is_told_as_unavailable(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    neighbours.graph.script = by_path({"transfer": break_off}, status(200))
    found: list[Failed] = []
    call = place_call(bot_that_transfers(found, SORRY))
    call.post(call.tone())
    assert [(each.reason, each.status) for each in found] == [
        ("action-unavailable", None)
    ]
    assert call.asked == ["POST /transfer", "POST /playPrompt"]


def test_it_is_called_three_times_at_most(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    """``during`` stays the first event's name."""
    neighbours.graph.script = status(403)
    found: list[Failed] = []
    call = place_call(bot_that_transfers(found, mute()))
    call.post(call.tone())

    assert call.asked == ["POST /transfer", *["POST /mute"] * 3]
    assert [each.action for each in found] == ["transfer", "mute", "mute"]
    assert {each.during for each in found} == {"tone"}
    assert call.line["reason"] == "action-refused"


def test_a_handler_that_fails_is_told_too_and_ends_there_if_that_fails_as_well(
    place_call: PlaceCall,
) -> None:
    bot, found = Bot(), []

    @bot.tone
    def fail(_event: Tone, state: dict[str, Any]) -> None:
        state["lost"] = True
        raise ValueError

    @bot.failed
    def failed(event: Failed, state: dict[str, Any]) -> None:
        found.append((event.reason, event.action, dict(state)))
        raise ValueError

    call = place_call(bot)
    call.post(call.tone())
    assert found == [("bot-failed", None, {})]
    assert call.line["function"] == "fail"


def test_a_handler_of_failed_that_fails_is_in_the_line(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    """Else nobody would learn that what should mend a failure fails itself."""
    neighbours.graph.script = status(403)
    bot = Bot()
    bot.tone(lambda _event: mute())
    bot.failed(fail_at)
    call = place_call(bot)
    call.post(call.tone())
    assert (call.line["reason"], call.line["notes"]) == (
        "action-refused",
        ["bot-failed"],
    )
    assert (call.line["type"], call.line["function"]) == ("ValueError", "fail_at")


def test_it_may_change_the_state(place_call: PlaceCall) -> None:
    bot, found = Bot(), []
    bot.tone("1")(fail_at)

    @bot.failed
    def failed(_event: Failed, state: dict[str, Any]) -> None:
        state["failures"] = state.get("failures", 0) + 1

    bot.tone(lambda _event, state: found.append(dict(state)))
    call = place_call(bot)
    call.post(call.tone("tone1", 1))
    call.post(call.tone("tone1", 2))
    call.post(call.tone("tone2", 3))
    assert found == [{"failures": 2}]


def test_only_the_handler_of_that_action_is_called(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    neighbours.graph.script = by_path({"DELETE": status(403)}, status(200))
    bot = Bot()
    bot.tone(lambda _event: hang_up())
    bot.failed("transfer")(lambda _event: mute())
    bot.failed("delete")(lambda _event: unmute())
    call = place_call(bot)
    call.post(call.tone())
    assert call.asked == ["DELETE ", "POST /unmute"]


@pytest.mark.parametrize(("code", "reason"), [(404, "call-over"), (200, "handled")])
def test_it_is_not_called_for_other_ends(
    place_call: PlaceCall, neighbours: ScriptedNeighbours, code: int, reason: str
) -> None:
    neighbours.graph.script = status(code)
    found: list[Failed] = []
    call = place_call(bot_that_transfers(found, mute()))
    call.post(call.tone())
    assert (found, call.reasons) == ([], [reason])


def test_it_is_not_called_for_incoming_calls_and_participants_who_join(
    place_call: PlaceCall,
) -> None:
    found: list[Failed] = []
    bot = Bot()
    bot.incoming(fail_at)
    bot.participant_joining(fail_at)
    bot.failed(found.append)
    call = place_call(bot)
    call.post(call.incoming())
    call.post(body=call.joining())
    assert found == []
    assert call.reasons == ["bot-failed"] * 2


def test_it_comes_before_the_next_event_and_also_after_the_end(
    place_call: PlaceCall,
) -> None:
    bot, order = Bot(), []

    @bot.terminated
    def end(_event: Terminated) -> None:
        order.append("terminated")
        raise ValueError

    @bot.failed
    def failed(_event: Failed) -> None:
        order.append("failed")

    bot.operation_completed(lambda _event: order.append("operation"))
    call = place_call(bot)
    call.post(call.terminated(), call.operation())
    assert order == ["terminated", "failed", "operation"]


def test_it_has_three_seconds_more(place_call: PlaceCall) -> None:
    """The event's handler used up its ten seconds."""
    bot, release = Bot(), threading.Event()
    bot.tone(waits_for(release))
    bot.failed(lambda _event: mute())
    call = place_call(bot)
    with at_most(6):
        call.post(call.tone(), seconds_ago=8)
    release.set()
    assert (call.asked, call.reasons) == (["POST /mute"], ["bot-failed"])


def test_thirteen_seconds_after_arrival_nothing_is_called_any_more(
    place_call: PlaceCall,
) -> None:
    bot = Bot()
    found: list[Failed] = []
    bot.tone(fail_at)
    bot.failed(found.append)
    call = place_call(bot)
    call.post(call.tone(), seconds_ago=12.1)
    assert (found, call.reasons) == ([], ["bot-failed"])


def test_a_defect_of_ours_does_not_have_a_follow_up_sent_again(
    place_call: PlaceCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its prompts might play twice."""
    call = place_call(bot_that_transfers([]))
    follow_ups = call.service._calls.dispatcher._follow_ups  # type: ignore[attr-defined]
    monkeypatch.setattr(follow_ups, "_turns", None)
    assert call.post(call.tone()).status == 202
    assert (call.line["reason"], call.line["type"]) == (
        "unexpected-error",
        "AttributeError",
    )
    assert call.records[-1].levelname == "ERROR"
