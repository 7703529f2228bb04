"""One task at a time for each key: whoever asks meanwhile gets the same task."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class SingleFlight[K, V]:
    """The tasks that run now, by key. For one event loop."""

    def __init__(self, on_end: Callable[[K, asyncio.Task[V]], None]) -> None:
        """Call ``on_end`` with the key and the task of each that has ended."""
        self._on_end = on_end
        self._running: dict[K, asyncio.Task[V]] = {}

    def start(
        self, key: K, make: Callable[[], Coroutine[Any, Any, V]]
    ) -> asyncio.Task[V]:
        """Return the task that runs for ``key``, or start what ``make`` returns."""
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(make())
            self._running[key] = task
            task.add_done_callback(partial(self._end, key))
        return task

    def _end(self, key: K, task: asyncio.Task[V]) -> None:
        del self._running[key]
        self._on_end(key, task)
