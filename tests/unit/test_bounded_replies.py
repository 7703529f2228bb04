"""Replies that never end: no way past the bounds of ``shared.edge.tls``."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests

from shared.credential_settings import CredentialKind
from shared.edge import token_client
from shared.edge.token_client import CredentialError
from tests.support.clock import at_most
from tests.support.entra import TokenServers, ask
from tests.support.outbound import fail
from tests.support.servers import FaultServer, Peer, Request, http
from tests.unit.conftest import Serve

MANY = 64 * 1024 * 1024
# What a client may take in before it notices; sockets hold some as well.
LITTLE = 8 * 1024 * 1024


class Flood:
    """Sends a head, then pieces without end; counts what was taken.

    Attributes:
        sent: bytes that the client, or the sockets on the way, have taken.
    """

    def __init__(self, head: bytes, piece: bytes) -> None:
        self._head = head
        self._piece = piece * (65536 // len(piece) + 1)
        self.sent = 0

    def __call__(self, _request: Request, peer: Peer) -> None:
        peer.send(self._head)
        while self.sent < MANY and not peer.closing.is_set():
            peer.send(self._piece)
            self.sent += len(self._piece)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
FLOODS = {
    "negative-chunk-size": (CHUNKED + b"-1\r\n", b"x"),
    "endless-interim-replies": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless-trailers": (CHUNKED + b"0\r\n", b"a: b\r\n"),
    "tiny-chunks": (CHUNKED, b"1\r\nx\r\n"),
    "endless-body": (OK + b"\r\n", b"x"),
}


@pytest.fixture(params=[*FLOODS.values()], ids=[*FLOODS])
def flood(request: pytest.FixtureRequest) -> Flood:
    """A reply that never ends, in one of the ways that parsers do not notice."""
    return Flood(*request.param)


def test_a_reply_without_end_is_left_early(
    session: requests.Session, serve: Serve, flood: Flood
) -> None:
    """CPython's chunk reader takes a size of -1 for "all that comes"."""
    server = serve(flood)
    with at_most(15):
        try:
            fail(session, server.url)
        except pytest.fail.Exception:
            # The body was long enough: the rest was left unread.
            session.close()
        server.wait_for_connections()

    assert flood.sent < LITTLE


@pytest.fixture
def serve_plainly() -> Iterator[Callable[[Flood], FaultServer]]:
    """Starts servers without TLS, such as the identity endpoint."""
    with ExitStack() as stack:
        yield lambda flood: stack.enter_context(FaultServer(http(flood, None)))


def test_entras_reply_is_bounded(
    servers: TokenServers, serve: Serve, flood: Flood
) -> None:
    """azure-identity reads whole replies into memory."""
    server = serve(flood)
    tokens = servers.credentials(login_url=server.url)
    with pytest.raises(CredentialError):
        asyncio.run(ask(tokens))
    server.wait_for_connections()

    assert flood.sent < LITTLE


def test_the_identity_endpoints_reply_is_bounded(
    servers: TokenServers,
    serve_plainly: Callable[[Flood], FaultServer],
    flood: Flood,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It speaks plain HTTP, on the machine itself."""
    server = serve_plainly(flood)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{server.host}/msi/token")
    tokens = servers.credentials(kind=CredentialKind.MANAGED_IDENTITY)
    with pytest.raises(CredentialError):
        asyncio.run(ask(tokens))
    server.wait_for_connections()

    assert flood.sent < LITTLE


def test_a_plain_socket_keeps_the_deadline_too(
    servers: TokenServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An identity endpoint that drips is given up like everybody else."""

    def drip(peer: Peer) -> None:
        peer.connection.recv(65536)
        peer.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000)

    monkeypatch.setattr(token_client, "ACQUIRE_SECONDS", 0.5)
    with FaultServer(drip) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{server.host}/msi/token")
        tokens = servers.credentials(kind=CredentialKind.MANAGED_IDENTITY)
        with at_most(3), pytest.raises(CredentialError):
            asyncio.run(ask(tokens))


def test_the_managed_identity_is_asked_over_a_bounded_socket(
    servers: TokenServers,
) -> None:
    """The ordinary way works over it."""
    issued = servers.get(CredentialKind.MANAGED_IDENTITY)
    assert issued.kind == "managed-identity"
    assert socket.getdefaulttimeout() is None
