"""Tokens that are kept by what they are for, and renewed before they end.

While a renewal fails, the old token serves as long as it lives. Where Entra refuses for
good and no token is held, whoever asks next is told so for 30 s without asking Entra.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from shared.core.bounded import BoundedDict
from shared.edge.single_flight import SingleFlight
from shared.edge.threads import DaemonThreads
from shared.edge.token_client import (
    ACQUIRE_SECONDS,
    CredentialError,
    CredentialRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.edge.token_client import AccessToken

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


class HeldTokens:
    """Hands out tokens by key. For one event loop; blocking work runs elsewhere."""

    def __init__(
        self,
        acquire: Callable[[str], AccessToken],
        log_failure: Callable[[str, BaseException], None],
        *,
        at_most: int,
    ) -> None:
        """Hold ``at_most`` tokens.

        Args:
            acquire: blocks until it has the token of a key, or raises CredentialError.
            log_failure: is told of each failure once, whoever waited for the token.
            at_most: the token that was used longest ago makes room.
        """
        self._acquire_blocking = acquire
        self._log_failure = log_failure
        self._threads = DaemonThreads("entra", at_most=_MAX_THREADS)
        # In the order of their last use.
        self._held: BoundedDict[str, _Held] = BoundedDict(at_most)
        self._refused: BoundedDict[str, _Refused] = BoundedDict(at_most)
        self._acquiring: SingleFlight[str, AccessToken] = SingleFlight(self._end)

    async def token(self, key: str, *, timeout_seconds: float) -> str:
        """Return the token of ``key``.

        Raises:
            CredentialError: none was obtained within ``timeout_seconds``.
        """
        now = time.time()
        held = self._held.get(key)
        if held is None or now >= held.token.expires_at - _SPENT_SECONDS:
            self._require_not_refused(key, now)
            return await self._acquired(key, timeout_seconds)
        self._held.move_to_end(key)
        if now >= held.renew_at:
            held.renew_at = now + _RENEWAL_PAUSE_SECONDS
            self._start(key)
        return held.token.value

    def forget(self, key: str, token: str) -> None:
        """Drop a token that was refused, unless it has been replaced already."""
        held = self._held.get(key)
        if held is not None and held.token.value == token:
            del self._held[key]

    def _require_not_refused(self, key: str, now: float) -> None:
        refused = self._refused.get(key)
        if refused is not None and now < refused.until:
            raise refused.error

    async def _acquired(self, key: str, timeout_seconds: float) -> str:
        task = self._start(key)
        done, _pending = await asyncio.wait({task}, timeout=timeout_seconds)
        if not done:
            message = "no token in time"
            raise CredentialError(message, is_regional=True)
        return task.result().value

    def _start(self, key: str) -> asyncio.Task[AccessToken]:
        return self._acquiring.start(key, lambda: self._acquire(key))

    async def _acquire(self, key: str) -> AccessToken:
        try:
            # An acquisition that hangs, in name resolution say, is given up, so that
            # the next who asks can start another.
            async with asyncio.timeout(ACQUIRE_SECONDS):
                token = await self._threads.run(partial(self._acquire_blocking, key))
        except TimeoutError as error:
            message = "Entra's reply was given up"
            raise CredentialError(message, is_regional=True) from error
        except RuntimeError as error:
            message = "no thread for a token"
            raise CredentialError(message) from error
        except CredentialRefusedError as error:
            until = time.time() + _REFUSED_SECONDS
            self._refused[key] = _Refused(error, until)
            raise
        self._held[key] = _Held(token, token.renew_at)
        return token

    def _end(self, key: str, task: asyncio.Task[AccessToken]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log_failure(key, error)
