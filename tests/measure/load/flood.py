"""Honest calls beside a flood of forged tokens: what the flood costs them.

First the process is saturated: connections send the next forged token as soon as they
have their reply, so many of them that it can do no more. What it refuses then is the
highest rate. Then forged tokens arrive at random, as those of strangers do, at rising
shares of that rate.
Each time honest calls are placed alone just before, because a shared machine has
better and worse minutes.
"""

import json
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.measure.load import wrk
from tests.measure.load.site import Site
from tests.measure.load.traffic import FORGED, HONEST
from tests.simulator.platform.notifications import new_id

CONNECTIONS = 64
SHARES = (0.5, 0.7, 0.8, 0.9, 0.95)
# So many connections, each with the next token as soon as the last one is refused. An
# instance of the templates gets 16 requests at a time, others go to other instances.
AT_ONCE = (CONNECTIONS, 16, 4)

_CALLS_PER_SECOND = 20
_TIMEOUT_SECONDS = 10
_READ_BYTES = 64 * 1024


class HonestFigures(NamedTuple):
    """What honest callers saw; milliseconds."""

    calls: int
    median: float
    p95: float
    longest: float
    wrong: int


class FloodFigures(NamedTuple):
    """Honest calls alone and beside a flood.

    Attributes:
        connections: how many forged tokens are under way at most.
        share: of the highest rate; ``None``: that many are always under way.
        rate: forged tokens refused a second.
        cores: as in ``wrk.Figures``.
        wrong: forged tokens without the refusal they should get.
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
        """How much longer the median call takes beside the flood."""
        return self.beside.median / self.alone.median

    @property
    def is_right(self) -> bool:
        """Tell whether everybody got the right reply."""
        return not (self.wrong or self.alone.wrong or self.beside.wrong)


class HonestCaller:
    """Places calls one after another, twenty a second, on a thread of its own."""

    def __init__(self, site: Site) -> None:
        """Call the deployment of ``site``."""
        self._world = site.world
        url = urlsplit(site.deployment.base_url)
        self._address = (str(url.hostname), int(url.port or 80))
        self._stopping = threading.Event()
        self._seconds: list[float] = []
        self._wrong = 0

    def figures(self) -> HonestFigures:
        """Return what was seen so far."""
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
        """Call while the block runs, at least once."""
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
        """Send a request in one piece, as wrk does; return all of the reply."""
        with socket.create_connection(self._address, _TIMEOUT_SECONDS) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(_READ_BYTES), b""))


def flood(site: Site, *, seconds: float) -> Iterator[FloodFigures]:
    """Place honest calls alone and beside forged tokens, for each kind of flood."""
    highest = 0.0
    for connections in AT_ONCE:
        saturated = _beside(site, seconds, connections=connections)
        yield saturated
        highest = max(highest, saturated.rate)
    for share in SHARES:
        yield _beside(
            site,
            seconds,
            connections=CONNECTIONS,
            share=share,
            rate=share * highest,
        )


def _beside(
    site: Site,
    seconds: float,
    *,
    connections: int,
    share: float | None = None,
    rate: float | None = None,
) -> FloodFigures:
    FORGED.write(site)
    alone, beside = HonestCaller(site), HonestCaller(site)
    with alone.calling():
        threading.Event().wait(seconds / 3)
    with beside.calling():
        seen = wrk.run(
            site, connections=connections, seconds=seconds, threads=1, rate=rate
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
