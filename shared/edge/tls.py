"""Sockets with bounds that hold: a deadline, a number of bytes, and who may send.

Timeouts of an HTTP client bound the wait for the next byte, not the whole exchange: a
server that drips one byte a second is never too late. Limits of an HTTP parser bound
what it understands: endless ``100 Continue`` replies, trailers and chunks of a negative
size pass them by (https://github.com/python/cpython/issues/150751).

Here every read and write of a socket, after the TLS handshake, asks the ``Transfer``
that the calling thread carries out.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Self, override

if TYPE_CHECKING:
    from collections.abc import Buffer, Iterator

# Status line, headers, trailers and the sizes of chunks, beside the body.
_OVERHEAD_BYTES = 128 * 1024
_current = threading.local()
_making = threading.Lock()


class Transfer:
    """One exchange as its sockets see it. Any thread may give it up.

    Attributes:
        ends_at: when it must have ended, in ``time.monotonic`` seconds.
        max_bytes: how much of a body is wanted.
        has_status: the status of the reply has come, whatever becomes of its body.
    """

    def __init__(self, *, ends_at: float, max_bytes: int) -> None:
        """Bound an exchange in time and size."""
        self.ends_at = ends_at
        self.max_bytes = max_bytes
        self._bytes_left = max_bytes + _OVERHEAD_BYTES
        self._lock = threading.Lock()
        self._was_sent = False
        self._is_given_up = False
        self.has_status = False

    @property
    def was_sent(self) -> bool:
        """Tell whether anything of the request was sent, and may have taken effect."""
        return self._was_sent

    def give_up(self) -> bool:
        """Send nothing from now on; tell whether anything was sent before."""
        with self._lock:
            self._is_given_up = True
            return self._was_sent

    @contextmanager
    def on_this_thread(self) -> Iterator[Self]:
        """Let the sockets that this thread uses ask this transfer."""
        before = getattr(_current, "transfer", None)
        _current.transfer = self
        try:
            yield self
        finally:
            _current.transfer = before

    def before_sending(self) -> float:
        """Note that something is sent; return how many seconds are left.

        Raises:
            TimeoutError: nothing may be sent any more.
        """
        with self._lock:
            if self._is_given_up:
                message = "the exchange was given up"
                raise TimeoutError(message)
            seconds = self.seconds_left()
            self._was_sent = True
            return seconds

    def seconds_left(self) -> float:
        """Return how many seconds are left.

        Raises:
            TimeoutError: none.
        """
        seconds = self.ends_at - time.monotonic()
        if seconds <= 0:
            message = "the deadline has passed"
            raise TimeoutError(message)
        return seconds

    def count_received(self, number: int) -> None:
        """Count bytes that came.

        Raises:
            OSError: there were too many.
        """
        self._bytes_left -= number
        if self._bytes_left < 0:
            message = "the reply is too large"
            raise OSError(message)


class _Bounded(socket.socket):
    """Asks the transfer of the calling thread, if it carries one out."""

    # Of the last byte that was sent or received, in ``time.monotonic`` seconds.
    used_at = float("-inf")

    @override
    def send(self, data: Buffer, flags: int = 0) -> int:
        self._before_sending()
        return super().send(data, flags)

    @override
    def recv_into(
        self, buffer: Buffer, nbytes: int | None = None, flags: int = 0
    ) -> int:
        transfer = _transfer()
        if transfer is not None:
            self.settimeout(transfer.seconds_left())
        wanted = memoryview(buffer).nbytes if nbytes is None else nbytes
        number = super().recv_into(buffer, wanted, flags)
        self.used_at = time.monotonic()
        if transfer is not None:
            transfer.count_received(number)
        return number

    def _before_sending(self) -> None:
        transfer = _transfer()
        if transfer is not None:
            self.settimeout(transfer.before_sending())
        self.used_at = time.monotonic()


class _BoundedTlsSocket(_Bounded, ssl.SSLSocket):
    """A TLS socket that respects the bounds after the handshake."""


class PlainSocket(_Bounded):
    """A socket without TLS that respects the bounds: for the machine itself."""

    @override
    def sendall(self, data: Buffer, flags: int = 0) -> None:
        self._before_sending()
        super().sendall(data, flags)

    @classmethod
    def taking_over(cls, other: socket.socket) -> Self:
        """Return a socket with the connection of ``other``, which is spent."""
        timeout = other.gettimeout()
        bounded = cls(other.family, other.type, other.proto, fileno=other.detach())
        bounded.settimeout(timeout)
        return bounded


def idle_seconds(used: socket.socket | None) -> float:
    """Return for how long a connection has brought and taken nothing."""
    return time.monotonic() - getattr(used, "used_at", float("-inf"))


def tls_context(ca_bundle: str) -> ssl.SSLContext:
    """Return the TLS context of all sessions that trust the same authorities.

    It is made once, because a context takes a megabyte outside of Python, and a session
    that met an error is freed by the garbage collector at some later time. Where the
    bundle cannot be read, the next session tries again.

    Raises:
        OSError: ``ca_bundle`` cannot be read.
    """
    # Several threads open the first sessions; one of them reads the authorities.
    with _making:
        return _make_context(ca_bundle)


@cache
def _make_context(ca_bundle: str) -> ssl.SSLContext:
    import certifi  # noqa: PLC0415 - comes with requests

    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _BoundedTlsSocket
    if ca_bundle:
        context.load_verify_locations(ca_bundle)
    return context


def _transfer() -> Transfer | None:
    return getattr(_current, "transfer", None)
