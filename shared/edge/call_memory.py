"""What calls remember: claims events, hands out a call's state and keeps what comes.

Events are claimed before they are handled: at most once, also where the process dies in
between. This process's own claims are kept beside the store, so that a repeat is known
here while the store is down. For one event loop.
"""

from __future__ import annotations

import asyncio
import math
import random
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from shared.core.bounded import ExpiringDict
from shared.core.call_records import Arrival, CallKey, CallRecord
from shared.core.strict_json import JsonObject, read_object
from shared.edge.state_store import (
    REMEMBERED_CALLS,
    REMEMBERED_SECONDS,
    ChangedMeanwhileError,
    StateUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.core.ports import Clock
    from shared.edge.state_store import StateStore

_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.1


class StoreTime:
    """The seconds that all requests of one event to the store share.

    Only time that is spent there counts, not that of the handler.
    """

    def __init__(self, seconds: float, *, ends_at: float = math.inf) -> None:
        """Grant ``seconds``, until ``ends_at`` (``time.monotonic``) at the latest."""
        self._seconds = seconds
        self._ends_at = ends_at
        self._started_at: float | None = None

    def seconds_left(self) -> float:
        """Return how many seconds are left; none is zero or less."""
        now = monotonic()
        spent = 0.0 if self._started_at is None else now - self._started_at
        return min(self._seconds - spent, self._ends_at - now)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time of the block."""
        self._started_at = monotonic()
        try:
            yield
        finally:
            self._seconds -= monotonic() - self._started_at
            self._started_at = None


class Opened(NamedTuple):
    """One event's hold on the record of its call.

    Attributes:
        record: as it was read, with the event's claim.
        etag: its version in the store; ``None``: it is not there yet.
        is_kept: false where the store was not reached: the record is a new call's,
            and nothing will be kept.
        trouble: why not; safe to log.
    """

    key: CallKey
    record: CallRecord
    etag: str | None
    is_kept: bool = True
    trouble: str = ""

    def new_state(self) -> JsonObject:
        """Return the state, a new dict each time: a handler may change it."""
        return read_object(self.record.state)


class CallMemory:
    """Remembers calls in a store, and this process's claims also beside it."""

    def __init__(self, store: StateStore, *, clock: Clock = monotonic) -> None:
        """Remember in ``store``; forget our own claims by ``clock``."""
        self._store = store
        # Their states are not used.
        self._own: ExpiringDict[str, CallRecord] = ExpiringDict(
            REMEMBERED_CALLS, seconds=REMEMBERED_SECONDS, clock=clock
        )

    async def open(
        self,
        key: CallKey,
        arrival: Arrival,
        *,
        time: StoreTime,
    ) -> Opened | None:
        """Claim an event and open its call's record; ``None``: it is already handled.

        Args:
            key: the call.
            arrival: the event; where it ends the call, the call is over from now on.
            time: what the store may take.
        """
        # Before anything is awaited: a simultaneous second must meet it.
        if not self._claim_here(key, arrival):
            return None
        with time.spending():
            try:
                return await self._claim(key, arrival, time)
            except StateUnavailableError as error:
                return Opened(
                    key, CallRecord(), None, is_kept=False, trouble=str(error)
                )

    async def end(self, key: CallKey, *, time: StoreTime) -> bool:
        """Mark a call as over without claiming its end, so that this may still come.

        Returns:
            whether the store was told in time.
        """
        opened = await self.open(key, Arrival(None, is_end=True), time=time)
        return opened is not None and opened.is_kept

    async def keep(
        self, opened: Opened, state: bytes, *, time: StoreTime
    ) -> Opened | None:
        """Keep what a handler left.

        A state that the handler did not change is kept without asking the store.

        Args:
            opened: of ``open``, or of the last ``keep``.
            state: of ``shared.core.handlers.encode_state``.
            time: what the store may take; the same as for ``open``.

        Returns:
            ``None`` once it is kept; else the record with the state that another
            process wrote meanwhile: the handler should run again, with that.

        Raises:
            StateUnavailableError: it could not be kept in time.
        """
        if not opened.is_kept:
            raise StateUnavailableError(opened.trouble)
        if state == opened.record.state:
            return None
        with time.spending():
            return await self._keep(opened, state, time)

    def is_done_with(self, key: CallKey, arrival: Arrival) -> bool:
        """Tell whether this process claimed an event, or saw the call's end before."""
        own = self._own.get(key.path)
        return own is not None and not own.may_handle(arrival)

    def _claim_here(self, key: CallKey, arrival: Arrival) -> bool:
        """Claim an event in this process; tell whether nobody here had done so."""
        own = self._own.get(key.path) or CallRecord()
        if not own.may_handle(arrival):
            return False
        noted = own.noting(arrival)
        if noted != own:
            self._own.set(key.path, noted)
        return True

    async def _claim(
        self, key: CallKey, arrival: Arrival, time: StoreTime
    ) -> Opened | None:
        conflicts = 0
        while True:
            found = await self._read(key, time)
            if not found.record.may_handle(arrival):
                return None
            noted = found.record.noting(arrival)
            if noted == found.record:
                return found
            try:
                return await self._write(found, noted, time)
            except ChangedMeanwhileError:
                await _pause(conflicts, time)
                conflicts += 1

    async def _keep(
        self, opened: Opened, state: bytes, time: StoreTime
    ) -> Opened | None:
        conflicts, found = 0, opened
        while found.record.state == opened.record.state:
            try:
                await self._write(found, found.record._replace(state=state), time)
            except ChangedMeanwhileError:
                await _pause(conflicts, time)
                conflicts += 1
                found = await self._read(opened.key, time)
            else:
                return None
        return found

    async def _read(self, key: CallKey, time: StoreTime) -> Opened:
        seconds = time.seconds_left()
        blob = await self._store.read(key.path, timeout_seconds=seconds)
        if blob is None:
            return Opened(key, CallRecord(), None)
        try:
            return Opened(key, CallRecord.decode(blob.data), blob.etag)
        except ValueError as error:
            message = "the store holds something else than a record"
            raise StateUnavailableError(message) from error

    async def _write(
        self, found: Opened, record: CallRecord, time: StoreTime
    ) -> Opened:
        etag = await self._store.write(
            found.key.path,
            record.encode(),
            etag=found.etag,
            timeout_seconds=time.seconds_left(),
        )
        return Opened(found.key, record, etag)


async def _pause(conflicts: int, time: StoreTime) -> None:
    """Let others go first, but not after the first conflict: one is usual."""
    if conflicts:
        longest = min(_FIRST_PAUSE_SECONDS * 2**conflicts, _LONGEST_PAUSE_SECONDS)
        seconds = random.uniform(0, longest)  # noqa: S311 - no secret
        await asyncio.sleep(min(seconds, max(time.seconds_left(), 0)))
