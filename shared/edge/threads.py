"""Threads for work that may hang beyond its bounds, such as name resolution.

They are daemon threads that nobody waits for. An executor would join them at the end of
the process, and a hanging thread would take a place in it.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class DaemonThreads:
    """Runs each piece of work on a thread of its own, ``at_most`` at a time."""

    def __init__(self, name: str, *, at_most: int) -> None:
        """Give all threads ``name``, for people who look at them."""
        self._name = name
        self._free = threading.Semaphore(at_most)

    async def run[T](
        self, work: Callable[[], T], *, on_end: Callable[[], None] | None = None
    ) -> T:
        """Return what ``work`` returns, or raise what it raises.

        Args:
            work: for a thread; it sees the context variables of who asks.
            on_end: called on the loop once the thread is free again, also where nobody
                waits for it any more.

        Raises:
            RuntimeError: there is no thread to be had.
        """
        if not self._free.acquire(blocking=False):
            message = "too many threads hang"
            raise RuntimeError(message)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        context = copy_context()

        def tell(finish: Callable[[], None]) -> None:
            # Whoever waited may have given up, and the loop may have ended.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(finish)

        def run() -> None:
            try:
                result = context.run(work)
            except BaseException as error:  # noqa: BLE001 - raised where it is awaited
                tell(partial(_fail, done, error))
            else:
                tell(partial(_finish, done, result))
            finally:
                self._free.release()
                if on_end is not None:
                    tell(on_end)

        try:
            threading.Thread(target=run, name=self._name, daemon=True).start()
        except RuntimeError:
            self._free.release()
            raise
        return await done


def _finish[T](done: asyncio.Future[T], result: T) -> None:
    if not done.done():
        done.set_result(result)


def _fail[T](done: asyncio.Future[T], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
