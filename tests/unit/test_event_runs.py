"""shared.edge.event_runs: what an event's handler and its store may take together."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, override

from shared.calls import Action, Event, Tone, mute
from shared.core.call_records import Arrival, CallRecord
from shared.core.handlers import Registered, register
from shared.edge.call_memory import CallMemory
from shared.edge.event_runs import EventRun, EventRuns, Limits
from shared.edge.handler_runs import HandlerRuns
from shared.edge.state_store import ChangedMeanwhileError
from tests.support.stores import CALL, DirectedStore

LIMITS_SECONDS = 5.0


class NotingStore(DirectedStore):
    """Notes until when each request may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end_at: list[float] = []

    @override
    async def _take(self, request: str, seconds: float) -> None:
        self.may_end_at.append(time.monotonic() + seconds)
        await super()._take(request, seconds)


def counts(event: Event, state: dict[str, Any]) -> Action:
    """Take more than half of the time, as a handler, and change the state."""
    del event
    time.sleep(0.9)
    state["count"] = 1
    return mute()


def run(
    story: Callable[[EventRuns, Registered], Awaitable[EventRun]],
    store: DirectedStore,
    handler: Callable[..., object],
) -> EventRun:
    async def start() -> EventRun:
        runs = EventRuns(HandlerRuns(), CallMemory(store))
        return await story(runs, register(handler, Tone, {}))

    return asyncio.run(start())


def test_the_store_ends_with_the_time_of_the_event_though_its_own_is_left() -> None:
    """What comes after it is Graph's: a slow store must not use it."""
    store = NotingStore()
    ends_at = time.monotonic() + 1.5

    async def story(runs: EventRuns, handler: Registered) -> EventRun:
        limits = Limits(LIMITS_SECONDS, LIMITS_SECONDS, ends_at)
        return await runs.run(CALL, Tone(), handler, Arrival("tone 1"), limits)

    ended = run(story, store, counts)
    assert ended.actions == (mute(),)
    assert store.requests == ["read", "write", "write"]
    assert all(may_end_at <= ends_at + 0.001 for may_end_at in store.may_end_at)


class Overtaking(DirectedStore):
    """Another process writes a state before the first of ours, and is slow."""

    @override
    async def write(
        self, path: str, data: bytes, *, etag: str | None, timeout_seconds: float
    ) -> str:
        if self.requests.count("write") == 1:
            other = CallRecord(b'{"other":1}', ("tone 1",)).encode()
            await super().write(path, other, etag=etag, timeout_seconds=timeout_seconds)
            await asyncio.sleep(1.7)
            raise ChangedMeanwhileError
        return await super().write(
            path, data, etag=etag, timeout_seconds=timeout_seconds
        )


def test_the_time_of_the_store_is_not_that_of_a_handler_that_runs_again() -> None:
    """Its two runs take a quarter of what they share; with the store it is too long."""

    async def takes_a_while(_event: Event, state: dict[str, Any]) -> Action:
        await asyncio.sleep(0.25)
        state["count"] = 1
        return mute()

    async def story(runs: EventRuns, handler: Registered) -> EventRun:
        limits = Limits(2.0, LIMITS_SECONDS, time.monotonic() + 60)
        return await runs.run(CALL, Tone(), handler, Arrival("tone 1"), limits)

    store = Overtaking()
    ended = run(story, store, takes_a_while)
    assert (ended.actions, ended.failure) == ((mute(),), None)
    [blob] = [asyncio.run(store.read(CALL.path, timeout_seconds=1))]
    assert blob is not None
    assert CallRecord.decode(blob.data).state == b'{"other":1,"count":1}'


def test_without_time_left_a_handler_is_not_called() -> None:
    """Not even one without a state, whose result would be dropped."""
    called: list[Event] = []

    async def story(runs: EventRuns, handler: Registered) -> EventRun:
        ends_at = time.monotonic()
        return await runs.run_stateless(Tone(), handler, ends_at=ends_at)

    ended = run(story, DirectedStore(), called.append)
    assert ended.failure is not None
    assert (ended.failure["type"], called) == ("TimeoutError", [])
