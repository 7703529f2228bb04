"""docs/behaviour.md section 8: what an incoming call gets."""

import asyncio
import threading
import time
from typing import Any

import pytest

from shared.calls import (
    Action,
    Bot,
    Incoming,
    answer,
    phone,
    redirect,
    reject,
    user,
)
from tests.support.bot_calls import PlaceCall, waits_for
from tests.support.clock import at_most
from tests.support.servers import hang_up as break_off
from tests.support.servers import in_turn, status
from tests.support.service import ScriptedNeighbours

SOMEBODY = user("550fae72-d251-43ec-868c-373732c2704f")


def bot_that(returns: object = None, **arguments: Any) -> Bot:
    """Return a bot whose handler of incoming calls returns that."""
    bot = Bot(**arguments)

    @bot.incoming
    def decide(_event: Incoming) -> Any:
        if isinstance(returns, BaseException):
            raise returns
        return returns

    return bot


@pytest.mark.parametrize(
    ("action", "asked", "reason", "again"),
    [
        (answer(), "POST /answer", "answered", "already-answered"),
        (reject("busy"), "POST /reject", "call-rejected", "already-handled"),
        (redirect(SOMEBODY), "POST /redirect", "call-redirected", "already-handled"),
    ],
)
def test_the_handler_decides_what_a_call_gets(
    place_call: PlaceCall, action: Action, asked: str, reason: str, again: str
) -> None:
    """Once: the same call again is told so without asking anybody."""
    call = place_call(bot_that([action]))

    assert call.post(call.incoming()).status == 202
    assert call.post(call.incoming()).status == 202
    assert call.asked == [asked]
    assert call.reasons == [reason, again]


def test_an_answer_has_the_callback_uri_and_what_the_bot_gave(
    place_call: PlaceCall,
) -> None:
    call = place_call(bot_that(answer(prefetch=["https://cdn.example/a.wav"])))
    call.post(call.incoming())

    [request] = call.requests
    assert request.json()["callbackUri"] == "https://weu.example/api/calls/default"
    [media] = request.json()["mediaConfig"]["preFetchMedia"]
    assert media["uri"] == "https://cdn.example/a.wav"
    assert call.line["actions"] == [{"name": "answer", "status": 202, "attempts": 1}]
    assert call.line["bot_event"] == "incoming"


def test_a_reject_and_a_redirect_say_only_what_the_bot_said(
    place_call: PlaceCall,
) -> None:
    """Neither needs a callbackUri."""
    for action in (reject("forbidden"), redirect(phone("+15550100"), timeout=20)):
        call = place_call(bot_that(action))
        call.post(call.incoming())
        assert call.requests[0].json() == action.body


def test_what_no_handler_decides_gets_what_the_bot_says_otherwise(
    place_call: PlaceCall,
) -> None:
    for bot in (Bot(reject("busy")), bot_that(None, otherwise=reject("busy"))):
        call = place_call(bot)
        call.post(call.incoming())
        assert (call.asked, call.reasons[-1]) == (["POST /reject"], "call-rejected")


def test_a_handler_that_cancels_itself_leaves_the_decision_to_the_default(
    place_call: PlaceCall,
) -> None:
    bot = Bot()
    bot.incoming(cancel_yourself)
    call = place_call(bot)

    assert call.post(call.incoming()).status == 202
    assert call.asked == ["POST /answer"]
    assert (call.line["reason"], call.line["type"]) == ("bot-failed", "CancelledError")


async def cancel_yourself(_event: Incoming) -> None:
    """Ask for the end of the task that runs this, and end before it comes."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


@pytest.mark.parametrize(
    "returned",
    [ValueError("secret"), SystemExit(1), "answer", [answer(), answer()], {"a": 1}],
)
def test_a_handler_that_fails_leaves_the_decision_to_the_default(
    place_call: PlaceCall, returned: object
) -> None:
    """The line says where it failed, and nothing of what the exception says."""
    call = place_call(bot_that(returned))

    assert call.post(call.incoming()).status == 202
    assert call.asked == ["POST /answer"]
    line = call.line
    assert line["reason"] == "bot-failed"
    assert line["type"] in {"ValueError", "SystemExit", "HandlerError"}
    assert (line["function"], line["file"]) == ("decide", __file__)
    assert "secret" not in str(line)


def test_a_default_that_fails_tells_its_own_reason_with_a_note(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    neighbours.graph.script = status(403)
    call = place_call(bot_that(ValueError()))

    assert call.post(call.incoming()).status == 202
    assert (call.line["reason"], call.line["notes"]) == (
        "answer-refused",
        ["bot-failed"],
    )


def test_a_policy_recording_that_nobody_takes_is_rejected(
    place_call: PlaceCall,
) -> None:
    """Whatever the bot says otherwise."""
    for bot in (Bot(reject("busy")), bot_that(None)):
        call = place_call(bot, is_policy_recording=True)
        call.post(call.incoming())
        assert call.requests[0].json() == {"reason": "none"}
        assert call.line["reason"] == "recording-unhandled"
        assert "notes" not in call.line


def test_a_policy_recording_may_be_answered_by_the_bot(place_call: PlaceCall) -> None:
    call = place_call(
        bot_that(answer(participant_capacity=5)), is_policy_recording=True
    )
    call.post(call.incoming())

    assert call.requests[0].json()["participantCapacity"] == 5
    assert call.reasons == ["answered"]


def test_a_policy_recording_whose_handler_fails_is_rejected(
    place_call: PlaceCall,
) -> None:
    call = place_call(bot_that(ValueError()), is_policy_recording=True)
    call.post(call.incoming())

    assert call.asked == ["POST /reject"]
    assert call.line["reason"] == "bot-failed"
    assert call.line["notes"] == ["recording-unhandled"]


@pytest.mark.parametrize(
    ("is_policy_recording", "seconds"), [(False, 3.0), (True, 1.0)]
)
def test_a_handler_that_takes_too_long_leaves_the_decision_to_the_default(
    place_call: PlaceCall, *, is_policy_recording: bool, seconds: float
) -> None:
    """What it returns later is dropped."""
    bot, release = Bot(), threading.Event()

    @bot.incoming
    def decide(_event: Incoming) -> Action:
        release.wait(60)
        return reject("busy")

    call = place_call(bot, is_policy_recording=is_policy_recording)
    begun = time.monotonic()
    with at_most(3 * seconds):
        call.post(call.incoming())
    release.set()

    assert time.monotonic() - begun >= seconds
    assert call.reasons == ["bot-failed"]
    assert call.line["type"] == "TimeoutError"
    assert len(call.asked) == 1


def test_a_handler_leaves_the_last_second_to_graph(place_call: PlaceCall) -> None:
    """Of twelve seconds, one and a half are left."""
    bot, release = Bot(), threading.Event()
    bot.incoming(waits_for(release))
    call = place_call(bot)

    with at_most(4.5):
        call.post(call.incoming(), seconds_ago=10.5)
    release.set()
    assert (call.asked, call.reasons) == (["POST /answer"], ["bot-failed"])


def test_an_unavailable_graph_ends_as_it_does_without_a_bot(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    """503, so that the call comes again; then the handler is asked again."""
    neighbours.graph.script = status(503)
    call = place_call(bot_that(reject("busy")))

    assert call.post(call.incoming(), seconds_ago=10.5).status == 503
    neighbours.graph.script = status(202)
    assert call.post(call.incoming()).status == 202
    assert call.reasons == ["answer-unavailable", "call-rejected"]


def test_a_reject_is_presumed_after_a_lost_reply(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    neighbours.graph.script = in_turn(break_off, status(404))
    call = place_call(bot_that(reject("busy")))
    call.post(call.incoming())
    call.post(call.incoming())
    assert call.reasons == ["answer-presumed", "already-handled"]


def test_a_handler_may_be_async_and_keeps_state_for_later_events(
    place_call: PlaceCall,
) -> None:
    bot, found = Bot(), []

    @bot.incoming
    async def decide(event: Incoming, state: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        state["caller"] = event.source.kind

    @bot.tone
    def tone(_event: object, state: dict[str, Any]) -> None:
        found.append(dict(state))

    call = place_call(bot)
    call.post(call.incoming())
    call.post(call.tone())
    assert found == [{"caller": "user"}]


def test_without_answering_no_handler_is_called(place_call: PlaceCall) -> None:
    call = place_call(bot_that(reject("busy")), CALLING_ANSWER="false")
    assert call.post(call.incoming()).status == 202
    assert (call.asked, call.reasons) == ([], ["answering-off"])


def test_follow_ups_may_overtake_graphs_reply(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    """``incoming`` gives its turn up before Graph is asked."""
    bot, told, asked = bot_that(answer()), threading.Event(), threading.Event()
    bot.established(lambda _event: told.set())

    def answer_late(_request: object, _peer: object) -> bytes:
        asked.set()
        told.wait(30)
        return status(202)(None, None)  # type: ignore[arg-type,return-value]

    neighbours.graph.script = answer_late
    call = place_call(bot)

    async def story() -> None:
        answering = asyncio.create_task(call.posting(call.incoming()))
        await asyncio.to_thread(asked.wait, 30)
        await call.posting(call.established())
        await answering

    with at_most(6):
        asyncio.run(story())
    assert call.reasons == ["handled", "answered"]
