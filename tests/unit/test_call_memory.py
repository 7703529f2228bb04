"""shared.edge.call_memory: events are claimed once, and no state is lost.

Two memories with one store are two processes.
"""

import asyncio

import pytest

from shared.core.call_records import CallKey, CallRecord
from shared.core.handlers import encode_state
from shared.edge.call_memory import CallMemory, Opened, StoreTime
from shared.edge.state_store import (
    MemoryStore,
)
from tests.support.clock import FakeClock
from tests.support.stores import (
    CALL,
    ENOUGH_SECONDS,
    DirectedStore,
    count_events,
    keep_state,
    open_call,
    opened,
    record_in,
)

ONE = encode_state({"turn": 1})
TWO = encode_state({"turn": 2})


def test_a_new_call_has_an_empty_state_that_is_new_each_time(
    memory: CallMemory,
) -> None:
    """A handler may change it and then run again."""
    found = asyncio.run(opened(memory, "established"))

    assert found.is_kept
    found.new_state()["turn"] = 1
    assert found.new_state() == {}


def test_what_a_handler_leaves_is_there_for_the_next_event_in_any_process(
    memory: CallMemory, other_memory: CallMemory
) -> None:
    async def story() -> list[object]:
        assert (
            await keep_state(memory, await opened(memory, "established"), ONE) is None
        )
        spelled = CallKey(CALL.tenant_id, CALL.call_id.upper())
        again = await open_call(other_memory, "tone 1", key=spelled)
        assert again is not None
        return [(await opened(memory)).new_state(), again.new_state()]

    assert asyncio.run(story()) == [{"turn": 1}, {"turn": 1}]


def test_calls_of_two_tenants_with_one_id_do_not_meet(memory: CallMemory) -> None:
    async def story() -> Opened | None:
        await keep_state(memory, await opened(memory, "established"), ONE)
        other_tenant = CallKey("9b1f0a77-2f0e-4c55-9b6c-0f6a3f0d8c21", CALL.call_id)
        return await open_call(memory, "established", key=other_tenant)

    found = asyncio.run(story())
    assert found is not None
    assert found.new_state() == {}


def test_an_event_that_was_claimed_is_handled_nowhere_again(
    memory: CallMemory, other_memory: CallMemory, state_store: DirectedStore
) -> None:
    """The process that claimed it knows so without the store."""

    async def story() -> None:
        await opened(memory, "established")
        state_store.requests.clear()
        assert await open_call(memory, "established") is None
        assert state_store.requests == []
        assert await open_call(other_memory, "established") is None
        assert state_store.requests == ["read"]

    asyncio.run(story())


@pytest.mark.parametrize("processes", [1, 2])
def test_of_simultaneous_events_with_one_identity_one_is_handled(
    memory: CallMemory, other_memory: CallMemory, processes: int
) -> None:
    memories = [memory, other_memory][:processes]

    async def story() -> list[Opened | None]:
        return await asyncio.gather(
            *(open_call(each, "established") for each in memories for _ in range(20))
        )

    assert len([found for found in asyncio.run(story()) if found]) == 1


def test_an_event_without_identity_is_only_read(
    memory: CallMemory, state_store: DirectedStore
) -> None:
    async def story() -> None:
        await opened(memory)
        await opened(memory)

    asyncio.run(story())
    assert state_store.requests == ["read", "read"]


def test_a_state_that_is_unchanged_asks_nobody(
    memory: CallMemory, state_store: DirectedStore
) -> None:
    async def story() -> None:
        found = await opened(memory, "established")
        state_store.requests.clear()
        assert await keep_state(memory, found, encode_state(found.new_state())) is None

    asyncio.run(story())
    assert state_store.requests == []


def test_a_state_that_another_process_changed_comes_back_to_the_handler(
    memory: CallMemory, other_memory: CallMemory, state_store: DirectedStore
) -> None:
    """It runs again with the newer one, and that run's state is kept."""

    async def story() -> None:
        found = await opened(memory, "tone 1")
        await keep_state(other_memory, await opened(other_memory, "tone 2"), ONE)
        newer = await keep_state(memory, found, TWO)
        assert newer is not None
        assert newer.new_state() == {"turn": 1}
        assert (await record_in(state_store)).state == ONE
        assert await keep_state(memory, newer, TWO) is None

    asyncio.run(story())
    assert asyncio.run(record_in(state_store)) == CallRecord(TWO, ("tone 1", "tone 2"))


def test_where_only_claims_changed_meanwhile_they_are_merged(
    memory: CallMemory, other_memory: CallMemory, state_store: DirectedStore
) -> None:
    async def story() -> None:
        found = await opened(memory, "tone 1")
        await opened(other_memory, "tone 2")
        await open_call(other_memory, "terminated", is_end=True)
        assert await keep_state(memory, found, ONE) is None

    asyncio.run(story())
    assert asyncio.run(record_in(state_store)) == CallRecord(
        ONE, ("tone 1", "tone 2", "terminated"), is_over=True
    )


def test_a_record_that_was_removed_meanwhile_is_a_changed_state(
    memory: CallMemory, state_store: DirectedStore
) -> None:
    """The container's lifecycle rule does so after a day."""

    async def story() -> None:
        await keep_state(memory, await opened(memory, "tone 1"), ONE)
        found = await opened(memory, "tone 2")
        state_store._blobs._entries.clear()
        newer = await keep_state(memory, found, TWO)
        assert newer is not None
        assert newer.new_state() == {}
        assert await keep_state(memory, newer, TWO) is None

    asyncio.run(story())


def test_after_the_end_only_what_may_be_late_is_handled(
    memory: CallMemory, other_memory: CallMemory, state_store: DirectedStore
) -> None:
    """The recording of a caller who just hangs up; what it changes is kept."""

    async def story() -> None:
        await keep_state(memory, await opened(memory, "established"), ONE)
        assert await open_call(memory, "terminated", is_end=True) is not None
        for each in (memory, other_memory):
            assert await open_call(each, "tone 1") is None
            assert await open_call(each) is None
            assert await open_call(each, "terminated", is_end=True) is None
        recorded = await open_call(other_memory, "operation 1", is_late_allowed=True)
        assert recorded is not None
        assert recorded.new_state() == {"turn": 1}
        assert await keep_state(other_memory, recorded, TWO) is None
        assert await open_call(memory, "operation 1", is_late_allowed=True) is None

    asyncio.run(story())
    record = asyncio.run(record_in(state_store))
    assert (record.state, record.is_over) == (TWO, True)


def test_an_end_that_nobody_handled_is_still_handled_when_it_comes_again(
    memory: CallMemory, other_memory: CallMemory
) -> None:
    """The call is over all the same."""

    async def story() -> None:
        assert await memory.end(CALL, time=StoreTime(ENOUGH_SECONDS))
        for each in (memory, other_memory):
            assert await open_call(each, "tone 1") is None
        assert await open_call(other_memory, "terminated", is_end=True) is not None
        assert await open_call(memory, "terminated", is_end=True) is None

    asyncio.run(story())


def test_200_calls_at_once_in_two_processes_lose_no_update(
    memory: CallMemory, other_memory: CallMemory, state_store: DirectedStore
) -> None:
    """Each call has eight events; each comes twice, in any order and process."""
    handled, calls = asyncio.run(
        count_events((memory, other_memory), calls=200, events=8)
    )

    assert len(handled) == len(set(handled)) == 8 * len(calls)
    for key in calls:
        assert asyncio.run(record_in(state_store, key)).state == b'{"count":8}'


def test_memory_is_of_ten_thousand_calls() -> None:
    """The oldest makes room."""
    memory = CallMemory(MemoryStore())

    async def story() -> None:
        for number in range(10_001):
            key = CallKey(CALL.tenant_id, f"call-{number}")
            assert await open_call(memory, "established", key=key) is not None
        first, second = (CallKey(CALL.tenant_id, f"call-{number}") for number in (0, 1))
        assert await open_call(memory, "established", key=second) is None
        assert await open_call(memory, "established", key=first) is not None

    asyncio.run(story())


def test_memory_lasts_an_hour_from_a_calls_last_event() -> None:
    clock = FakeClock()
    memory = CallMemory(MemoryStore(clock), clock=clock)

    async def story() -> list[bool]:
        await open_call(memory, "established")
        clock.now += 3599
        await keep_state(memory, await opened(memory, "tone 1"), ONE)
        clock.now += 3599
        is_known = await open_call(memory, "established") is None
        assert (await opened(memory)).new_state() == {"turn": 1}
        clock.now += 1
        return [is_known, (await opened(memory, "established")).new_state() == {}]

    assert asyncio.run(story()) == [True, True]


def test_memory_alone_never_lets_others_run_in_between() -> None:
    """Nothing is awaited that waits: it costs no turn of the loop."""
    memory = CallMemory(MemoryStore())
    steps = open_call(memory, "established")

    with pytest.raises(StopIteration) as ended:
        steps.send(None)
    assert ended.value.value.is_kept
