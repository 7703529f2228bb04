"""docs/behaviour.md section 8: each event once, and one after the other."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from shared.calls import Bot, Established, Event, Tone, mute
from shared.edge.follow_ups import FollowUps
from tests.support.bot_calls import BotCall, PlaceCall, fail_at
from tests.support.clock import at_most
from tests.support.servers import Request, status
from tests.support.service import ScriptedNeighbours


def recording_bot() -> tuple[Bot, list[str]]:
    """Return a bot with a handler of every kind of event, and whom they got."""
    bot, found = Bot(), []

    def note(event: Event) -> None:
        found.append(event.name)

    for decorator in (
        bot.established,
        bot.tone,
        bot.operation_completed,
        bot.transfer_failed,
        bot.terminated,
        bot.event,
    ):
        decorator(note)
    return bot, found


def test_what_has_an_identity_is_handled_once(place_call: PlaceCall) -> None:
    bot, found = recording_bot()
    call = place_call(bot)
    items = (
        *(call.established(),) * 3,
        *(call.tone(sequence_id=1),) * 2,
        call.tone(sequence_id=2),
        *(call.operation("a"),) * 2,
        call.operation("b"),
    )
    for item in items:
        call.post(item)
    assert found == ["established", "tone", "tone", *["operation_completed"] * 2]
    assert call.reasons.count("already-handled") == 4


def test_the_token_of_another_tenant_finds_neither_claims_nor_state(
    place_call: PlaceCall,
) -> None:
    """A call is known by tenant and id, and the token alone names the tenant."""
    bot = Bot()
    states: list[dict[str, Any]] = []

    @bot.tone
    def count(_event: Tone, state: dict[str, Any]) -> None:
        states.append(dict(state))
        state["tones"] = state.get("tones", 0) + 1

    call = place_call(bot)
    call.post(call.tone(sequence_id=1))
    call.post(call.tone(sequence_id=1), tenant_id=str(uuid4()))
    call.post(call.tone(sequence_id=2))
    assert states == [{}, {}, {"tones": 1}]


def test_what_has_no_identity_is_handled_each_time(place_call: PlaceCall) -> None:
    bot, found = recording_bot()
    call = place_call(bot)
    for item in (call.tone(sequence_id=None), call.operation(None)):
        call.post(item)
        call.post(item)
    for _ in range(2):
        call.post(call.transfer_failed())
    assert found == [
        *["tone"] * 2,
        *["operation_completed"] * 2,
        *["transfer_failed"] * 2,
    ]


def test_another_call_has_events_of_its_own(
    place_call: PlaceCall,
) -> None:
    bot, found = recording_bot()
    first = place_call(bot)
    second = place_call(service=first.service)
    first.post(first.established())
    second.post(second.established())
    assert found == ["established"] * 2


@pytest.mark.parametrize("has_handler", [True, False])
def test_after_the_end_only_operations_are_handled_once_each(
    place_call: PlaceCall, *, has_handler: bool
) -> None:
    bot, found = Bot(), []
    bot.tone(lambda event: found.append(event.name))
    bot.operation_completed(lambda event: found.append(event.name))
    if has_handler:
        bot.terminated(lambda event: found.append(event.name))
    call = place_call(bot)
    call.post(call.terminated())
    for item in (call.tone(), call.operation(), call.operation(), call.terminated()):
        call.post(item)

    end = ["terminated"] if has_handler else []
    assert found == [*end, "operation_completed"]
    first = "handled" if has_handler else "follow-up"
    again = "already-handled" if has_handler else "follow-up"
    assert call.reasons == [
        first,
        "already-handled",
        "handled",
        "already-handled",
        again,
    ]


def test_the_end_counts_though_its_handler_fails(place_call: PlaceCall) -> None:
    bot = Bot()
    bot.terminated(fail_at)
    bot.tone(lambda _event: mute())
    call = place_call(bot)
    call.post(call.terminated())
    call.post(call.tone())
    assert call.reasons == ["bot-failed", "already-handled"]


def test_an_end_that_came_too_late_for_its_handler_counts_and_may_come_again(
    place_call: PlaceCall,
) -> None:
    bot, found = Bot(), []
    bot.terminated(lambda event: found.append(event.name))
    bot.tone(lambda event: found.append(event.name))
    call = place_call(bot)
    call.post(call.terminated(), seconds_ago=9.5)
    call.post(call.tone())
    call.post(call.terminated())
    assert found == ["terminated"]
    assert call.reasons == ["bot-failed", "already-handled", "handled"]


def test_what_an_operation_changes_after_the_end_is_kept(
    place_call: PlaceCall,
) -> None:
    bot, found = Bot(), []

    @bot.operation_completed
    def note(_event: Event, state: dict[str, Any]) -> None:
        state["count"] = state.get("count", 0) + 1
        found.append(state["count"])

    call = place_call(bot)
    call.post(call.operation("a"))
    call.post(call.terminated())
    call.post(call.operation("b"))
    call.post(call.operation("c"))
    assert found == [1, 2, 3]


class Slow:
    """A Graph whose replies wait until they are let go."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, _request: Request, peer: Any) -> bytes:
        self.asked.release()
        while not self.go.wait(0.05) and not peer.closing.is_set():
            pass
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def test_the_events_of_a_call_wait_for_each_other_actions_included(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    """Those of another call do not."""
    bot, found = Bot(), []
    slow = Slow()
    neighbours.graph.script = slow

    @bot.established
    def first(event: Established) -> Any:
        found.append(f"established {event.call.id}")
        return mute()

    bot.tone(lambda event: found.append(f"tone {event.call.id}"))
    call = place_call(bot)
    other = place_call(service=call.service)

    async def story() -> None:
        early = asyncio.create_task(call.posting(call.established()))
        await asyncio.to_thread(slow.asked.acquire, timeout=30)
        late = asyncio.create_task(call.posting(call.tone()))
        await other.posting(other.tone())
        assert not late.done()
        slow.go.set()
        await asyncio.gather(early, late)

    asyncio.run(story())
    assert found == [
        f"established {call.call.call_id}",
        f"tone {other.call.call_id}",
        f"tone {call.call.call_id}",
    ]


@pytest.fixture
def slow(neighbours: ScriptedNeighbours) -> Slow:
    """A Graph that answers once it is told to go on."""
    neighbours.graph.script = slow = Slow()
    return slow


@pytest.fixture
def muting(place_call: PlaceCall) -> BotCall:
    """A call whose bot mutes itself at its start and at each key."""
    bot = Bot()
    bot.established(lambda _event: mute())
    bot.tone(lambda _event: mute())
    return place_call(bot)


@asynccontextmanager
async def while_it_starts(call: BotCall, slow: Slow) -> AsyncGenerator[None]:
    """Hold the turn of ``call``: Graph is asked at its start, and does not answer."""
    early = asyncio.create_task(call.posting(call.established()))
    await asyncio.to_thread(slow.asked.acquire, timeout=30)
    yield
    slow.go.set()
    await early


def test_waiting_for_a_turn_counts_as_the_later_events_time(
    muting: BotCall, slow: Slow
) -> None:
    async def story() -> None:
        async with while_it_starts(muting, slow):
            with at_most(3):
                await muting.posting(muting.tone(), seconds_ago=8.5)

    asyncio.run(story())
    assert muting.reasons == ["bot-failed", "handled"]


def test_an_end_whose_turn_never_came_in_time_counts_once_it_comes(
    muting: BotCall, slow: Slow
) -> None:
    async def story() -> None:
        async with while_it_starts(muting, slow):
            await muting.posting(muting.terminated(), seconds_ago=9.8)
        await muting.posting(muting.tone())

    asyncio.run(story())
    assert muting.reasons == ["follow-up", "handled", "already-handled"]


def test_the_items_of_a_call_in_a_batch_are_handled_in_their_order(
    place_call: PlaceCall, neighbours: ScriptedNeighbours
) -> None:
    """An incoming call first, then what follows; calls do not wait for each other."""
    neighbours.graph.script = status(200)
    bot, order = Bot(), []

    @bot.incoming
    async def take(_event: Event) -> None:
        await asyncio.sleep(0.05)
        order.append("incoming")

    @bot.established
    def up(_event: Event) -> Any:
        order.append("established")
        return mute()

    bot.tone(lambda event: order.append(f"tone {event.sequence_id}"))
    call = place_call(bot)
    items = [call.tone(sequence_id=number) for number in (3, 1, 2)]
    call.post(call.incoming(), call.established(), *items)
    assert order == ["incoming", "established", "tone 3", "tone 1", "tone 2"]
    assert [each["reason"] for each in call.line["items"]] == [
        "answered",
        *["handled"] * 4,
    ]


def test_handlers_that_never_return_keep_threads_and_others_still_work(
    place_call: PlaceCall,
) -> None:
    """With all threads kept, events fail; an ``async def`` needs none."""
    bot, release = Bot(), threading.Event()
    started = threading.Semaphore(0)

    @bot.tone("1")
    def hang(_event: Tone) -> None:
        started.release()
        release.wait(60)

    bot.tone("2")(lambda _event: None)

    @bot.tone("3")
    async def quick(_event: Tone) -> None:
        pass

    first = place_call(bot)

    async def post(key: str, seconds_ago: float) -> BotCall:
        call = place_call(service=first.service)
        await call.posting(call.tone(key), seconds_ago=seconds_ago)
        return call

    async def story() -> None:
        hung = [asyncio.create_task(post("tone1", 7)) for _ in range(32)]
        for _ in hung:
            await asyncio.to_thread(started.acquire, timeout=30)
        await post("tone3", 0)
        assert first.reasons == ["handled"]
        await post("tone2", 8)
        await post("tone2", 8.5)
        await asyncio.gather(*hung)

    asyncio.run(story())
    assert first.reasons.count("bot-failed") == 34
    asyncio.run(post("tone3", 0))
    lines = [record.message for record in first.records]
    assert sum('"handlers.hanging"' in line for line in lines) == 1
    release.set()


def test_a_hung_thread_is_of_use_again_once_its_handler_returns(
    place_call: PlaceCall,
) -> None:
    bot, release, ended = Bot(), threading.Event(), threading.Semaphore(0)
    hung: list[Tone] = []

    @bot.tone("1")
    def hang(event: Tone) -> None:
        hung.append(event)
        release.wait(60)
        ended.release()

    bot.tone("2")(lambda _event: None)
    first = place_call(bot)

    async def post(key: str, seconds_ago: float) -> None:
        call = place_call(service=first.service)
        await call.posting(call.tone(key), seconds_ago=seconds_ago)

    async def story() -> None:
        await asyncio.gather(*(post("tone1", 8.5) for _ in range(32)))
        release.set()
        # On a busy machine not all of them are called in time.
        assert hung
        for _ in hung:
            await asyncio.to_thread(ended.acquire, timeout=30)
        await post("tone2", 0)

    asyncio.run(story())
    assert first.reasons[-1] == "handled"


def test_nothing_is_kept_of_turns_that_ended(place_call: PlaceCall) -> None:
    bot, _found = recording_bot()
    call = place_call(bot)
    call.post(call.established(), call.tone(), call.terminated())
    follow_ups = call.service._calls.dispatcher._follow_ups  # type: ignore[attr-defined]
    assert isinstance(follow_ups, FollowUps)
    assert not follow_ups._turns._locks


def test_a_handler_that_blocks_the_loop_beyond_its_time_is_late(
    place_call: PlaceCall,
) -> None:
    """What it returns is dropped, though it came before anybody could look."""
    bot = Bot()

    @bot.tone
    async def block(_event: Tone) -> Any:
        time.sleep(0.8)  # noqa: ASYNC251 - on purpose
        return mute()

    call = place_call(bot)
    call.post(call.tone(), seconds_ago=8.5)
    assert (call.asked, call.reasons) == ([], ["bot-failed"])
