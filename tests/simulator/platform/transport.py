"""HTTPS POSTs by name: resolved by the simulated name server, from a source address.

The connection goes to the resolved address; Host, SNI and the check of the certificate
stay with the name, as they do for the real platform. A host that is an address is
connected to as it is.
"""

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import ip_address
from itertools import cycle
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from tests.simulator.services.failures import NameUnresolvedError, name_of
from tests.simulator.services.resolver import Resolved


class Resolver(Protocol):
    """Resolves names, such as ``services.resolver.StubResolver``."""

    def resolve(self, name: str, *, asker: str) -> Resolved:
        """Resolve a name for the asker, or raise ``NameUnresolvedError``."""


type OnResolved = Callable[[str, Resolved | None], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostReply:
    """What came of a POST: a status with headers, or an error of ``failures``."""

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
    real_port: int = 443

    def _new_conn(self) -> socket.socket:
        failure: OSError | None = None
        for address in self.addresses:
            self.address = address
            try:
                connected = socket.create_connection(
                    (address, self.real_port), self.timeout, self.source_address
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
        resolver: Resolver | None,
        context: ssl.SSLContext,
        *,
        processes: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        """Trust ``context``. Without a resolver, hosts must be addresses.

        ``processes``: the ports of all processes behind one port, which take turns.
        """
        self._resolver = resolver
        self._context = context
        self._ports = {port: cycle(ports) for port, ports in (processes or {}).items()}

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        source: str,
        timeouts: Timeouts,
        on_resolved: OnResolved | None = None,
    ) -> PostReply:
        """POST once and follow nothing; a network failure is an error in the reply.

        Args:
            url: where to.
            body: sent as it is.
            headers: sent as they are, with Host and Content-Length added.
            source: the address that the question for the name and the connection
                come from.
            timeouts: how long to wait.
            on_resolved: gets the name and what it resolved to; None: nothing.
        """
        started_at = time.monotonic()
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port or 443
        addresses = self._resolve(name, source, on_resolved)
        connection = _Connection(
            name,
            port,
            timeout=timeouts.connect_seconds,
            source_address=(source, 0),
            ssl_context=self._context,
        )
        connection.addresses = addresses
        connection.real_port = next(self._ports[port]) if port in self._ports else port
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        is_connected = False
        error = None
        status, content = None, b""
        replied: Mapping[str, str] = {}
        try:
            if not addresses:
                raise NameUnresolvedError(name)
            connection.connect()
            is_connected = True
            connection.sock.settimeout(timeouts.reply_seconds)
            connection.timeout = timeouts.reply_seconds
            connection.request("POST", path, body=body, headers=headers)
            response = connection.getresponse()
            status, replied = response.status, response.headers
            content = response.data
        except (OSError, HTTPError, HTTPException) as failure:
            error = name_of(failure, is_connected=is_connected)
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

    def _resolve(
        self, name: str, source: str, on_resolved: OnResolved | None
    ) -> Sequence[str]:
        if _is_address(name):
            return [name]
        resolved = None
        try:
            if self._resolver is not None:
                resolved = self._resolver.resolve(name, asker=source)
        except NameUnresolvedError:
            pass
        if on_resolved is not None:
            on_resolved(name, resolved)
        return resolved.addresses if resolved else ()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
