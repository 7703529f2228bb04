"""docs/behaviour.md section 8: the bot decides about participants who join."""

from shared.calls import Bot, Event, accept_join, invite_new_bot, reject_join
from tests.support.bot_calls import PlaceCall, fail_at


def test_a_joining_participant_gets_the_bots_reply(place_call: PlaceCall) -> None:
    for action in (
        accept_join(),
        reject_join("busy"),
        invite_new_bot("https://other.example/api/calls"),
    ):
        bot = Bot()
        bot.participant_joining(lambda _event, action=action: action)
        call = place_call(bot)
        reply = call.post(body=call.joining())

        assert (reply.status, reply.headers["Content-Type"]) == (
            200,
            "application/json",
        )
        assert reply.body is not None
        assert call.line["bot_event"] == "participant_joining"
        assert call.line["call_id"] == call.call.call_id
        assert call.reasons[-1] == "handled"


def test_a_joining_participant_without_a_reply_is_accepted(
    place_call: PlaceCall,
) -> None:
    bot = Bot()
    bot.participant_joining(lambda _event: None)
    call = place_call(bot)
    reply = call.post(body=call.joining())
    assert (reply.status, reply.body, call.reasons[-1]) == (202, None, "handled")

    for handlers, reason in (
        ((), "participant-joining"),
        ((fail_at,), "bot-failed"),
    ):
        bot = Bot()
        for handler in handlers:
            bot.participant_joining(handler)
        call = place_call(bot)
        assert call.post(body=call.joining()).status == 202
        assert call.reasons[-1] == reason


def test_a_handler_of_who_joins_has_no_time_beyond_that_of_the_post(
    place_call: PlaceCall,
) -> None:
    """Of its ten seconds the last is kept; it is not called where nothing is left."""
    bot = Bot()
    called: list[Event] = []
    bot.participant_joining(called.append)
    call = place_call(bot)
    assert call.post(body=call.joining(), seconds_ago=9.5).status == 202
    assert (call.reasons, called) == (["bot-failed"], [])
