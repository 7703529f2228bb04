"""Callers who place one request after another, and what they saw."""

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

_TIMEOUT_SECONDS = 20
_READ_BYTES = 64 * 1024


class Address(NamedTuple):
    """Where the deployment listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class CallerFigures:
    """What callers saw; times in milliseconds."""

    calls: int
    median: float
    p95: float
    p99: float
    longest: float
    wrong: int


class Caller:
    """Places a request, waits for the reply, and after a pause places the next one."""

    def __init__(
        self,
        address: Address,
        make: Callable[[], bytes],
        *,
        status: int,
        pause_seconds: float = 0.05,
    ) -> None:
        """Place what ``make`` returns; ``status`` is the right one of the reply."""
        self._address = address
        self._make = make
        self._status = status
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._seconds: list[float] = []
        self._wrong = 0

    def figures(self) -> CallerFigures:
        times = sorted(second * 1e3 for second in self._seconds)
        return CallerFigures(
            calls=len(times),
            median=statistics.median(times),
            p95=times[len(times) * 95 // 100],
            p99=times[len(times) * 99 // 100],
            longest=times[-1],
            wrong=self._wrong,
        )

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Call on a thread while the block runs; at least once, and again later."""
        self._stopping.clear()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def _run(self) -> None:
        self._call()
        while not self._stopping.wait(self._pause_seconds):
            self._call()

    def _call(self) -> None:
        request = self._make()
        started_at = time.perf_counter()
        try:
            reply = exchange(self._address, request)
        except OSError:
            reply = b""
        self._seconds.append(time.perf_counter() - started_at)
        self._wrong += not reply.startswith(b"HTTP/1.1 %d " % self._status)


def post(address: Address, token: str, body: str, path: str = "/api/calls") -> bytes:
    """Return a notification as it goes over the wire."""
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {address.host}:{address.port}",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("ascii")


def exchange(address: Address, request: bytes) -> bytes:
    """Send a request in one piece, as wrk does; return the whole reply."""
    with socket.create_connection(address, _TIMEOUT_SECONDS) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(_READ_BYTES), b""))
