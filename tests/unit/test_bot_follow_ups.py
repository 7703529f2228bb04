"""docs/behaviour.md section 8: events after the answer, and their actions."""

import asyncio
import threading
from typing import Any

import pytest
from starlette.responses import Response

from shared.calls import (
    Action,
    Bot,
    Event,
    ParticipantJoining,
    Tone,
    accept_join,
    answer,
    cancel_media_processing,
    hang_up,
    keep_alive,
    mute,
    play_prompt,
    subscribe_to_tone,
    transfer,
    user,
)
from tests.support.bot_calls import PlaceCall, by_path, fail_at, waits_for
from tests.support.clock import at_most
from tests.support.servers import hang_up as break_off
from tests.support.servers import in_turn, json_reply, status
from tests.support.service import ScriptedNeighbours

MENU = "https://cdn.example/menu.wav"
SALES = user("550fae72-d251-43ec-868c-373732c2704f")
REFUSED = {"error": {"code": "7504", "message": "no permission"}}


def bot_with_menu(*actions: Action) -> Bot:
    """Return a bot that does this once the call is up."""
    bot = Bot()
    bot.established(lambda _event: list(actions))
    return bot


def test_actions_are_carried_out_in_order(place_call: PlaceCall) -> None:
    call = place_call(
        bot_with_menu(
            subscribe_to_tone(), play_prompt(MENU, client_context="menu"), hang_up()
        )
    )
    assert call.post(call.established()).status == 202

    assert call.asked == ["POST /subscribeToTone", "POST /playPrompt", "DELETE "]
    assert call.requests[1].json()["clientContext"] == "menu"
    assert call.line["reason"] == "handled"
    assert call.line["bot_event"] == "established"
    assert [each["name"] for each in call.line["actions"]] == [
        "subscribeToTone",
        "playPrompt",
        "delete",
    ]


def test_what_no_handler_takes_is_accepted(place_call: PlaceCall) -> None:
    call = place_call(bot_with_menu(hang_up()))
    assert call.post(call.tone()).status == 202
    assert (call.asked, call.reasons) == ([], ["follow-up"])
    assert call.line["bot_event"] == "tone"


def test_a_handler_that_asks_for_nothing_has_handled_it(place_call: PlaceCall) -> None:
    call = place_call(bot_with_menu())
    call.post(call.established())
    assert (call.asked, call.reasons) == ([], ["handled"])


def test_the_event_says_which_call_it_is(place_call: PlaceCall) -> None:
    bot = Bot()
    found: list[Tone] = []
    bot.tone(found.append)
    call = place_call(bot, CALLING_PARTITIONS='["p0", "p1"]')
    call.post(call.tone("pound", 7), partition="p1")
    call.post(call.tone("pound", 8), partition=None)

    assert [(each.key, each.sequence_id) for each in found] == [("#", 7), ("#", 8)]
    assert found[0].call.id == call.call.call_id
    assert found[0].call.tenant_id == call.call.tenant_id
    assert found[0].call.partition == "p1"
    assert found[1].call.partition in {"p0", "p1"}


def test_the_first_action_that_fails_stops_the_rest(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    refuse = {"subscribeToTone": lambda *_: json_reply(REFUSED, 403)}
    neighbours.graph.script = by_path(refuse, status(200))
    call = place_call(bot_with_menu(mute(), subscribe_to_tone(), hang_up()))

    assert call.post(call.established()).status == 202
    assert call.asked == ["POST /mute", "POST /subscribeToTone"]
    assert call.line["reason"] == "action-refused"
    assert call.line["actions"] == [
        {"name": "mute", "status": 200, "attempts": 1},
        {
            "name": "subscribeToTone",
            "status": 403,
            "attempts": 1,
            "graph_code": "7504",
        },
    ]


@pytest.mark.parametrize(
    ("code", "reason", "asked"),
    [
        (404, "call-over", ["POST /mute"]),
        (400, "action-refused", ["POST /mute"]),
        (409, "action-refused", ["POST /mute"]),
        (401, "action-refused", ["POST /mute", "POST /mute"]),
    ],
)
def test_what_graph_refuses_is_not_repeated(
    place_call: PlaceCall,
    neighbours: ScriptedNeighbours,
    code: int,
    reason: str,
    asked: list[str],
) -> None:
    """A refused token is replaced once."""
    neighbours.graph.script = status(code)
    call = place_call(bot_with_menu(mute(), hang_up()))
    call.post(call.established())
    assert (call.asked, call.reasons) == (asked, [reason])


@pytest.mark.parametrize("code", [400, 403, 409])
def test_there_may_be_nothing_to_cancel(
    place_call: PlaceCall, neighbours: ScriptedNeighbours, code: int
) -> None:
    """A refused cancel counts as done, and the rest goes on."""
    neighbours.graph.script = by_path(
        {"cancelMediaProcessing": status(code)}, status(200)
    )
    call = place_call(bot_with_menu(cancel_media_processing(), hang_up()))
    call.post(call.established())
    assert call.asked == ["POST /cancelMediaProcessing", "DELETE "]
    assert call.reasons == ["handled"]


REPEATABLE = [hang_up(), keep_alive(), subscribe_to_tone(), mute()]
HEARD = [play_prompt(MENU), transfer(SALES)]
PASSING = {"503": status(503), "302": status(302), "lost": break_off}


@pytest.mark.parametrize("action", REPEATABLE, ids=lambda action: action.name)
@pytest.mark.parametrize("fault", PASSING)
def test_what_nobody_hears_is_repeated(
    place_call: PlaceCall, neighbours: ScriptedNeighbours, action: Action, fault: str
) -> None:
    neighbours.graph.script = in_turn(PASSING[fault], status(200))
    call = place_call(bot_with_menu(action))
    call.post(call.established())
    assert (len(call.asked), call.reasons) == (2, ["handled"])


@pytest.mark.parametrize("action", HEARD, ids=lambda action: action.name)
@pytest.mark.parametrize("fault", PASSING)
def test_what_would_be_heard_twice_is_not_repeated(
    place_call: PlaceCall, neighbours: ScriptedNeighbours, action: Action, fault: str
) -> None:
    """It may have taken effect."""
    neighbours.graph.script = in_turn(PASSING[fault], status(200))
    call = place_call(bot_with_menu(action))
    assert call.post(call.established()).status == 202
    assert (len(call.asked), call.reasons) == (1, ["action-unavailable"])


@pytest.mark.parametrize("action", HEARD, ids=lambda action: action.name)
def test_what_was_throttled_is_repeated_whatever_it_is(
    place_call: PlaceCall, neighbours: ScriptedNeighbours, action: Action
) -> None:
    neighbours.graph.script = in_turn(status(429, Retry_After="1"), status(200))
    call = place_call(bot_with_menu(action))
    call.post(call.established())
    first, second = call.requests
    assert second.received_at - first.received_at > 0.9
    assert call.reasons == ["handled"]


def test_without_a_token_nothing_is_asked(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    neighbours.entra.fault = lambda: Response(status_code=503)
    call = place_call(bot_with_menu(play_prompt(MENU)))
    assert call.post(call.established(), seconds_ago=8).status == 202
    assert (call.asked, call.reasons) == ([], ["credential-unavailable"])


def test_ten_seconds_after_arrival_it_ends(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    neighbours.graph.script = status(503)
    call = place_call(bot_with_menu(mute()))
    with at_most(4.5):
        call.post(call.established(), seconds_ago=8.5)
    assert call.reasons == ["action-unavailable"]


def test_a_late_event_is_not_claimed_so_that_a_repeat_is_handled(
    place_call: PlaceCall,
) -> None:
    """Nothing was left for its handler."""
    call = place_call(bot_with_menu(mute()))
    call.post(call.established(), seconds_ago=9.1)
    assert (call.asked, call.line["type"]) == ([], "TimeoutError")
    call.post(call.established())
    assert call.reasons == ["bot-failed", "handled"]


@pytest.mark.parametrize(
    "returned", [ValueError("secret"), SystemExit(), "x", answer(), [hang_up(), None]]
)
def test_a_handler_that_fails_asks_for_nothing(
    place_call: PlaceCall, returned: Any
) -> None:
    bot = Bot()

    @bot.tone
    async def fail(_event: Tone, state: dict[str, Any]) -> Any:
        state["kept"] = True
        if isinstance(returned, BaseException):
            raise returned
        return returned

    found: list[dict[str, Any]] = []
    bot.established(lambda _event, state: found.append(dict(state)))
    call = place_call(bot)
    assert call.post(call.tone()).status == 202

    assert (call.asked, call.reasons) == ([], ["bot-failed"])
    assert call.line["function"] == "fail"
    assert "secret" not in str(call.line)
    call.post(call.established())
    assert found == [{}]


@pytest.mark.parametrize("left", [{"a": {1}}, {1: 2}, {"a": "x" * 17_000}])
def test_a_state_that_is_no_json_fails_and_is_not_kept(
    place_call: PlaceCall, left: Any
) -> None:
    bot, found = Bot(), []

    @bot.tone
    def spoil(_event: Tone, state: dict[str, Any]) -> Action:
        found.append(dict(state))
        state.update(left)
        return mute()

    call = place_call(bot)
    call.post(call.tone())
    call.post(call.tone(sequence_id=2))
    assert (call.asked, call.reasons) == ([], ["bot-failed"] * 2)
    assert found == [{}, {}]
    assert call.line["detail"].startswith("state: ")


def test_a_handler_has_five_seconds(place_call: PlaceCall) -> None:
    bot, release = Bot(), threading.Event()
    bot.tone(waits_for(release))
    call = place_call(bot)
    with at_most(15):
        call.post(call.tone())
    release.set()
    assert call.line["type"] == "TimeoutError"
    assert call.line["duration_ms"] >= 5000


def test_a_coroutine_that_ignores_its_end_is_left_alone(place_call: PlaceCall) -> None:
    """It may not keep the reply."""
    bot = Bot()

    @bot.tone
    async def stubborn(_event: Tone) -> None:
        while True:
            try:
                await asyncio.sleep(0.5)
            except asyncio.CancelledError:
                break
        await asyncio.sleep(0.5)

    call = place_call(bot)
    with at_most(3):
        call.post(call.tone(), seconds_ago=8.5)
    assert call.reasons == ["bot-failed"]


def test_without_answering_no_handler_gets_an_event(place_call: PlaceCall) -> None:
    bot = bot_with_menu(hang_up())
    bot.participant_joining(lambda _event: accept_join())
    call = place_call(bot, CALLING_ANSWER="false")
    call.post(call.established())
    call.post(body=call.joining())
    assert (call.asked, call.reasons) == ([], ["follow-up", "participant-joining"])


def test_an_incoming_call_on_the_callback_route_is_an_event_like_any_other(
    place_call: PlaceCall,
) -> None:
    bot = Bot()
    found: list[Event] = []
    bot.incoming(fail_at)
    call = place_call(bot)
    body = {"value": [call.incoming()]}
    call.post(body=body)
    assert call.reasons[-1] == "incoming-on-callback"

    bot.event(found.append)
    call = place_call(bot)
    call.post(body={"value": [call.incoming()]})
    assert [type(each) for each in found] == [Event]
    assert (call.asked, call.reasons[-1]) == ([], "handled")
    assert call.line["notes"] == ["incoming-on-callback"]


def test_a_batch_says_of_each_item_how_it_ended(place_call: PlaceCall) -> None:
    bot = bot_with_menu(mute())
    bot.tone(fail_at)
    call = place_call(bot)
    reply = call.post(call.established(), call.tone(), call.operation())

    assert reply.status == 202
    assert call.line["reason"] == "batch"
    assert [(each["reason"], each["bot_event"]) for each in call.line["items"]] == [
        ("bot-failed", "tone"),
        ("handled", "established"),
        ("follow-up", "operation_completed"),
    ]


def test_a_handler_learns_who_joins(
    place_call: PlaceCall,
) -> None:
    bot, found = Bot(), []

    @bot.participant_joining
    def join(event: ParticipantJoining) -> None:
        found.append(event)

    call = place_call(bot)
    call.post(body={**call.joining(), "participantId": "p-1"})
    assert (found[0].participant_id, found[0].call.id) == ("p-1", call.call.call_id)
