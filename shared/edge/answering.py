"""Answering incoming calls: once per call and process, within the time budget.

A call's notification may come twice, also at the same time: the second one waits
for the first and gets its outcome. Attempts and pauses follow
``shared.core.attempts``; blocking requests run on an executor of our own, and pauses
hold neither a thread nor a place.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from shared.core.answers import (
    AnswerCalls,
    Answered,
    AnswerOutcome,
    CallAction,
    action_for,
)
from shared.core.attempts import (
    AttemptResult,
    GraphReply,
    NextStep,
    NoCredential,
    Unanswered,
    attempt_seconds,
    budget_seconds,
    failure_of,
    next_step,
    pause_seconds,
)
from shared.core.bounded import BoundedDict
from shared.core.partitions import build_callback_uri, choose_partition
from shared.core.reasons import Reason
from shared.edge.graph import MAX_REPLY_BYTES
from shared.edge.places import Places
from shared.edge.single_flight import SingleFlight
from shared.edge.tls import Transfer
from shared.edge.token_client import CredentialError, CredentialRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shared.core.notifications import CallNotification
    from shared.edge.graph import GraphClient
    from shared.edge.graph_tokens import GraphTokens

# Answers wait for Graph on threads of their own, not on the event loop and not on the
# worker's own pool, which may be as small as five.
PLACES = 128
PLACES_PER_TENANT = 64
REMEMBERED_CALLS = 10_000
REMEMBERED_SECONDS = 60 * 60


class _Call(NamedTuple):
    """A call of a tenant: another tenant's token must not meet it."""

    tenant_id: str
    call_id: str


class _Remembered(NamedTuple):
    reason: Reason
    at: float


class CallAnswering:
    """Answers calls. For one event loop."""

    def __init__(
        self,
        *,
        graph: GraphClient,
        tokens: GraphTokens,
        callback_host: str,
        partitions: Sequence[str],
        places: int = PLACES,
        places_per_tenant: int = PLACES_PER_TENANT,
    ) -> None:
        """Answer through ``graph``, with callbackUris on ``callback_host``."""
        self._graph = graph
        self._tokens = tokens
        self._callback_host = callback_host
        self._partitions = partitions
        self._executor = ThreadPoolExecutor(places, thread_name_prefix="calling")
        self._places = Places(places, per_tenant=places_per_tenant)
        self._done: BoundedDict[_Call, _Remembered] = BoundedDict(REMEMBERED_CALLS)
        self._followed_up: BoundedDict[_Call, float] = BoundedDict(REMEMBERED_CALLS)
        self._answers: SingleFlight[_Call, AnswerOutcome] = SingleFlight(
            lambda _call, _task: None
        )

    def close(self) -> None:
        """End the threads."""
        self._executor.shutdown()

    def note_follow_ups(self, tenant_id: str, call_ids: Iterable[str]) -> None:
        """Note that these calls have been answered, whoever did it."""
        now = time.monotonic()
        for call_id in call_ids:
            self._followed_up[_Call(tenant_id, call_id)] = now

    async def answer_all(
        self, decision: AnswerCalls, *, received_at: float
    ) -> Answered:
        """Answer the calls of a POST that arrived at ``received_at`` (monotonic)."""
        outcomes = await asyncio.gather(
            *(
                self.answer(
                    call,
                    tenant_id=decision.tenant_id,
                    received_at=received_at,
                    not_before=decision.not_before,
                )
                for call in decision.calls
            )
        )
        call_ids = [call.call_id for call in decision.calls]
        barred = [
            (call.call_id, AnswerOutcome(Reason.REGION_REQUIRED))
            for call in decision.barred
        ]
        return Answered((*zip(call_ids, outcomes, strict=True), *barred))

    async def answer(
        self,
        call: CallNotification,
        *,
        tenant_id: str,
        received_at: float,
        not_before: float,
    ) -> AnswerOutcome:
        """Answer a call, or reject it where nobody could record it.

        Args:
            call: an incoming call.
            tenant_id: of the token.
            received_at: when the POST arrived (``time.monotonic``).
            not_before: when the token became valid (epoch seconds).
        """
        key = _Call(tenant_id, call.call_id)
        now = time.monotonic()
        done = self._done.get(key)
        if done is not None and now - done.at < REMEMBERED_SECONDS:
            return AnswerOutcome(done.reason)
        outcome = await asyncio.shield(
            self._answers.start(key, lambda: self._answer(key, call, received_at))
        )
        if outcome.is_refused:
            budget = budget_seconds(call)
            is_late = time.time() - not_before > budget
            return outcome._replace(was_expected=is_late or self._was_followed_up(key))
        return outcome

    def _was_followed_up(self, key: _Call) -> bool:
        seen_at = self._followed_up.get(key)
        return seen_at is not None and time.monotonic() - seen_at < REMEMBERED_SECONDS

    async def _answer(
        self, key: _Call, call: CallNotification, received_at: float
    ) -> AnswerOutcome:
        partition = choose_partition(key.call_id, self._partitions)
        action = action_for(call, build_callback_uri(self._callback_host, partition))
        outcome = await self._try(key, action, received_at + budget_seconds(call))
        if outcome.reason in {action.done, Reason.ANSWER_PRESUMED}:
            self._done[key] = _Remembered(action.again, time.monotonic())
        note = action.note if action.note is not outcome.reason else None
        return outcome._replace(note=note)

    async def _try(
        self, key: _Call, action: CallAction, ends_at: float
    ) -> AnswerOutcome:
        """Try until Graph's reply is final or the budget is used up."""
        was_reply_lost = was_token_renewed = False
        requests = pauses = 0
        last: AttemptResult | None = None
        while time.monotonic() < ends_at:
            last = await self._attempt(key, action, ends_at)
            requests += isinstance(last, GraphReply) or last is Unanswered.NO_REPLY
            step = next_step(
                last,
                action.done,
                was_reply_lost=was_reply_lost,
                was_token_renewed=was_token_renewed,
            )
            if isinstance(step, Reason):
                return _outcome(step, requests, last)
            if step is NextStep.RENEW_TOKEN:
                was_token_renewed = True
                continue
            was_reply_lost = was_reply_lost or last is Unanswered.NO_REPLY
            pause = pause_seconds(pauses, last)
            pauses += 1
            if time.monotonic() + pause >= ends_at:
                break
            await asyncio.sleep(pause)
        return _outcome(failure_of(last), requests, last)

    async def _attempt(
        self, key: _Call, action: CallAction, ends_at: float
    ) -> AttemptResult:
        seconds = ends_at - time.monotonic()
        try:
            async with self._places.place(key.tenant_id, timeout_seconds=seconds):
                seconds = attempt_seconds(ends_at - time.monotonic())
                attempt_ends_at = time.monotonic() + seconds
                token = await self._tokens.token(key.tenant_id, timeout_seconds=seconds)
                return await self._send(key, action, token, attempt_ends_at)
        except TimeoutError:
            return Unanswered.NOT_SENT
        except CredentialRefusedError as error:
            return NoCredential(refused_code=error.code)
        except CredentialError as error:
            return NoCredential(error.retry_after_seconds)

    async def _send(
        self, key: _Call, action: CallAction, token: str, ends_at: float
    ) -> AttemptResult:
        """Send one request on a thread, and wait for its end or ``ends_at``.

        The executor may be busy and name resolution may hang: neither has a deadline.
        What was not sent by then is never sent.
        """
        transfer = Transfer(ends_at=ends_at, max_bytes=MAX_REPLY_BYTES)
        try:
            sent = asyncio.get_running_loop().run_in_executor(
                self._executor,
                lambda: self._graph.send(
                    key.call_id, action, token=token, transfer=transfer
                ),
            )
        except RuntimeError:  # no thread to be had; the executor keeps the work anyway
            transfer.give_up()
            return Unanswered.NOT_SENT
        done, _pending = await asyncio.wait(
            {sent}, timeout=max(ends_at - time.monotonic(), 0)
        )
        if not done:
            sent.cancel()
            return Unanswered.NO_REPLY if transfer.give_up() else Unanswered.NOT_SENT
        result = sent.result()
        if isinstance(result, GraphReply) and result.status == HTTPStatus.UNAUTHORIZED:
            self._tokens.forget(key.tenant_id, token)
        return result


def _outcome(
    reason: Reason, attempts: int, last: AttemptResult | None
) -> AnswerOutcome:
    if isinstance(last, GraphReply):
        return AnswerOutcome(reason, attempts, last.status, last.code)
    if isinstance(last, NoCredential):
        return AnswerOutcome(reason, attempts, entra_code=last.refused_code)
    return AnswerOutcome(reason, attempts)
