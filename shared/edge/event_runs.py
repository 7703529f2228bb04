"""One event and its handler: claim it, run the handler, keep what it left.

In this order, so that an event is handled at most once, also where the process dies in
between. Where another process changed the state meanwhile the handler runs again, and
only the last run counts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from shared.core.reasons import Reason
from shared.edge.call_memory import StoreTime
from shared.edge.handler_runs import HandlerFailedError, too_late
from shared.edge.state_store import StateUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.core.actions import Action
    from shared.core.call_records import Arrival, CallKey
    from shared.core.event_types import Event
    from shared.core.handlers import Registered
    from shared.edge.call_memory import CallMemory, Opened
    from shared.edge.handler_runs import HandlerResult, HandlerRuns


class Limits(NamedTuple):
    """How long things may take.

    Attributes:
        handler_seconds: the handler, all its runs together.
        store_seconds: the store, all its requests together.
        waits_end_at: when both must have ended (monotonic seconds).
    """

    handler_seconds: float
    store_seconds: float
    waits_end_at: float


class EventRun(NamedTuple):
    """What came of an event, before its actions.

    Attributes:
        failure: where the handler failed; ``None`` where it did not.
        is_repeat: it had been handled before, and no handler was called.
    """

    actions: tuple[Action, ...] = ()
    notes: frozenset[Reason] = frozenset()
    failure: Mapping[str, object] | None = None
    is_repeat: bool = False


_STATE_LOST = frozenset({Reason.STATE_UNAVAILABLE})


class EventRuns:
    """Gives events to their handlers. For one event loop, in the call's turn."""

    def __init__(self, handlers: HandlerRuns, memory: CallMemory) -> None:
        """Run handlers in ``handlers``, with states from ``memory``."""
        self._handlers = handlers
        self._memory = memory

    async def run(
        self,
        call: CallKey,
        event: Event,
        handler: Registered,
        arrival: Arrival,
        limits: Limits,
    ) -> EventRun:
        """Give an event to its handler, once."""
        left = limits.waits_end_at - time.monotonic()
        if left <= 0:
            # Not claimed: if it comes again, it is handled.
            return EventRun(failure=too_late(handler))
        # However slow the store is, the handler has half of what is left.
        store_time = StoreTime(
            min(limits.store_seconds, left / 2), ends_at=limits.waits_end_at
        )
        opened = await self._memory.open(call, arrival, time=store_time)
        if opened is None:
            return EventRun(is_repeat=True)
        notes = frozenset() if opened.is_kept else _STATE_LOST
        try:
            return await self._run(event, handler, opened, store_time, limits, notes)
        except HandlerFailedError as error:
            return EventRun(notes=notes, failure=error.place)

    def is_repeat(self, call: CallKey, arrival: Arrival) -> bool:
        """Tell whether this process knows that an event was handled, or comes late."""
        return self._memory.is_done_with(call, arrival)

    async def run_stateless(
        self, event: Event, handler: Registered, *, ends_at: float
    ) -> EventRun:
        """Give an event to a handler that needs neither a claim nor a state."""
        if time.monotonic() >= ends_at:
            return EventRun(failure=too_late(handler))
        try:
            result = await self._handlers.run(handler, event, {}, ends_at=ends_at)
        except HandlerFailedError as error:
            return EventRun(failure=error.place)
        return EventRun(tuple(result.actions))

    async def end(self, call: CallKey, *, seconds: float) -> frozenset[Reason]:
        """Mark a call as over, where no handler takes its end; return the notes."""
        was_kept = await self._memory.end(call, time=StoreTime(seconds))
        return frozenset() if was_kept else _STATE_LOST

    async def _run(
        self,
        event: Event,
        handler: Registered,
        opened: Opened,
        store_time: StoreTime,
        limits: Limits,
        notes: frozenset[Reason],
    ) -> EventRun:
        seconds = limits.handler_seconds
        while True:
            began = time.monotonic()
            ends_at = min(began + seconds, limits.waits_end_at)
            result = await self._handlers.run(
                handler, event, opened.new_state(), ends_at=ends_at
            )
            # The store's time is not the handler's.
            seconds -= time.monotonic() - began
            if not handler.takes_state or not opened.is_kept:
                return EventRun(tuple(result.actions), notes)
            newer = await self._keep(opened, result, store_time)
            if newer is None:
                return EventRun(tuple(result.actions), notes)
            is_late = seconds <= 0 or time.monotonic() >= limits.waits_end_at
            if is_late or not newer.is_kept:
                return EventRun(tuple(result.actions), _STATE_LOST)
            opened = newer

    async def _keep(
        self, opened: Opened, result: HandlerResult, store_time: StoreTime
    ) -> Opened | None:
        """Keep the state; ``None`` once that is done, else what to go on with."""
        try:
            return await self._memory.keep(opened, result.state, time=store_time)
        except StateUnavailableError:
            return opened._replace(is_kept=False)
