"""Tokens for Graph, one per tenant, kept and renewed before they end.

While a renewal fails, the old token serves as long as it lives. Where Entra refuses for
good and no token is held, the tenant's next calls are told so for 30 s without asking.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from shared.core.bounded import BoundedDict
from shared.core.reasons import Reason
from shared.edge.entra import ACQUIRE_SECONDS, CredentialError, CredentialRefusedError
from shared.edge.single_flight import SingleFlight
from shared.edge.telemetry import log_event
from shared.edge.threads import DaemonThreads

if TYPE_CHECKING:
    from shared.edge.entra import AccessToken, EntraClient

_MAX_TENANTS = 1_000
_MAX_THREADS = 32
# A token this close to its end may end on the way.
_SPENT_SECONDS = 10
_RENEWAL_PAUSE_SECONDS = 30
_REFUSED_SECONDS = 30


@dataclass(slots=True)
class _Held:
    """A token and when to try to renew it, in epoch seconds."""

    token: AccessToken
    renew_at: float


@dataclass(slots=True)
class _Refused:
    """A final refusal, and until when it is told without asking (epoch seconds)."""

    error: CredentialRefusedError
    until: float


class GraphTokens:
    """Hands out tokens for Graph. For one event loop; blocking work runs elsewhere."""

    def __init__(self, entra: EntraClient) -> None:
        """Hand out what ``entra`` acquires."""
        self._entra = entra
        self._threads = DaemonThreads("entra", at_most=_MAX_THREADS)
        # In the order of their last use.
        self._held: BoundedDict[str, _Held] = BoundedDict(_MAX_TENANTS)
        self._refused: BoundedDict[str, _Refused] = BoundedDict(_MAX_TENANTS)
        self._acquiring: SingleFlight[str, AccessToken] = SingleFlight(_log_failure)

    async def token(self, tenant_id: str, *, timeout_seconds: float) -> str:
        """Return a token for Graph in ``tenant_id`` (a vetted GUID).

        Raises:
            CredentialError: none was obtained within ``timeout_seconds``.
        """
        now = time.time()
        held = self._held.get(tenant_id)
        if held is None or now >= held.token.expires_at - _SPENT_SECONDS:
            self._require_not_refused(tenant_id, now)
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

    def _require_not_refused(self, tenant_id: str, now: float) -> None:
        refused = self._refused.get(tenant_id)
        if refused is not None and now < refused.until:
            raise refused.error

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
        try:
            # An acquisition that hangs, in name resolution say, is given up, so that
            # the tenant's next call can start another.
            async with asyncio.timeout(ACQUIRE_SECONDS):
                token = await self._threads.run(partial(self._entra.acquire, tenant_id))
        except TimeoutError as error:
            message = "Entra's reply was given up"
            raise CredentialError(message) from error
        except RuntimeError as error:
            message = "no thread for a token"
            raise CredentialError(message) from error
        except CredentialRefusedError as error:
            until = time.time() + _REFUSED_SECONDS
            self._refused[tenant_id] = _Refused(error, until)
            raise
        self._held[tenant_id] = _Held(token, token.renew_at)
        return token


def _log_failure(tenant_id: str, task: asyncio.Task[AccessToken]) -> None:
    if task.cancelled() or (error := task.exception()) is None:
        return
    is_final = isinstance(error, CredentialRefusedError)
    reason = Reason.CREDENTIAL_REFUSED if is_final else Reason.CREDENTIAL_UNAVAILABLE
    log_event(
        logging.ERROR,
        "credential.failed",
        reason=reason.value,
        next_step=reason.next_step,
        tenant_id=tenant_id,
        detail=str(error),
    )
