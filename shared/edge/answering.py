"""Answering incoming calls: once per call and process, within the time budget.

A call's notification may come twice, also at the same time: the second one waits
for the first and gets its outcome. Attempts and pauses follow
``shared.core.answers``; blocking requests run on an executor of our own, and pauses
hold no thread.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from shared.core.answers import (
    AnswerCalls,
    Answered,
    AnswerOutcome,
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
from shared.edge.entra import CredentialError
from shared.edge.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from shared.core.notifications import CallNotification
    from shared.edge.graph import GraphClient
    from shared.edge.graph_tokens import GraphTokens

REMEMBERED_CALLS = 10_000
REMEMBERED_SECONDS = 60 * 60
_REMEMBERED_REASONS = frozenset({Reason.ANSWERED, Reason.ANSWER_PRESUMED})


class CallAnswering:
    """Answers calls. For one event loop."""

    def __init__(
        self,
        *,
        graph: GraphClient,
        tokens: GraphTokens,
        executor: Executor,
        callback_host: str,
        partitions: Sequence[str],
    ) -> None:
        """Answer through ``graph``, with callbackUris on ``callback_host``."""
        self._graph = graph
        self._tokens = tokens
        self._executor = executor
        self._callback_host = callback_host
        self._partitions = partitions
        self._answered: BoundedDict[str, float] = BoundedDict(REMEMBERED_CALLS)
        self._answers: SingleFlight[str, AnswerOutcome] = SingleFlight(self._remember)

    async def answer_all(
        self, decision: AnswerCalls, *, received_at: float
    ) -> Answered:
        """Answer the calls of a POST that arrived at ``received_at`` (monotonic)."""
        outcomes = await asyncio.gather(
            *(
                self.answer(call, tenant_id=decision.tenant_id, received_at=received_at)
                for call in decision.calls
            )
        )
        call_ids = [call.call_id for call in decision.calls]
        return Answered(tuple(zip(call_ids, outcomes, strict=True)))

    async def answer(
        self, call: CallNotification, *, tenant_id: str, received_at: float
    ) -> AnswerOutcome:
        """Answer a call that arrived at ``received_at`` (``time.monotonic``)."""
        if self._was_answered(call.call_id):
            return AnswerOutcome(Reason.ALREADY_ANSWERED)
        ends_at = received_at + budget_seconds(call)
        return await asyncio.shield(
            self._answers.start(
                call.call_id,
                lambda: self._answer(
                    call.call_id, tenant_id=tenant_id, ends_at=ends_at
                ),
            )
        )

    def _was_answered(self, call_id: str) -> bool:
        answered_at = self._answered.get(call_id)
        return (
            answered_at is not None
            and time.monotonic() - answered_at < REMEMBERED_SECONDS
        )

    def _remember(self, call_id: str, task: asyncio.Task[AnswerOutcome]) -> None:
        if task.cancelled() or task.exception() is not None:
            return
        if task.result().reason in _REMEMBERED_REASONS:
            self._answered[call_id] = time.monotonic()

    async def _answer(
        self, call_id: str, *, tenant_id: str, ends_at: float
    ) -> AnswerOutcome:
        """Try until Graph's reply is final or the budget is used up."""
        was_reply_lost = was_token_renewed = False
        attempts = 0
        last: AttemptResult | None = None
        while (remaining := ends_at - time.monotonic()) > 0:
            last = await self._attempt(call_id, tenant_id, attempt_seconds(remaining))
            step = next_step(
                last,
                was_reply_lost=was_reply_lost,
                was_token_renewed=was_token_renewed,
            )
            attempts += 1
            if isinstance(step, Reason):
                return _outcome(step, attempts, last)
            if step is NextStep.RENEW_TOKEN:
                was_token_renewed = True
                continue
            was_reply_lost = was_reply_lost or last is Unanswered.NO_REPLY
            pause = pause_seconds(attempts - 1, last)
            if time.monotonic() + pause >= ends_at:
                break
            await asyncio.sleep(pause)
        return _outcome(failure_of(last), attempts, last)

    async def _attempt(
        self, call_id: str, tenant_id: str, seconds: float
    ) -> AttemptResult:
        ends_at = time.monotonic() + seconds
        try:
            token = await self._tokens.token(tenant_id, timeout_seconds=seconds)
        except CredentialError as error:
            return NoCredential(error.retry_after_seconds)
        partition = choose_partition(call_id, self._partitions)
        post = partial(
            self._graph.answer,
            call_id,
            token=token,
            callback_uri=build_callback_uri(self._callback_host, partition),
            ends_at=ends_at,
        )
        loop = asyncio.get_running_loop()
        posted = loop.run_in_executor(self._executor, post)
        # The executor may be busy and name resolution may hang: neither has a deadline.
        done, _pending = await asyncio.wait(
            {posted}, timeout=max(ends_at - time.monotonic(), 0)
        )
        if not done:
            posted.cancel()
            return Unanswered.NO_REPLY
        result = posted.result()
        if isinstance(result, GraphReply) and result.status == HTTPStatus.UNAUTHORIZED:
            self._tokens.forget(tenant_id, token)
        return result


def _outcome(
    reason: Reason, attempts: int, last: AttemptResult | None
) -> AnswerOutcome:
    if isinstance(last, GraphReply):
        return AnswerOutcome(reason, attempts, last.status, last.code)
    return AnswerOutcome(reason, attempts)
