"""Answering incoming calls: once per call and process, within the time budget.

A call's notification may come twice, also at the same time: the second one waits
for the first and gets its outcome. Attempts and pauses follow
``shared.core.answers``; blocking requests run on an executor of our own, and pauses
hold no thread.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from shared.core.answers import (
    Attempt,
    AttemptEnd,
    GraphReply,
    NoCredential,
    Verdict,
    attempt_seconds,
    budget_seconds,
    failure_of,
    judge,
    pause_seconds,
)
from shared.core.partitions import build_callback_uri, choose_partition
from shared.core.reasons import Reason
from shared.edge.credentials import CredentialError, GraphCredentials

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from shared.core.notifications import CallNotification
    from shared.edge.graph import GraphClient

REMEMBERED_CALLS = 10_000
REMEMBERED_SECONDS = 60 * 60
# Also where Graph says Retry-After: 0, or an endless loop would hammer it.
_SHORTEST_PAUSE_SECONDS = 0.25
_REMEMBERED_REASONS = frozenset({Reason.ANSWERED, Reason.ANSWER_PRESUMED})


class Outcome(NamedTuple):
    """How answering a call ended.

    Attributes:
        reason: why; ``is_unavailable`` tells whether the call may come again.
        attempts: requests to Graph; 0 where the call had been answered before.
        graph_code: Graph's error code of the last reply.
    """

    reason: Reason
    attempts: int = 0
    graph_status: int | None = None
    graph_code: str | None = None

    @property
    def is_unavailable(self) -> bool:
        """Tell whether the POST must be refused with 503, so that it comes again."""
        return self.reason in {
            Reason.ANSWER_UNAVAILABLE,
            Reason.CREDENTIAL_UNAVAILABLE,
        }


class CallAnswering:
    """Answers calls. For one event loop."""

    def __init__(
        self,
        *,
        graph: GraphClient,
        credentials: GraphCredentials,
        executor: Executor,
        callback_host: str,
        partitions: Sequence[str],
    ) -> None:
        """Answer through ``graph``, with callbackUris on ``callback_host``."""
        self._graph = graph
        self._credentials = credentials
        self._executor = executor
        self._callback_host = callback_host
        self._partitions = partitions
        self._answered: OrderedDict[str, float] = OrderedDict()
        self._running: dict[str, asyncio.Task[Outcome]] = {}

    async def answer(
        self, call: CallNotification, *, tenant_id: str, received_at: float
    ) -> Outcome:
        """Answer a call that arrived at ``received_at`` (``time.monotonic``)."""
        if self._was_answered(call.call_id):
            return Outcome(Reason.ALREADY_ANSWERED)
        task = self._running.get(call.call_id)
        if task is None:
            ends_at = received_at + budget_seconds(call)
            task = asyncio.create_task(
                self._answer(call.call_id, tenant_id=tenant_id, ends_at=ends_at)
            )
            self._running[call.call_id] = task
            task.add_done_callback(partial(self._finish, call.call_id))
        return await asyncio.shield(task)

    def _was_answered(self, call_id: str) -> bool:
        answered_at = self._answered.get(call_id)
        return (
            answered_at is not None
            and time.monotonic() - answered_at < REMEMBERED_SECONDS
        )

    def _finish(self, call_id: str, task: asyncio.Task[Outcome]) -> None:
        del self._running[call_id]
        if task.cancelled() or task.exception() is not None:
            return
        if task.result().reason in _REMEMBERED_REASONS:
            self._answered[call_id] = time.monotonic()
            self._answered.move_to_end(call_id)
            if len(self._answered) > REMEMBERED_CALLS:
                self._answered.popitem(last=False)

    async def _answer(self, call_id: str, *, tenant_id: str, ends_at: float) -> Outcome:
        """Try until Graph's reply is final or the budget is used up."""
        was_reply_lost = was_token_renewed = False
        attempts = 0
        last: AttemptEnd | None = None
        while (remaining := ends_at - time.monotonic()) > 0:
            last = await self._attempt(call_id, tenant_id, attempt_seconds(remaining))
            verdict = judge(
                last,
                was_reply_lost=was_reply_lost,
                was_token_renewed=was_token_renewed,
            )
            attempts += 1
            if isinstance(verdict, Reason):
                return _outcome(verdict, attempts, last)
            if verdict is Verdict.RENEW_TOKEN:
                was_token_renewed = True
                continue
            was_reply_lost = was_reply_lost or last is Attempt.NO_REPLY
            pause = max(pause_seconds(attempts - 1, last), _SHORTEST_PAUSE_SECONDS)
            if time.monotonic() + pause >= ends_at:
                break
            await asyncio.sleep(pause)
        return _outcome(failure_of(last), attempts, last)

    async def _attempt(
        self, call_id: str, tenant_id: str, seconds: float
    ) -> AttemptEnd:
        ends_at = time.monotonic() + seconds
        try:
            token = await self._credentials.token(tenant_id, timeout_seconds=seconds)
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
            return Attempt.NO_REPLY
        reply = posted.result()
        if isinstance(reply, GraphReply) and reply.status == HTTPStatus.UNAUTHORIZED:
            self._credentials.forget(tenant_id, token)
        return reply


def _outcome(reason: Reason, attempts: int, last: AttemptEnd | None) -> Outcome:
    if isinstance(last, GraphReply):
        return Outcome(reason, attempts, last.status, last.code)
    return Outcome(reason, attempts)
