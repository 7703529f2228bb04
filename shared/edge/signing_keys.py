"""The signing keys of this process: held, and refreshed in the background.

After the model of Microsoft.IdentityModel's ConfigurationManager:

* A set is fresh for an hour. Then it still serves while a refresh runs in the
  background, and for 24 hours while refreshes fail. A failed refresh changes nothing;
  a good one replaces the set whole.
* After two hours without any request a refresh is overdue: a key may have been
  withdrawn meanwhile. Then every request waits for the refresh, 3 s at most, and for
  nothing while refreshes pause after a failure.
* Otherwise a key id that is held never waits. An unknown one may cause a refresh, at
  most one per 30 s counted from the last attempt, and waits for it.
* One refresh at a time, however many ask; between failures the pause doubles.

No lock is held across the network. Safe for several threads and event loops.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from shared.core.defects import describe_defect
from shared.core.errors import KeysUnavailableError
from shared.core.reasons import Reason
from shared.edge.openid import FETCH_SECONDS, ProviderError
from shared.edge.telemetry import log_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.core.explained import ExplainedCode
    from shared.core.health import KeyFreshness
    from shared.core.key_sets import KeySet

FRESH_SECONDS = 60 * 60
OVERDUE_SECONDS = 2 * 60 * 60
USABLE_SECONDS = 24 * 60 * 60
REQUEST_WAIT_SECONDS = 3.0

_COOLDOWN_SECONDS = 30
_LONGEST_COOLDOWN_SECONDS = 300
# Without keys every call is lost, so the provider is asked again sooner.
_FIRST_RETRY_SECONDS = 1
_LONGEST_RETRY_SECONDS = 30
# A refresh whose thread hangs beyond its own bounds (name resolution) is given up.
_ABANDONED_SECONDS = 2 * FETCH_SECONDS


class _Held(NamedTuple):
    key_set: KeySet
    fetched_at: float


class _Refresh(NamedTuple):
    started_at: float
    done: Future[None]

    def is_abandoned(self, now: float) -> bool:
        """Tell whether it is too late for it to count."""
        return now - self.started_at >= _ABANDONED_SECONDS


class SigningKeyCache:
    """The ``KeySource`` of this process."""

    def __init__(
        self,
        fetch: Callable[[], KeySet],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Hold what ``fetch`` returns.

        Args:
            fetch: blocking; returns a key set that is not empty, or raises
                ``ProviderError``. Called on a thread of its own.
            clock: monotonic seconds.
        """
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._refresh: _Refresh | None = None
        self._last_attempt_at: float | None = None
        self._failures = 0

    def current(self) -> KeySet | None:
        """Return the set that may serve without waiting; nothing is fetched for it.

        ``None``: none is held, it is too old, or a refresh is overdue.
        """
        held = self._held
        if held is None:
            return None
        now = self._clock()
        age = now - held.fetched_at
        if age >= USABLE_SECONDS:
            return None
        if age >= OVERDUE_SECONDS and self._can_be_refreshed(now):
            return None
        return held.key_set

    def keep_fresh(self) -> None:
        """Start a refresh in the background if a set is held that is not fresh."""
        age = self.age_seconds()
        if age is not None and age >= FRESH_SECONDS:
            self._refresh_if_due()

    async def find(self, key_id: str) -> KeySet:
        """Return a set that has ``key_id``, or else the set as it is after a look.

        Waits ``REQUEST_WAIT_SECONDS`` at most, and only where ``current`` has no such
        key.

        Raises:
            KeysUnavailableError: there is no usable set.
        """
        current = self.current()
        if current is not None and key_id in current.keys:
            self.keep_fresh()
            return current
        await self._wait_for_refresh(REQUEST_WAIT_SECONDS)
        held = self._usable()
        if held is None:
            raise KeysUnavailableError
        return held.key_set

    async def load(self, *, timeout_seconds: float) -> None:
        """Get the first set before it is needed; return without it if it takes long."""
        if self._usable() is None:
            await self._wait_for_refresh(timeout_seconds)
        else:
            self.keep_fresh()

    def age_seconds(self) -> float | None:
        """Return the age of the held set; ``None`` without one."""
        held = self._held
        return None if held is None else self._clock() - held.fetched_at

    def freshness(self) -> KeyFreshness:
        """Return the word for the health report."""
        held = self._usable()
        if held is None:
            return "none"
        is_fresh = self._clock() - held.fetched_at < FRESH_SECONDS
        return "fresh" if is_fresh else "stale"

    def _usable(self) -> _Held | None:
        """Return what is held, unless it is too old."""
        held = self._held
        if held is None or self._clock() - held.fetched_at >= USABLE_SECONDS:
            return None
        return held

    async def _wait_for_refresh(self, timeout_seconds: float) -> None:
        refresh = self._refresh_if_due()
        if refresh is not None:
            await asyncio.wait(
                {asyncio.wrap_future(refresh.done)}, timeout=timeout_seconds
            )

    def _refresh_if_due(self) -> _Refresh | None:
        """Return the running refresh, a new one, or ``None`` if it is too early."""
        now = self._clock()
        with self._lock:
            if self._refresh is not None:
                if not self._refresh.is_abandoned(now):
                    return self._refresh
                self._failures += 1
                self._last_attempt_at = now
                self._refresh = None
            if not self._is_due(now):
                return None
            refresh = _Refresh(now, Future())
            refresh.done.set_running_or_notify_cancel()
            self._refresh = refresh
        return self._start(refresh)

    def _start(self, refresh: _Refresh) -> _Refresh | None:
        """Run a refresh on a thread of its own; ``None`` if there is none to be had."""
        try:
            threading.Thread(
                target=self._run, args=(refresh,), name="signing-keys", daemon=True
            ).start()
        except RuntimeError as error:  # a held set must serve all the same
            self._end(refresh, None, defect=error)
            return None
        return refresh

    def _can_be_refreshed(self, now: float) -> bool:
        """Tell whether a refresh runs or is due: whether there is one to wait for."""
        with self._lock:
            if self._refresh is not None:
                return not self._refresh.is_abandoned(now)
            return self._is_due(now)

    def _is_due(self, now: float) -> bool:
        """Tell whether the pause after the last attempt is over."""
        last = self._last_attempt_at
        return last is None or now - last >= self._pause_seconds(now)

    def _pause_seconds(self, now: float) -> float:
        """Return the least time between the last attempt and the next."""
        held = self._held
        doubled = 1 << min(max(self._failures - 1, 0), 16)
        if held is not None and now - held.fetched_at < USABLE_SECONDS:
            return min(_COOLDOWN_SECONDS * doubled, _LONGEST_COOLDOWN_SECONDS)
        return min(_FIRST_RETRY_SECONDS * doubled, _LONGEST_RETRY_SECONDS)

    def _run(self, refresh: _Refresh) -> None:
        """Fetch on this thread and put the outcome in place, unless given up."""
        try:
            self._end(refresh, self._fetch())
        except ProviderError as error:
            self._end(refresh, None, error.reason)
        except Exception as error:  # noqa: BLE001 - it must not seem to run for ever
            self._end(refresh, None, defect=error)

    def _end(
        self,
        refresh: _Refresh,
        key_set: KeySet | None,
        reason: ExplainedCode | None = None,
        *,
        defect: Exception | None = None,
    ) -> None:
        self._finish(refresh, key_set)
        if key_set is not None:
            log_event(logging.INFO, "keys.refreshed", keys=len(key_set.keys))
        else:
            self._log_failure(reason or Reason.UNEXPECTED_ERROR, defect)
        refresh.done.set_result(None)

    def _finish(self, refresh: _Refresh, key_set: KeySet | None) -> None:
        now = self._clock()
        with self._lock:
            if self._refresh is not refresh:
                return
            self._refresh = None
            self._last_attempt_at = now
            if key_set is None:
                self._failures += 1
            else:
                self._failures = 0
                self._held = _Held(key_set, now)

    def _log_failure(self, reason: ExplainedCode, defect: Exception | None) -> None:
        log_event(
            logging.ERROR if self.freshness() == "none" else logging.WARNING,
            "keys.refresh-failed",
            reason=reason.value,
            next_step=reason.next_step,
            key_age_seconds=self.age_seconds(),
            **describe_defect(defect) if defect else {},
        )
