"""(i): many calls at once while Graph takes half a second for each answer.

One process answers. Identity provider, Entra and Graph run in another. The calls are of
four tenants, because one tenant holds half of the places for answers at most. The first
round opens the connections and is not counted.
"""

import asyncio
import json
from itertools import cycle, islice
from multiprocessing.connection import Connection
from typing import Any

from tests.localhost.worker import HttpCall, IndexedFunction, Worker
from tests.measure.bench.at_once import invoke_all, services
from tests.measure.bench.rows import Row
from tests.measure.bench.timing import Measurement
from tests.simulator.platform.notifications import Call, incoming, new_id
from tests.simulator.services.neighbours import Neighbours
from tests.support.checkout import CHECKOUT

ROUNDS = 5
GRAPH_SECONDS = 0.5
TENANTS = tuple(new_id() for _ in range(4))


def measure() -> list[Measurement]:
    """Answer 64 and 200 calls at once."""
    with services(_serve_world) as here:
        return asyncio.run(_measure(here))


def _serve_world(pipe: Connection) -> None:
    """Run the simulated services until told to stop; send tokens on request."""
    with Neighbours() as world:
        world.graph.delay_seconds = GRAPH_SECONDS
        world.graph.takes_any_call = True
        pipe.send(world.settings(CALLING_GLOBAL_HOST="calls.example.org"))
        while (tenants := pipe.recv()) is not None:
            pipe.send([world.tokens.mint(x=new_id(), tid=one) for one in tenants])


async def _measure(pipe: Any) -> list[Measurement]:
    worker = await Worker.load(CHECKOUT)
    function = next(f for f in worker.functions if f.name == "calls")
    figures = []
    for count, row in ((64, Row.SOME_ANSWERS), (200, Row.MANY_ANSWERS)):
        await _answer_all(worker, function, pipe, count)
        times = [
            await _answer_all(worker, function, pipe, count) for _ in range(ROUNDS)
        ]
        floor = [GRAPH_SECONDS * 1e6] * ROUNDS
        figures.append(Measurement.of(row, piece=times, floor=floor))
    return figures


async def _answer_all(
    worker: Worker, function: IndexedFunction, pipe: Any, count: int
) -> float:
    """Answer ``count`` calls at once; return the µs until the last reply."""
    tenants = list(islice(cycle(TENANTS), count))
    pipe.send(tenants)
    calls = list(map(_call, pipe.recv(), tenants))
    return await invoke_all(worker, function, calls)


def _call(token: str, tenant_id: str) -> HttpCall:
    body = json.dumps(incoming(Call(tenant_id=tenant_id), "https://b")).encode()
    headers = {"host": "calls.example.org", "authorization": f"Bearer {token}"}
    url = "https://calls.example.org/api/calls"
    return HttpCall("POST", url, headers, body, {}, {})
