"""Incoming calls: what the bot decides about them, once per call and process.

A call's notification may come twice, also at the same time: the second one waits for
the first and gets its outcome.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from shared.core.attempts import KEPT_FOR_GRAPH_SECONDS, budget_seconds
from shared.core.bounded import BoundedDict
from shared.core.call_records import Arrival, CallKey
from shared.core.call_requests import request_for_incoming
from shared.core.incoming import Choice, choose, outcome_of
from shared.core.outcomes import ItemOutcome
from shared.core.reasons import Reason
from shared.edge.event_runs import EventRun, Limits
from shared.edge.handler_runs import too_late
from shared.edge.single_flight import SingleFlight
from shared.edge.telemetry import log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.core.answering_health import AnsweringHealth
    from shared.core.bot import Bot
    from shared.core.event_types import Incoming
    from shared.core.handlers import Registered
    from shared.core.notifications import CallNotification
    from shared.core.outcomes import ActionOutcome
    from shared.edge.call_control import CallControl
    from shared.edge.event_runs import EventRuns
    from shared.edge.turns import Turns

REMEMBERED_CALLS = 10_000
REMEMBERED_SECONDS = 60 * 60
HANDLER_SECONDS = 3.0
RECORDING_HANDLER_SECONDS = 1.0
STORE_SECONDS = 1.0


class _Remembered(NamedTuple):
    reason: Reason
    at: float


class CallAnswering:
    """Answers, rejects or redirects calls. For one event loop."""

    def __init__(
        self,
        bot: Bot,
        runs: EventRuns,
        control: CallControl,
        turns: Turns,
        health: AnsweringHealth,
        *,
        callback_uri_for: Callable[[str], str],
    ) -> None:
        """Do what ``bot`` decides, with the callbackUri of a call's partition."""
        self._bot = bot
        self._runs = runs
        self._control = control
        self._turns = turns
        self._health = health
        self._callback_uri_for = callback_uri_for
        # By ``CallKey.path``: the same call may be spelt in capitals.
        self._done: BoundedDict[str, _Remembered] = BoundedDict(REMEMBERED_CALLS)
        self._followed_up: BoundedDict[str, float] = BoundedDict(REMEMBERED_CALLS)
        # Graph may have taken what was asked of it, but its reply was lost.
        self._unheard: BoundedDict[str, float] = BoundedDict(REMEMBERED_CALLS)
        self._answers: SingleFlight[str, ItemOutcome] = SingleFlight(
            lambda _call, _task: None
        )

    def note_follow_ups(self, tenant_id: str, call_ids: Iterable[str]) -> None:
        """Note that these calls have been answered, whoever did it."""
        now = time.monotonic()
        for call_id in call_ids:
            self._followed_up[CallKey(tenant_id, call_id).path] = now

    async def answer(
        self,
        call: CallNotification,
        event: Incoming,
        *,
        received_at: float,
        not_before: float,
    ) -> ItemOutcome:
        """Do what the bot decides about a call, or the default.

        Args:
            call: an incoming call.
            event: of the same, for the bot.
            received_at: when the POST arrived (``time.monotonic``).
            not_before: when the token became valid (epoch seconds).
        """
        key = CallKey(event.call.tenant_id, call.call_id)
        done = self._done.get(key.path)
        if done is not None and _is_recent(done.at):
            return ItemOutcome(done.reason)
        outcome = await asyncio.shield(
            self._answers.start(
                key.path, lambda: self._answer(key, call, event, received_at)
            )
        )
        if outcome.reason is Reason.ANSWER_REFUSED:
            is_late = time.time() - not_before > budget_seconds(call)
            was_followed_up = _is_recent(self._followed_up.get(key.path))
            return outcome._replace(was_expected=is_late or was_followed_up)
        return outcome

    async def _answer(
        self, key: CallKey, call: CallNotification, event: Incoming, received_at: float
    ) -> ItemOutcome:
        ends_at = received_at + budget_seconds(call)
        choice = await self._choose(key, event, ends_at)
        callback_uri = self._callback_uri_for(event.call.partition)
        request = request_for_incoming(choice.action, callback_uri)
        ended = await self._control.carry_out(
            key,
            request,
            ends_at=ends_at,
            was_reply_lost=_is_recent(self._unheard.get(key.path)),
        )
        if ended.was_reply_lost:
            self._unheard[key.path] = time.monotonic()
        self._judge(is_done=ended.reason is request.done, ended=ended)
        if ended.reason in {request.done, request.presumed} and request.again:
            self._done[key.path] = _Remembered(request.again, time.monotonic())
        return outcome_of(choice, request, ended)

    def _judge(self, *, is_done: bool, ended: ActionOutcome) -> None:
        """Learn from how a call ended whether this process can answer calls."""
        before, had_failed = self._health.current(), self._health.has_failed
        if is_done:
            self._health.note_success()
        elif ended.is_regional:
            self._health.note_failure()
        if self._health.current() == "failing" and before != "failing":
            log_event(logging.ERROR, "answering.failing", reason=ended.reason.value)
        elif had_failed and not self._health.has_failed:
            log_event(logging.INFO, "answering.ok")

    async def _choose(self, key: CallKey, event: Incoming, ends_at: float) -> Choice:
        """Ask the bot's handler what this call gets, if there is one."""
        handler = self._bot.handler_for(event)
        if handler is None:
            run = EventRun()
        else:
            run = await self._run(key, event, handler, ends_at - KEPT_FOR_GRAPH_SECONDS)
        choice = choose(
            run.actions,
            self._bot.otherwise,
            is_policy_recording=event.is_policy_recording,
        )
        return choice._replace(failure=run.failure, notes=run.notes)

    async def _run(
        self, key: CallKey, event: Incoming, handler: Registered, waits_end_at: float
    ) -> EventRun:
        """Run the handler in the call's turn, which ends before Graph is asked."""
        seconds = HANDLER_SECONDS
        if event.is_policy_recording:
            seconds = RECORDING_HANDLER_SECONDS
        left = max(waits_end_at - time.monotonic(), 0)
        try:
            async with self._turns.turn(key.path, timeout_seconds=left):
                if handler.takes_state:
                    arrival = Arrival(None, is_late_allowed=True)
                    limits = Limits(seconds, STORE_SECONDS, waits_end_at)
                    return await self._runs.run(key, event, handler, arrival, limits)
                ends_at = min(time.monotonic() + seconds, waits_end_at)
                return await self._runs.run_stateless(event, handler, ends_at=ends_at)
        except TimeoutError:
            return EventRun(failure=too_late(handler))


def _is_recent(at: float | None) -> bool:
    """Tell whether what happened at a time (monotonic) still counts."""
    return at is not None and time.monotonic() - at < REMEMBERED_SECONDS
