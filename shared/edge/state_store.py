"""Where the records of calls are kept: what every store can do.

A store keeps bytes under a path and tells versions apart by an ETag, as Blob Storage
does: https://learn.microsoft.com/azure/storage/blobs/concurrency-manage
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from shared.core.bounded import ExpiringDict

if TYPE_CHECKING:
    from shared.core.ports import Clock

REMEMBERED_CALLS = 10_000
REMEMBERED_SECONDS = 60 * 60.0


class ChangedMeanwhileError(Exception):
    """Another has written since: nothing was written."""


class StateUnavailableError(Exception):
    """The store was not reached in time, or refused; the message is safe to log.

    What was to be written may have been written.
    """


class Blob(NamedTuple):
    """What is kept under a path, and which version of it."""

    data: bytes
    etag: str


class StateStore(Protocol):
    """Keeps the records of calls, by path."""

    async def read(self, path: str, *, timeout_seconds: float) -> Blob | None:
        """Return what is kept under ``path``, if anything is.

        Raises:
            StateUnavailableError: the store did not tell in time.
        """

    async def write(
        self, path: str, data: bytes, *, etag: str | None, timeout_seconds: float
    ) -> str:
        """Write over version ``etag``, or ``None``: for the first time.

        Returns:
            the ETag of what was written.

        Raises:
            ChangedMeanwhileError: that is no longer what is kept under ``path``.
            StateUnavailableError: the store did not tell in time.
        """


class MemoryStore:
    """This process's memory: 10,000 calls, each an hour from its last change."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        """Forget by ``clock``."""
        self._blobs: ExpiringDict[str, Blob] = ExpiringDict(
            REMEMBERED_CALLS, seconds=REMEMBERED_SECONDS, clock=clock
        )
        self._writes = 0

    def load(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """There is nothing to close."""

    async def read(self, path: str, *, timeout_seconds: float) -> Blob | None:  # noqa: ARG002 - the port's
        """Return what is kept under ``path``, at once."""
        return self._blobs.get(path)

    async def write(
        self,
        path: str,
        data: bytes,
        *,
        etag: str | None,
        timeout_seconds: float,  # noqa: ARG002 - the port's
    ) -> str:
        """Write over version ``etag``, at once.

        Raises:
            ChangedMeanwhileError: that is no longer what is kept under ``path``.
        """
        kept = self._blobs.get(path)
        if etag != (kept.etag if kept else None):
            raise ChangedMeanwhileError
        self._writes += 1
        blob = Blob(data, str(self._writes))
        self._blobs.set(path, blob)
        return blob.etag
