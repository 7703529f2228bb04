"""Carrying out one action on a call through Graph, within a time budget.

Attempts and pauses follow ``shared.core.attempts``. Blocking requests run on threads of
our own, and pauses hold neither a thread nor a place.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING

from shared.core.attempts import (
    AttemptResult,
    GraphReply,
    NextStep,
    NoCredential,
    Unanswered,
    attempt_seconds,
    failure_of,
    is_regional,
    next_step,
    pause_seconds,
)
from shared.core.call_requests import request_for_event
from shared.core.outcomes import ActionOutcome
from shared.core.reasons import Reason
from shared.edge.graph import MAX_REPLY_BYTES
from shared.edge.outbound import has_ended
from shared.edge.places import Places
from shared.edge.tls import Transfer
from shared.edge.token_client import CredentialError, CredentialRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.core.actions import Action
    from shared.core.call_records import CallKey
    from shared.core.call_requests import CallRequest
    from shared.edge.graph import GraphClient
    from shared.edge.graph_tokens import GraphTokens

# Requests wait for Graph on threads of their own, not on the event loop and not on the
# worker's own pool, which may be as small as five.
PLACES = 128
PLACES_PER_TENANT = 64


class CallControl:
    """Carries out actions, so many at a time. For one event loop."""

    def __init__(
        self,
        graph: GraphClient,
        tokens: GraphTokens,
        *,
        places: int = PLACES,
        places_per_tenant: int = PLACES_PER_TENANT,
    ) -> None:
        """Ask ``graph``, with tokens of each call's tenant."""
        self._graph = graph
        self._tokens = tokens
        self._executor = ThreadPoolExecutor(places, thread_name_prefix="calling")
        self._places = Places(places, per_tenant=places_per_tenant)

    def close(self) -> None:
        """End the threads."""
        self._executor.shutdown()

    async def carry_out_all(
        self, call: CallKey, actions: Iterable[Action], *, ends_at: float
    ) -> tuple[ActionOutcome, ...]:
        """Carry out the actions of an event in order; the first that fails is last."""
        ended: list[ActionOutcome] = []
        for action in actions:
            request = request_for_event(action)
            ended.append(await self.carry_out(call, request, ends_at=ends_at))
            if ended[-1].reason is not Reason.HANDLED:
                break
        return tuple(ended)

    async def carry_out(
        self,
        call: CallKey,
        request: CallRequest,
        *,
        ends_at: float,
        was_reply_lost: bool = False,
    ) -> ActionOutcome:
        """Try until Graph's reply is final, or until ``ends_at`` (monotonic).

        ``was_reply_lost``: an earlier POST has led to the same request, whose reply was
        lost.
        """
        was_token_renewed = False
        requests = pauses = 0
        last: AttemptResult | None = None
        while time.monotonic() < ends_at:
            last = await self._attempt(call, request, ends_at)
            requests += isinstance(last, GraphReply) or last is Unanswered.NO_REPLY
            step = next_step(
                last,
                request,
                was_reply_lost=was_reply_lost,
                was_token_renewed=was_token_renewed,
            )
            if isinstance(step, Reason):
                return _outcome(request, step, requests, last)
            if step is NextStep.RENEW_TOKEN:
                was_token_renewed = True
                continue
            was_reply_lost = was_reply_lost or last is Unanswered.NO_REPLY
            pause = pause_seconds(pauses, last)
            pauses += 1
            if time.monotonic() + pause >= ends_at:
                break
            await asyncio.sleep(pause)
        ended = _outcome(request, failure_of(last, request), requests, last)
        return ended._replace(was_reply_lost=was_reply_lost)

    async def _attempt(
        self, call: CallKey, request: CallRequest, ends_at: float
    ) -> AttemptResult:
        seconds = ends_at - time.monotonic()
        try:
            async with self._places.place(call.tenant_id, timeout_seconds=seconds):
                seconds = attempt_seconds(ends_at - time.monotonic(), request)
                attempt_ends_at = time.monotonic() + seconds
                token = await self._tokens.token(
                    call.tenant_id, timeout_seconds=seconds
                )
                return await self._send(call, request, token, attempt_ends_at)
        except TimeoutError:
            return Unanswered.NO_PLACE
        except CredentialRefusedError as error:
            return NoCredential(refused_code=error.code, is_regional=error.is_regional)
        except CredentialError as error:
            return NoCredential(
                error.retry_after_seconds, is_regional=error.is_regional
            )

    async def _send(
        self, call: CallKey, request: CallRequest, token: str, ends_at: float
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
                    call.call_id, request, token=token, transfer=transfer
                ),
            )
        except RuntimeError:  # no thread to be had; the executor keeps the work anyway
            transfer.give_up()
            return Unanswered.NO_PLACE
        if not await has_ended(sent, transfer):
            sent.cancel()
            return Unanswered.NO_REPLY if transfer.give_up() else Unanswered.NOT_SENT
        result = sent.result()
        if isinstance(result, GraphReply) and result.status == HTTPStatus.UNAUTHORIZED:
            self._tokens.forget(call.tenant_id, token)
        return result


def _outcome(
    request: CallRequest, reason: Reason, attempts: int, last: AttemptResult | None
) -> ActionOutcome:
    ended = ActionOutcome(request.name, reason, attempts, is_regional=is_regional(last))
    match last:
        case GraphReply():
            return ended._replace(status=last.status, graph_code=last.code)
        case NoCredential():
            return ended._replace(entra_code=last.refused_code)
        case _:
            return ended
