"""HTTPS POSTs by name: resolved by the simulated name server, from a source address.

The connection goes to the resolved address; Host, SNI and the check of the certificate
stay with the name, as they do for the real platform.
"""

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from tests.simulator.services.resolver import (
    NameUnresolvedError,
    Resolved,
    StubResolver,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostReply:
    """What came of a POST: a status with headers, or an error.

    ``error`` is name-unresolved, connection-refused, connect-timeout, tls-refused,
    connection-lost or reply-timeout.
    """

    address: str | None
    status: int | None = None
    headers: Mapping[str, str]
    body: bytes = b""
    error: str | None = None
    took_seconds: float


class Timeouts(NamedTuple):
    """How long to wait for a connection with TLS, and for a reply."""

    connect_seconds: float
    reply_seconds: float


class _Connection(HTTPSConnection):
    """Connects to the first of the addresses that accepts."""

    addresses: Sequence[str] = ()
    address: str | None = None

    def _new_conn(self) -> socket.socket:
        failure: OSError | None = None
        for address in self.addresses:
            self.address = address
            try:
                connected = socket.create_connection(
                    (address, self.port), self.timeout, self.source_address
                )
            except OSError as error:
                failure = error
            else:
                # Or the body would wait for the acknowledgement of the headers: 40 ms.
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connected
        raise failure or OSError("no address")


class Transport:
    """Sends POSTs; safe for threads, one connection for each."""

    def __init__(
        self,
        resolver: StubResolver,
        context: ssl.SSLContext,
        on_resolved: Callable[[str, str, Resolved | None], None] | None = None,
    ) -> None:
        """Trust ``context``; tell ``on_resolved`` correlation, name and addresses."""
        self._resolver = resolver
        self._context = context
        self._on_resolved = on_resolved

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        source: str,
        timeouts: Timeouts,
        correlation: str = "",
    ) -> PostReply:
        """POST once, following nothing; raises nothing of the network's."""
        started_at = time.monotonic()
        parts = urlsplit(url)
        name = parts.hostname or ""
        addresses = self._resolve(name, source, correlation)
        connection = _Connection(
            name,
            parts.port or 443,
            timeout=timeouts.connect_seconds,
            source_address=(source, 0),
            ssl_context=self._context,
        )
        connection.addresses = addresses
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        is_connected = False
        error = None
        status, replied, content = None, {}, b""
        try:
            if not addresses:
                raise NameUnresolvedError(name)
            connection.connect()
            is_connected = True
            connection.sock.settimeout(timeouts.reply_seconds)
            connection.timeout = timeouts.reply_seconds
            connection.request("POST", path, body=body, headers=headers)
            response = connection.getresponse()
            status, replied = response.status, dict(response.headers)
            content = response.data
        except (OSError, HTTPError, HTTPException) as failure:
            error = _name_of(failure, is_connected=is_connected)
            status = None
        finally:
            connection.close()
        return PostReply(
            address=connection.address,
            status=status,
            headers=replied,
            body=content,
            error=error,
            took_seconds=time.monotonic() - started_at,
        )

    def _resolve(self, name: str, source: str, correlation: str) -> Sequence[str]:
        try:
            resolved = self._resolver.resolve(name, asker=source)
        except NameUnresolvedError:
            resolved = None
        if self._on_resolved is not None:
            self._on_resolved(correlation, name, resolved)
        return resolved.addresses if resolved else ()


def _name_of(failure: BaseException, *, is_connected: bool) -> str:
    """Name a failure by the first cause that is known."""
    causes = _causes(failure)
    for kind, name in (
        (NameUnresolvedError, "name-unresolved"),
        (ConnectionRefusedError, "connection-refused"),
        (TimeoutError, "reply-timeout" if is_connected else "connect-timeout"),
    ):
        if any(isinstance(cause, kind) for cause in causes):
            return name
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "tls-refused"
    return "connection-lost"


def _causes(failure: BaseException) -> list[BaseException]:
    found = [failure]
    for error in found:
        for cause in (*error.args, error.__cause__, error.__context__):
            if isinstance(cause, BaseException) and cause not in found:
                found.append(cause)
    return found
