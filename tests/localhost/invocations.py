"""Which lines of the app's log Azure keeps: those of an invocation that runs.

The worker sends each line to the host with the id of an invocation. It takes the id
from the task that logs or from the task that started this one, for a function that is
no coroutine from its thread, and otherwise it is the last invocation that began on the
thread. The host drops a line without an id, or whose invocation has ended:
https://github.com/Azure/azure-functions-python-worker (``proxy_worker.dispatcher``),
https://github.com/Azure/azure-functions-host (``GrpcWorkerChannel.Log``).
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

# The host's own lines and the worker's are no lines of the app. Azure drops asyncio's
# complaints as well; here somebody should see them.
_NOT_THE_APP = ("localhost", "azure.functions", "azure_functions_runtime", "asyncio")

_of_task: ContextVar[str | None] = ContextVar("invocation_of_task", default=None)


class Invocations:
    """The invocations that run in this process."""

    def __init__(self, of_thread: Callable[[], str | None]) -> None:
        """Know none yet; ``of_thread``: whose function runs on the current thread."""
        self._of_thread = of_thread
        self._running: set[str] = set()
        self._begun_last: dict[int, str] = {}

    async def run[T](self, invocation_id: str, invocation: Coroutine[Any, Any, T]) -> T:
        """Carry out an invocation in the current task."""
        _of_task.set(invocation_id)
        self._begun_last[threading.get_ident()] = invocation_id
        self._running.add(invocation_id)
        try:
            return await invocation
        finally:
            self._running.discard(invocation_id)

    def lets_through(self, record: logging.LogRecord) -> bool:
        """Tell whether a line gets as far as Application Insights: a log filter."""
        return record.name.startswith(_NOT_THE_APP) or self._current() in self._running

    def _current(self) -> str | None:
        """Return the id that the worker would send with a line that is logged now."""
        try:
            task = asyncio.current_task()
        except RuntimeError:  # no event loop runs on this thread
            task = None
        invocation_id = _of_task.get() if task else self._of_thread()
        return invocation_id or self._begun_last.get(threading.get_ident())
