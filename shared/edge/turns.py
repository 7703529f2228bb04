"""Turns: the events of one call are handled one after the other.

In the order in which they ask, and only within this process.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable


class Turns:
    """One holder at a time for each key. For one event loop."""

    def __init__(self) -> None:
        """Nobody holds a turn yet."""
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._users: dict[Hashable, int] = {}

    @asynccontextmanager
    async def turn(
        self, key: Hashable, *, timeout_seconds: float | None
    ) -> AsyncIterator[None]:
        """Hold the turn of ``key``, after waiting for it; ``None``: without a limit.

        Raises:
            TimeoutError: it was not had in time.
        """
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with asyncio.timeout(timeout_seconds):
                await lock.acquire()
            try:
                yield
            finally:
                lock.release()
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
