"""What follows after an answer: the bot's handlers, and the actions that they return.

The events of a call are handled one after the other, actions included. Where a handler
or an action failed, a handler of ``failed`` gets its chance before the next event.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from shared.core.attempts import (
    FAILED_BUDGET_SECONDS,
    FOLLOW_UP_BUDGET_SECONDS,
    KEPT_FOR_GRAPH_SECONDS,
)
from shared.core.call_records import Arrival
from shared.core.event_types import Failed, OperationCompleted, Terminated
from shared.core.events import claim_of
from shared.core.outcomes import ItemOutcome
from shared.core.reasons import Reason
from shared.edge.event_runs import EventRun, Limits
from shared.edge.handler_runs import too_late

if TYPE_CHECKING:
    from shared.core.actions import Action
    from shared.core.bot import Bot
    from shared.core.call_records import CallKey
    from shared.core.event_types import Event
    from shared.core.handlers import Registered
    from shared.edge.call_control import CallControl
    from shared.edge.event_runs import EventRuns
    from shared.edge.turns import Turns

HANDLER_SECONDS = 5.0
STORE_SECONDS = 2.0
FAILED_CALLS = 3
# What a handler of ``failed`` is called for.
_FAILURES = frozenset(
    {Reason.BOT_FAILED, Reason.ACTION_REFUSED, Reason.ACTION_UNAVAILABLE}
)


class _Carried(NamedTuple):
    """How an event and its actions ended.

    Attributes:
        stopped_at: the action that failed, if one did.
    """

    outcome: ItemOutcome
    stopped_at: Action | None = None


class FollowUps:
    """Handles events of calls that are up. For one event loop."""

    def __init__(
        self, bot: Bot, runs: EventRuns, control: CallControl, turns: Turns
    ) -> None:
        """Let the handlers of ``bot`` decide, and ``control`` carry that out."""
        self._bot = bot
        self._runs = runs
        self._control = control
        self._turns = turns
        self._ending: set[asyncio.Task[None]] = set()

    async def handle(
        self, call: CallKey, event: Event, otherwise: Reason, *, received_at: float
    ) -> ItemOutcome:
        """Handle an event; ``otherwise`` is the reason where no handler takes it.

        Args:
            call: which one.
            event: of one item.
            otherwise: such as ``follow-up``.
            received_at: when the POST arrived (``time.monotonic``).
        """
        handler = self._bot.handler_for(event)
        if handler is None:
            if isinstance(event, Terminated):
                return await self._end_unhandled(call, otherwise, received_at)
            return ItemOutcome(otherwise)
        arrival = Arrival(
            claim_of(event),
            is_end=isinstance(event, Terminated),
            is_late_allowed=isinstance(event, OperationCompleted),
        )
        # A repeat does not wait for its turn, so it cannot run out of time.
        if self._runs.is_repeat(call, arrival):
            return ItemOutcome(Reason.ALREADY_HANDLED)
        budget = FOLLOW_UP_BUDGET_SECONDS
        if self._bot.handles(Failed):
            budget = FAILED_BUDGET_SECONDS
        left = received_at + budget - KEPT_FOR_GRAPH_SECONDS - time.monotonic()
        try:
            async with self._turns.turn(call.path, timeout_seconds=max(left, 0)):
                return await self._in_turn(call, event, handler, arrival, received_at)
        except TimeoutError:
            if isinstance(event, Terminated):
                self._end_later(call)
            return ItemOutcome(Reason.BOT_FAILED, failure=too_late(handler))

    async def _in_turn(
        self,
        call: CallKey,
        event: Event,
        handler: Registered,
        arrival: Arrival,
        received_at: float,
    ) -> ItemOutcome:
        ends_at = received_at + FOLLOW_UP_BUDGET_SECONDS
        if arrival.is_end and time.monotonic() >= ends_at - KEPT_FOR_GRAPH_SECONDS:
            # Too late for its handler; the call is over all the same.
            await self._runs.end(call, seconds=KEPT_FOR_GRAPH_SECONDS)
        first = await self._event(call, event, handler, arrival, ends_at)
        return await self._after_failures(call, event, first, received_at)

    async def _end_unhandled(
        self, call: CallKey, otherwise: Reason, received_at: float
    ) -> ItemOutcome:
        """Mark a call as over where no handler takes its end."""
        ends_at = received_at + FOLLOW_UP_BUDGET_SECONDS
        left = ends_at - KEPT_FOR_GRAPH_SECONDS - time.monotonic()
        try:
            async with self._turns.turn(call.path, timeout_seconds=max(left, 0)):
                left = max(ends_at - time.monotonic(), 0)
                seconds = min(STORE_SECONDS, left)
                notes = await self._runs.end(call, seconds=seconds)
                return ItemOutcome(otherwise, notes=notes)
        except TimeoutError:
            self._end_later(call)
            return ItemOutcome(otherwise)

    async def _after_failures(
        self, call: CallKey, event: Event, first: _Carried, received_at: float
    ) -> ItemOutcome:
        """Call handlers of ``failed`` while something fails, three times at most."""
        outcome, last = first.outcome, first
        for _ in range(FAILED_CALLS):
            is_first = last is first
            if last.outcome.reason not in _FAILURES:
                break
            if last.outcome.reason is Reason.BOT_FAILED and not is_first:
                break
            failure = _failure_of(event, last)
            handler = self._bot.handler_for(failure)
            if handler is None:
                break
            arrival = Arrival(None, is_late_allowed=True)
            ends_at = received_at + FAILED_BUDGET_SECONDS
            last = await self._event(call, failure, handler, arrival, ends_at)
            outcome = _joined(outcome, last.outcome)
        return outcome

    async def _event(
        self,
        call: CallKey,
        event: Event,
        handler: Registered,
        arrival: Arrival,
        ends_at: float,
    ) -> _Carried:
        """Give an event to its handler, and carry out what that returns."""
        waits_end_at = ends_at - KEPT_FOR_GRAPH_SECONDS
        limits = Limits(HANDLER_SECONDS, STORE_SECONDS, waits_end_at)
        run = await self._runs.run(call, event, handler, arrival, limits)
        if run.is_repeat:
            return _Carried(ItemOutcome(Reason.ALREADY_HANDLED))
        if run.failure is not None:
            return _Carried(
                ItemOutcome(Reason.BOT_FAILED, notes=run.notes, failure=run.failure)
            )
        return await self._carry_out(call, run, ends_at)

    async def _carry_out(
        self, call: CallKey, run: EventRun, ends_at: float
    ) -> _Carried:
        """Carry out what a handler returned."""
        ended = await self._control.carry_out_all(call, run.actions, ends_at=ends_at)
        reason = ended[-1].reason if ended else Reason.HANDLED
        outcome = ItemOutcome(reason, ended, run.notes)
        is_stopped = reason is not Reason.HANDLED
        return _Carried(outcome, run.actions[len(ended) - 1] if is_stopped else None)

    def _end_later(self, call: CallKey) -> None:
        """Mark a call as over once its turn comes, though nobody waits for that."""

        async def end() -> None:
            async with self._turns.turn(call.path, timeout_seconds=None):
                await self._runs.end(call, seconds=STORE_SECONDS)

        task = asyncio.create_task(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _joined(first: ItemOutcome, later: ItemOutcome) -> ItemOutcome:
    """Add to how an event ended how a handler of ``failed`` did."""
    notes = first.notes | later.notes
    if Reason.BOT_FAILED in {later.reason} - {first.reason}:
        notes |= {Reason.BOT_FAILED}
    return first._replace(
        actions=first.actions + later.actions,
        notes=notes,
        failure=first.failure or later.failure,
    )


def _failure_of(event: Event, last: _Carried) -> Failed:
    """Tell a handler of ``failed`` what failed; ``during`` stays the first event."""
    failed = Failed(
        call=event.call,
        raw=event.raw,
        reason=last.outcome.reason.value,
        during=event.name,
    )
    ended = last.outcome.actions
    if last.stopped_at is None or not ended:
        return failed
    return replace(
        failed,
        action=last.stopped_at.name,
        client_context=last.stopped_at.client_context,
        status=ended[-1].status,
        graph_code=ended[-1].graph_code,
    )
