"""(i): many calls at once against a Graph that takes half a second.

One process answers; identity provider, Entra and Graph are another. The first round
opens the connections and is not counted.
"""

import asyncio
import json
import logging
import multiprocessing
import os
import statistics
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from tests.localhost.process import CHECKOUT
from tests.localhost.worker import HttpCall, IndexedFunction, Worker
from tests.measure.bench.timing import Measurement
from tests.simulator.platform.notifications import Call, incoming, new_id
from tests.simulator.services.neighbours import Neighbours

ROUNDS = 5
GRAPH_SECONDS = 0.5


def measure() -> list[Measurement]:
    """Answer 64 and 200 calls at once."""
    logging.getLogger().setLevel(logging.CRITICAL)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve_world, args=(there,), daemon=True)
    process.start()
    try:
        os.environ.update(here.recv())
        return asyncio.run(_measure(here))
    finally:
        here.send(None)
        process.join(10)


def _serve_world(pipe: Connection) -> None:
    """Run the outside world until told to stop; mint tokens for those who ask."""
    with Neighbours() as world:
        world.graph.delay_seconds = GRAPH_SECONDS
        world.graph.takes_any_call = True
        pipe.send(world.settings(CALLING_GLOBAL_HOST="calls.example.org"))
        while (count := pipe.recv()) is not None:
            pipe.send([world.tokens.mint(x=new_id()) for _ in range(count)])
    # The servers' threads must not keep the process.
    threading.Timer(2, lambda: os._exit(0)).start()


async def _measure(pipe: Any) -> list[Measurement]:
    worker = await Worker.load(CHECKOUT)
    function = next(f for f in worker.functions if f.name == "calls")
    figures = []
    for count, target in ((64, 1.6), (200, 4.4)):
        await _answer_all(worker, function, pipe, count)
        seconds = [
            await _answer_all(worker, function, pipe, count) for _ in range(ROUNDS)
        ]
        median = statistics.median(seconds)
        figures.append(
            Measurement(
                name=f"(i) {count} answers at once, in Graph's delays",
                ratio=median / GRAPH_SECONDS,
                target=target,
                microseconds=median * 1e6,
                floor_microseconds=GRAPH_SECONDS * 1e6,
            )
        )
    return figures


async def _answer_all(
    worker: Worker, function: IndexedFunction, pipe: Any, count: int
) -> float:
    """Answer so many calls at once; return the seconds until the last reply."""
    pipe.send(count)
    calls = [_call(token) for token in pipe.recv()]
    started_at = time.perf_counter()
    results = await asyncio.gather(
        *(worker.invoke(function, call, new_id()) for call in calls)
    )
    seconds = time.perf_counter() - started_at
    statuses = {result.status for result in results if result}
    if statuses != {202}:
        message = f"unexpected replies {statuses}"
        raise RuntimeError(message)
    return seconds


def _call(token: str) -> HttpCall:
    body = json.dumps(incoming(Call(tenant_id=new_id()), "https://b")).encode()
    headers = {"host": "calls.example.org", "authorization": f"Bearer {token}"}
    return HttpCall(
        "POST", "https://calls.example.org/api/calls", headers, body, {}, {}
    )
