"""shared.edge.call_memory while the store is down, late, or wanted by many."""

import asyncio
import time

import pytest

from shared.core.handlers import encode_state
from shared.edge.call_memory import CallMemory, Opened, StoreTime
from shared.edge.state_store import (
    ChangedMeanwhileError,
    StateUnavailableError,
)
from tests.support.clock import at_most
from tests.support.stores import (
    CALL,
    DOWN,
    ENOUGH_SECONDS,
    AlwaysChanging,
    DirectedStore,
    keep_state,
    open_call,
    opened,
)

ONE = encode_state({"turn": 1})
TWO = encode_state({"turn": 2})


def test_a_store_that_is_down_leaves_once_within_the_process(
    memory: CallMemory, state_store: DirectedStore
) -> None:
    """The handler runs with an empty state, and nothing is kept."""

    async def story() -> None:
        await keep_state(memory, await opened(memory, "established"), ONE)
        state_store.always = DOWN
        found = await opened(memory, "tone 1")
        assert (found.is_kept, found.new_state()) == (False, {})
        assert found.trouble == "the store is down"
        state_store.requests.clear()
        with pytest.raises(StateUnavailableError):
            await keep_state(memory, found, TWO)
        assert await open_call(memory, "tone 1") is None
        assert state_store.requests == []
        assert not await memory.end(CALL, time=StoreTime(ENOUGH_SECONDS))
        assert await open_call(memory, "tone 2") is None
        state_store.always = None
        late = await open_call(memory, "operation 1", is_late_allowed=True)
        assert late is not None
        assert late.new_state() == {"turn": 1}

    asyncio.run(story())


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{}"])
def test_what_cannot_be_read_is_a_store_that_is_down(
    memory: CallMemory, state_store: DirectedStore, content: bytes
) -> None:
    """It is left as it is."""

    async def story() -> bytes:
        await state_store.write(CALL.path, content, etag=None, timeout_seconds=1)
        assert not (await opened(memory, "established")).is_kept
        blob = await state_store.read(CALL.path, timeout_seconds=1)
        assert blob is not None
        return blob.data

    assert asyncio.run(story()) == content


def test_a_claim_whose_reply_was_lost_is_handled_here_and_nowhere_else(
    memory: CallMemory, other_memory: CallMemory, state_store: DirectedStore
) -> None:
    async def story() -> None:
        state_store.loses_replies = True
        assert not (await opened(memory, "established")).is_kept
        state_store.loses_replies = False
        assert await open_call(memory, "established") is None
        assert await open_call(other_memory, "established") is None

    asyncio.run(story())


def test_a_state_that_is_not_kept_is_told(
    memory: CallMemory, state_store: DirectedStore
) -> None:
    async def story() -> None:
        found = await opened(memory, "established")
        state_store.always = DOWN
        with pytest.raises(StateUnavailableError):
            await keep_state(memory, found, ONE)

    asyncio.run(story())


def test_conflicts_while_claiming_are_looked_at_again(
    memory: CallMemory, state_store: DirectedStore
) -> None:
    state_store.failures.extend(
        [None, ChangedMeanwhileError(), None, ChangedMeanwhileError()]
    )

    assert asyncio.run(opened(memory, "established")).is_kept
    assert state_store.requests == ["read", "write"] * 3


def test_endless_conflicts_end_with_the_time_of_the_store() -> None:
    """They do not hammer the store meanwhile."""
    state_store = AlwaysChanging()

    async def story() -> Opened | None:
        return await open_call(CallMemory(state_store), "established", seconds=0.5)

    with at_most(2.5):
        found = asyncio.run(story())
    assert found is not None
    assert not found.is_kept
    assert len(state_store.requests) < 100


def test_all_requests_of_an_event_share_their_time() -> None:
    """The time between them is the handler's and does not count."""
    shared = StoreTime(10.0)
    with shared.spending():
        time.sleep(0.05)
        assert shared.seconds_left() < 9.96
    left = shared.seconds_left()
    time.sleep(0.05)
    assert shared.seconds_left() == left
    with shared.spending():
        pass
    assert shared.seconds_left() < left


def test_the_time_of_an_event_ends_the_time_of_its_store() -> None:
    assert StoreTime(10.0, ends_at=time.monotonic()).seconds_left() <= 0
    assert 0 < StoreTime(10.0, ends_at=time.monotonic() + 5).seconds_left() <= 5


def test_without_time_left_the_event_is_claimed_here_alone(
    memory: CallMemory,
) -> None:
    async def story() -> None:
        found = await open_call(memory, "established", seconds=0)
        assert found is not None
        assert not found.is_kept
        assert await open_call(memory, "established") is None

    asyncio.run(story())
