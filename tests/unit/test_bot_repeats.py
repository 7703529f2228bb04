"""docs/behaviour.md section 8: what comes again late was handled all the same."""

import asyncio

from shared.calls import Bot, Event
from tests.support.bot_calls import PlaceCall


def counting_bot() -> tuple[Bot, list[str]]:
    """Return a bot, and the events that its handlers got."""
    bot, found = Bot(), []

    def note(event: Event) -> None:
        found.append(event.name)

    for decorator in (bot.established, bot.tone, bot.terminated, bot.failed):
        decorator(note)
    return bot, found


def test_a_repeat_without_time_left_is_no_failure(place_call: PlaceCall) -> None:
    """A handler of ``failed`` would say sorry for what went well."""
    bot, found = counting_bot()
    call = place_call(bot)
    for item in (call.established(), call.tone(), call.terminated()):
        call.post(item)
        call.post(item, seconds_ago=9.5)
    assert found == ["established", "tone", "terminated"]
    assert call.reasons == ["handled", "already-handled"] * 3


def test_what_comes_late_after_the_end_is_no_failure(place_call: PlaceCall) -> None:
    bot, found = counting_bot()
    call = place_call(bot)
    call.post(call.terminated())
    call.post(call.tone(), seconds_ago=9.5)
    assert (found, call.reasons) == (["terminated"], ["handled", "already-handled"])


def test_a_repeat_waits_for_no_turn(place_call: PlaceCall) -> None:
    """The first is under way, and will be handled or fail by itself."""
    bot, is_up, release = Bot(), asyncio.Event(), asyncio.Event()

    @bot.established
    async def up(_event: Event) -> None:
        is_up.set()
        await release.wait()

    call = place_call(bot)

    async def story() -> None:
        first = asyncio.create_task(call.posting(call.established()))
        await is_up.wait()
        await call.posting(call.established())
        release.set()
        await first

    asyncio.run(story())
    assert call.reasons == ["already-handled", "handled"]
