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
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class _Task(NamedTuple):
    """A piece of work, and what is to be done once its thread is free again."""

    run: Callable[[], None]
    end: Callable[[], None]


class DaemonThreads:
    """Runs each piece of work on a thread that has nothing else to do.

    There are ``at_most`` of them.
    """

    def __init__(self, name: str, *, at_most: int, idle_seconds: float = 0.0) -> None:
        """Give all threads ``name``, for people who look at them.

        A thread waits ``idle_seconds`` for more work. That is for work that must be
        quick: on a busy machine a new thread waits long for its first turn.
        """
        self._name = name
        self._idle_seconds = idle_seconds
        self._free = threading.Semaphore(at_most)
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[_Task]] = []

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

        def end() -> None:
            if on_end is not None:
                tell(on_end)

        try:
            self._hand_over(_Task(run, end))
        except RuntimeError:
            self._free.release()
            raise
        return await done

    def _hand_over(self, task: _Task) -> None:
        """Let an idle thread do it, or a new one."""
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is not None:
            inbox.put(task)
            return
        inbox = SimpleQueue()
        inbox.put(task)
        threading.Thread(
            target=self._serve, args=(inbox,), name=self._name, daemon=True
        ).start()

    def _serve(self, inbox: SimpleQueue[_Task]) -> None:
        """Do what comes, until nothing has come for a while."""
        while (task := self._next(inbox)) is not None:
            task.run()
            if self._idle_seconds:
                with self._lock:
                    self._idle.append(inbox)
            self._free.release()
            task.end()
            if not self._idle_seconds:
                return
            # It holds on to what was asked, and to what came of it.
            del task

    def _next(self, inbox: SimpleQueue[_Task]) -> _Task | None:
        with suppress(Empty):
            return inbox.get(timeout=self._idle_seconds)
        with self._lock:
            if inbox in self._idle:
                self._idle.remove(inbox)
                return None
        # Somebody took it out just now, and puts something in.
        return inbox.get()


def _finish[T](done: asyncio.Future[T], result: T) -> None:
    if not done.done():
        done.set_result(result)


def _fail[T](done: asyncio.Future[T], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
