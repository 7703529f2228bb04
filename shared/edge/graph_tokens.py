"""Tokens for Graph, one per tenant, kept and renewed before they end.

While a renewal fails, the old token serves as long as it lives.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.core.bounded import BoundedDict
from shared.core.reasons import Reason
from shared.edge.entra import CredentialError
from shared.edge.single_flight import SingleFlight
from shared.edge.telemetry import log_event

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from shared.edge.entra import AccessToken, EntraClient

_MAX_TENANTS = 1_000
# A token this close to its end may end on the way.
_SPENT_SECONDS = 10
_RENEWAL_PAUSE_SECONDS = 30


@dataclass(slots=True)
class _Held:
    """A token and when to try to renew it, in epoch seconds."""

    token: AccessToken
    renew_at: float


class GraphTokens:
    """Hands out tokens for Graph. For one event loop; blocking work runs elsewhere."""

    def __init__(self, entra: EntraClient, executor: Executor) -> None:
        """Hand out what ``entra`` acquires on threads of ``executor``."""
        self._entra = entra
        self._executor = executor
        # In the order of their last use.
        self._held: BoundedDict[str, _Held] = BoundedDict(_MAX_TENANTS)
        self._acquiring: SingleFlight[str, AccessToken] = SingleFlight(_log_failure)

    async def token(self, tenant_id: str, *, timeout_seconds: float) -> str:
        """Return a token for Graph in ``tenant_id`` (a vetted GUID).

        Raises:
            CredentialError: none was obtained within ``timeout_seconds``.
        """
        now = time.time()
        held = self._held.get(tenant_id)
        if held is None or now >= held.token.expires_at - _SPENT_SECONDS:
            return await self._acquired(tenant_id, timeout_seconds)
        self._held.move_to_end(tenant_id)
        if now >= held.renew_at:
            held.renew_at = now + _RENEWAL_PAUSE_SECONDS
            self._start(tenant_id)
        return held.token.value

    def forget(self, tenant_id: str, token: str) -> None:
        """Drop a token that Graph refused, unless it has been replaced already."""
        held = self._held.get(tenant_id)
        if held is not None and held.token.value == token:
            del self._held[tenant_id]

    async def _acquired(self, tenant_id: str, timeout_seconds: float) -> str:
        task = self._start(tenant_id)
        done, _pending = await asyncio.wait({task}, timeout=timeout_seconds)
        if not done:
            message = "no token in time"
            raise CredentialError(message)
        return task.result().value

    def _start(self, tenant_id: str) -> asyncio.Task[AccessToken]:
        return self._acquiring.start(tenant_id, lambda: self._acquire(tenant_id))

    async def _acquire(self, tenant_id: str) -> AccessToken:
        loop = asyncio.get_running_loop()
        token = await loop.run_in_executor(
            self._executor, self._entra.acquire, tenant_id
        )
        self._held[tenant_id] = _Held(token, token.renew_at)
        return token


def _log_failure(tenant_id: str, task: asyncio.Task[AccessToken]) -> None:
    if task.cancelled() or (error := task.exception()) is None:
        return
    log_event(
        logging.ERROR,
        "credential.failed",
        reason=Reason.CREDENTIAL_UNAVAILABLE.value,
        next_step=Reason.CREDENTIAL_UNAVAILABLE.next_step,
        tenant_id=tenant_id,
        detail=str(error),
    )
