"""How much longer honest calls take during a flood of forged tokens.

First the flood takes all that the process can give: each connection sends the next
forged token as soon as it has its reply. The rate of refusals is then at its highest.
After that, forged tokens arrive at random, as those of strangers do, at rising shares
of that rate. Before each flood the honest calls are placed alone, because a shared
machine is sometimes faster and sometimes slower.
"""

import json
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.measure.load import wrk
from tests.measure.load.target import LoadTarget
from tests.measure.load.traffic import FORGED, HONEST
from tests.simulator.platform.notifications import new_id

CONNECTIONS = 64
SHARES = (0.5, 0.7, 0.8, 0.9, 0.95)
# How many connections send forged tokens without a pause. An instance made from the
# templates gets at most 16 requests at a time; further ones go to other instances.
AT_ONCE = (CONNECTIONS, 16, 4)

_CALLS_PER_SECOND = 20
_TIMEOUT_SECONDS = 10
_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class HonestFigures:
    """What honest callers saw; times in milliseconds."""

    calls: int
    median: float
    p95: float
    longest: float
    wrong: int


@dataclass(frozen=True, slots=True)
class FloodFigures:
    """Honest calls, alone and during a flood.

    Attributes:
        connections: how many forged tokens can be under way at a time.
        share: rate as a share of the highest rate; ``None``: without a pause.
        rate: forged tokens refused a second.
        cores: as in ``wrk.Figures``.
        wrong: forged tokens that were not refused as they should be.
        alone: honest calls before the flood.
        beside: honest calls during the flood.
    """

    connections: int
    share: float | None
    rate: float
    cores: float
    wrong: int
    alone: HonestFigures
    beside: HonestFigures

    @property
    def multiple(self) -> float:
        """The median call during the flood, in units of the median call alone."""
        return self.beside.median / self.alone.median

    @property
    def is_right(self) -> bool:
        return not (self.wrong or self.alone.wrong or self.beside.wrong)


class HonestCaller:
    """Places twenty calls a second, one after another, on its own thread."""

    def __init__(self, target: LoadTarget) -> None:
        self._world = target.world
        url = urlsplit(target.deployment.base_url)
        self._address = (str(url.hostname), int(url.port or 80))
        self._stopping = threading.Event()
        self._seconds: list[float] = []
        self._wrong = 0

    def figures(self) -> HonestFigures:
        times = sorted(second * 1e3 for second in self._seconds)
        return HonestFigures(
            calls=len(times),
            median=statistics.median(times),
            p95=times[len(times) * 95 // 100],
            longest=times[-1],
            wrong=self._wrong,
        )

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Call while the block runs; at least once."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def _run(self) -> None:
        self._call()
        while not self._stopping.wait(1 / _CALLS_PER_SECOND):
            self._call()

    def _call(self) -> None:
        token, body = HONEST.make(self._world)
        request = self._request(token, json.dumps(body).replace("@CALL@", new_id()))
        started_at = time.perf_counter()
        try:
            reply = self._exchange(request)
        except OSError:
            reply = b""
        self._seconds.append(time.perf_counter() - started_at)
        self._wrong += not reply.startswith(b"HTTP/1.1 %d " % HONEST.status)

    def _request(self, token: str, body: str) -> bytes:
        host, port = self._address
        lines = (
            "POST /api/calls HTTP/1.1",
            f"Host: {host}:{port}",
            f"Authorization: Bearer {token}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("ascii")

    def _exchange(self, request: bytes) -> bytes:
        """Send a request in one piece, as wrk does; return the whole reply."""
        with socket.create_connection(self._address, _TIMEOUT_SECONDS) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(_READ_BYTES), b""))


def flood(target: LoadTarget, *, seconds: float) -> Iterator[FloodFigures]:
    """Place honest calls alone and then during each kind of flood."""
    highest = 0.0
    for connections in AT_ONCE:
        saturated = _beside(target, seconds, connections=connections)
        yield saturated
        highest = max(highest, saturated.rate)
    for share in SHARES:
        yield _beside(
            target, seconds, connections=CONNECTIONS, share=share, rate=share * highest
        )


def _beside(
    target: LoadTarget,
    seconds: float,
    *,
    connections: int,
    share: float | None = None,
    rate: float | None = None,
) -> FloodFigures:
    FORGED.write(target)
    alone, beside = HonestCaller(target), HonestCaller(target)
    with alone.calling():
        threading.Event().wait(seconds / 3)
    with beside.calling():
        seen = wrk.run(
            target, connections=connections, seconds=seconds, threads=1, rate=rate
        )
    return FloodFigures(
        connections=connections,
        share=share,
        rate=seen.rate,
        cores=seen.cores,
        wrong=seen.wrong + seen.errors + seen.tracebacks,
        alone=alone.figures(),
        beside=beside.figures(),
    )
