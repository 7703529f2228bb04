"""(n): many deliveries at once to eight instances that take half a second for each.

One process delivers. Identity provider and instances run in another. An instance gets
25 at a time, fewer than it may get. The first round opens the connections and is not
counted.
"""

import asyncio
import json
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import Any

from tests.localhost.worker import HttpCall, IndexedFunction, Worker
from tests.measure.bench.at_once import invoke_all, services
from tests.measure.bench.rows import Row
from tests.measure.bench.timing import Measurement
from tests.measure.instance import Behaviour, LoadInstance
from tests.simulator.platform.notifications import Call, established, new_id
from tests.simulator.services.neighbours import Neighbours
from tests.support.checkout import CHECKOUT

ROUNDS = 5
DELIVERIES = 200
INSTANCES = 8
INSTANCE_SECONDS = 0.5
_HOST = "calls.example.org"


def measure() -> list[Measurement]:
    """Deliver 200 notifications at once."""
    with services(_serve_world) as here:
        return [asyncio.run(_measure(here))]


def _serve_world(pipe: Connection) -> None:
    """Run the simulated services until told to stop; send tokens on request."""
    with Neighbours() as world, ExitStack() as stack:
        urls = {}
        for number in range(INSTANCES):
            instance = LoadInstance(world.authority.certificate)
            stack.enter_context(instance)
            instance.behave(Behaviour(delay_seconds=INSTANCE_SECONDS))
            urls[f"i{number}"] = instance.url
        pipe.send(
            world.settings(
                CALLING_GLOBAL_HOST=_HOST, CALLING_PARTITIONS=json.dumps(urls)
            )
        )
        while (count := pipe.recv()) is not None:
            pipe.send([world.tokens.mint(x=new_id()) for _ in range(count)])


async def _measure(pipe: Any) -> Measurement:
    worker = await Worker.load(CHECKOUT)
    function = next(f for f in worker.functions if f.name == "callback")
    await _deliver_all(worker, function, pipe)
    times = [await _deliver_all(worker, function, pipe) for _ in range(ROUNDS)]
    floor = [INSTANCE_SECONDS * 1e6] * ROUNDS
    return Measurement.of(Row.MANY_DELIVERIES, piece=times, floor=floor)


async def _deliver_all(worker: Worker, function: IndexedFunction, pipe: Any) -> float:
    """Deliver so many at once; return the µs until the last reply."""
    pipe.send(DELIVERIES)
    calls = [_call(token, number) for number, token in enumerate(pipe.recv())]
    return await invoke_all(worker, function, calls)


def _call(token: str, number: int) -> HttpCall:
    partition = f"i{number % INSTANCES}"
    body = established(Call(tenant_id=new_id()), is_audio_active=True)
    headers = {"host": _HOST, "authorization": f"Bearer {token}"}
    url = f"https://{_HOST}/api/calls/{partition}"
    route = {"partition": partition}
    return HttpCall("POST", url, headers, json.dumps(body).encode(), route, {})
