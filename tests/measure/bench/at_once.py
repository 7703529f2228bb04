"""Many requests at once through the worker library, with the services elsewhere.

The simulated services run in a process of their own, so that they keep nothing from the
process that is measured.
"""

import asyncio
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from tests.localhost.worker import HttpCall, IndexedFunction, Worker
from tests.simulator.platform.notifications import new_id


@contextmanager
def services(serve: Callable[[Connection], None]) -> Iterator[Any]:
    """Run ``serve`` in another process; yield the pipe to it.

    ``serve`` must send the settings of the app first, and end once it gets ``None``.
    """
    logging.getLogger().setLevel(logging.CRITICAL)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(serve, there), daemon=True)
    process.start()
    try:
        os.environ.update(here.recv())
        yield here
    finally:
        here.send(None)
        process.join(10)


def _serve(serve: Callable[[Connection], None], pipe: Connection) -> None:
    serve(pipe)
    # The servers' threads must not keep the process.
    threading.Timer(2, lambda: os._exit(0)).start()


async def invoke_all(
    worker: Worker, function: IndexedFunction, calls: Sequence[HttpCall]
) -> float:
    """Invoke a function with all at once; return the µs until the last reply, 202."""
    started_at = time.perf_counter()
    results = await asyncio.gather(
        *(worker.invoke(function, call, new_id()) for call in calls)
    )
    seconds = time.perf_counter() - started_at
    statuses = {result.status for result in results if result}
    if statuses != {202}:
        raise RuntimeError(f"unexpected replies {statuses}")
    return seconds * 1e6
