"""(a) to (f): what one request costs when the worker library invokes the app.

The floor is the worker library with an empty async function, plus one RSA verification,
plus ``json.loads`` of the body. Every request has a new token and a new call id, and
the floor gets the same bytes. The log is formatted and then discarded. The floor logs
what the worker library logs by itself; the app silences those lines.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from shared.edge.telemetry import WORKER_LOGGERS
from tests.localhost.worker import HttpCall, IndexedFunction, Worker
from tests.measure.bench.rows import Row
from tests.measure.bench.timing import Measurement, interleaved
from tests.measure.two_regions import OWN_HOST, WEBHOOK, other_region, settings_with
from tests.simulator.platform.notifications import (
    Call,
    incoming,
    legacy_incoming,
    new_id,
)
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.signing import SigningKey

ROUNDS = 25
CALLS = 300

_INVOCATION_ID = new_id()


class _Discard(logging.Handler):
    """Formats every record, as any handler must, and discards it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)


@dataclass(slots=True)
class _Bench:
    world: Neighbours
    worker: Worker
    functions: dict[str, IndexedFunction]
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, object]) -> object:
        return self.loop.run_until_complete(work)

    def call(self, token: str, body: bytes) -> HttpCall:
        headers = {
            "host": OWN_HOST,
            "accept": "application/json",
            "user-agent": "Microsoft-Skype/3.0,(Calling/1.0)",
            "content-type": "application/json",
            "content-length": str(len(body)),
            "authorization": f"Bearer {token}",
            "x-microsoft-skype-chain-id": new_id(),
            "x-microsoft-skype-message-id": new_id(),
            "x-microsoft-skype-caller-region": "emea",
            "ms-teams-region": "emea",
        }
        return HttpCall("POST", WEBHOOK, headers, body, {}, {})

    async def invoke_all(self, name: str, calls: Iterable[HttpCall]) -> list[int]:
        """Invoke one after another; return the statuses."""
        function = self.functions[name]
        statuses = []
        for call in calls:
            result = await self.worker.invoke(function, call, _INVOCATION_ID)
            statuses.append(0 if result is None else result.status)
        return statuses


def measure() -> list[Measurement]:
    """Run (a) to (f)."""
    logging.getLogger().handlers[:] = [_Discard()]
    logging.getLogger().setLevel(logging.INFO)
    os.environ["PYTHON_SCRIPT_FILE_NAME"] = "bench_app.py"
    world = Neighbours()
    # Its health is asked for every 10 s, outside the path of the calls.
    with other_region(world) as sea:
        with world:
            os.environ.update(settings_with(sea, world, CALLING_ANSWER="false"))
            bench = _open_bench(world)
        # The keys are loaded, so the servers can stop: their threads would take time.
        return [_measure(bench, *case) for case in _cases(bench)]


def _open_bench(world: Neighbours) -> _Bench:
    """Load the app, and let it load the signing keys."""
    loop = asyncio.new_event_loop()
    worker = loop.run_until_complete(Worker.load(Path(__file__).parent))
    functions = {function.name: function for function in worker.functions}
    health = HttpCall("GET", "https://x/api/health", {}, b"", {}, {})
    bench = _Bench(world, worker, functions, loop)
    bench.run(worker.invoke(functions["health"], health, _INVOCATION_ID))
    return bench


type _Maker = Callable[[], tuple[str, bytes]]


def _cases(bench: _Bench) -> list[tuple[Row, int, _Maker]]:
    tokens, tenant = bench.world.tokens, bench.world.tenant_id
    forger = SigningKey(tokens.key.key_id)
    repeated = tokens.mint()

    def graph(country: str = "DE") -> bytes:
        call = Call(tenant_id=tenant, country_code=country)
        return json.dumps(incoming(call, "https://bot.example.org/api/calls")).encode()

    def legacy() -> bytes:
        return json.dumps(legacy_incoming(Call(tenant_id=tenant))).encode()

    return [
        (Row.ACCEPTED, 202, lambda: (tokens.mint(x=new_id()), graph())),
        (Row.LEGACY, 204, lambda: (tokens.mint(x=new_id()), legacy())),
        (Row.REDIRECTED, 302, lambda: (tokens.mint(x=new_id()), graph("SG"))),
        (Row.FORGED, 401, lambda: (tokens.mint(key=forger, x=new_id()), graph())),
        (Row.OVERSIZED, 401, lambda: (tokens.mint(x="x" * 16384), graph())),
        (Row.REPEATED, 202, lambda: (repeated, graph())),
    ]


def _measure(bench: _Bench, row: Row, status: int, make: _Maker) -> Measurement:
    made = [make() for _ in range(CALLS * (ROUNDS + 1))]
    calls = [bench.call(token, body) for token, body in made]
    public = bench.world.key.private.public_key()
    message = b"a signing input of the usual size".ljust(700, b".")
    algorithm = (padding.PKCS1v15(), hashes.SHA256())
    signature = bench.world.key.private.sign(message, *algorithm)
    warm_up, *batches = batched(calls, CALLS, strict=True)
    seen = set(bench.run(bench.invoke_all("calls", warm_up)))  # type: ignore[call-overload]
    if seen != {status}:
        raise RuntimeError(f"{row.what}: unexpected replies {seen}")
    mine, floors = iter(batches), iter(batches)

    async def floor() -> None:
        with _worker_logging():
            for call in next(floors):
                empty = bench.functions["empty"]
                await bench.worker.invoke(empty, call, _INVOCATION_ID)
                public.verify(signature, message, *algorithm)
                json.loads(call.body)

    pieces = {
        "floor": lambda: bench.run(floor()),
        "mine": lambda: bench.run(bench.invoke_all("calls", next(mine))),
    }
    times = interleaved(ROUNDS, CALLS, pieces)
    return Measurement.of(row, piece=times["mine"], floor=times["floor"])


@contextmanager
def _worker_logging() -> Iterator[None]:
    """Let the worker library log as it does in an app that leaves it alone."""
    loggers = [logging.getLogger(name) for name in WORKER_LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
