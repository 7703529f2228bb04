"""State stores that a test directs; the port is ``shared.edge.state_store``."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from typing import override

from shared.core.call_records import Arrival, CallKey, CallRecord
from shared.core.handlers import encode_state
from shared.edge.call_memory import CallMemory, Opened, StoreTime
from shared.edge.state_store import (
    Blob,
    ChangedMeanwhileError,
    MemoryStore,
    StateUnavailableError,
)

CALL = CallKey("1fdd12d0-4620-44ed-baec-459b611f84b2", "4e1f5500-c1")
ENOUGH_SECONDS = 60.0
DOWN = StateUnavailableError("the store is down")


class DirectedStore(MemoryStore):
    """Memory that several processes share: each request lets the others go first.

    Attributes:
        requests: ``read`` or ``write`` of every request, in order.
        failures: what the next requests end in, in order; ``None``: they succeed.
        always: what all other requests end in.
        loses_replies: writes are carried out, and then fail.
    """

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []
        self.failures: deque[Exception | None] = deque()
        self.always: Exception | None = None
        self.loses_replies = False

    @override
    async def read(self, path: str, *, timeout_seconds: float) -> Blob | None:
        await self._take("read", timeout_seconds)
        return await super().read(path, timeout_seconds=timeout_seconds)

    @override
    async def write(
        self, path: str, data: bytes, *, etag: str | None, timeout_seconds: float
    ) -> str:
        await self._take("write", timeout_seconds)
        written = await super().write(
            path, data, etag=etag, timeout_seconds=timeout_seconds
        )
        if self.loses_replies:
            raise DOWN
        return written

    async def _take(self, request: str, seconds: float) -> None:
        self.requests.append(request)
        await asyncio.sleep(0)
        if seconds <= 0:
            raise DOWN
        failure = self.failures.popleft() if self.failures else self.always
        if failure is not None:
            raise failure


class AlwaysChanging(DirectedStore):
    """Another is always faster."""

    @override
    async def write(
        self, path: str, data: bytes, *, etag: str | None, timeout_seconds: float
    ) -> str:
        await self._take("write", timeout_seconds)
        raise ChangedMeanwhileError


async def open_call(
    memory: CallMemory,
    claim: str | None = None,
    *,
    key: CallKey = CALL,
    is_end: bool = False,
    is_late_allowed: bool = False,
    seconds: float = ENOUGH_SECONDS,
) -> Opened | None:
    """Open the record of a call for an event."""
    arrival = Arrival(claim, is_end=is_end, is_late_allowed=is_late_allowed)
    return await memory.open(key, arrival, time=StoreTime(seconds))


async def opened(memory: CallMemory, claim: str | None = None) -> Opened:
    """Open the record of a call for an event that is to be handled."""
    found = await open_call(memory, claim)
    assert found is not None
    return found


async def record_in(store: DirectedStore, key: CallKey = CALL) -> CallRecord:
    """Return the record that is kept."""
    blob = await MemoryStore.read(store, key.path, timeout_seconds=ENOUGH_SECONDS)
    assert blob is not None
    return CallRecord.decode(blob.data)


async def keep_state(memory: CallMemory, found: Opened, state: bytes) -> Opened | None:
    """Keep a state with all the time of the world."""
    return await memory.keep(found, state, time=StoreTime(ENOUGH_SECONDS))


async def count_events(
    memories: Sequence[CallMemory], *, calls: int, events: int
) -> tuple[list[tuple[CallKey, str]], list[CallKey]]:
    """Let every event come once to each memory, all at once; handlers count them.

    Returns:
        the events that were handled, and the calls.
    """
    keys = [CallKey(CALL.tenant_id, f"call-{number}") for number in range(calls)]
    handled: list[tuple[CallKey, str]] = []

    async def handle(memory: CallMemory, key: CallKey, claim: str) -> None:
        found = await open_call(memory, claim, key=key)
        if found is None:
            return
        handled.append((key, claim))
        while found is not None:
            state = found.new_state()
            await asyncio.sleep(0)
            state["count"] = state.get("count", 0) + 1
            found = await keep_state(memory, found, encode_state(state))

    arrivals = [
        (memory, key, f"tone {number}")
        for key in keys
        for number in range(events)
        for memory in memories
    ]
    random.shuffle(arrivals)
    await asyncio.gather(*(handle(*arrival) for arrival in arrivals))
    return handled, keys
