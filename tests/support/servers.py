"""Neighbours that misbehave on purpose: real sockets and real TLS on loopback.

A server runs a script on a thread of its own per connection. Scripts may answer, drip,
hang or break off; all of them end with the server's ``with`` block.
"""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

HANG_SECONDS = 60.0
DRIP_SECONDS = 0.05
_MEBIBYTE = bytes(1024 * 1024)


class Certificates:
    """An authority of our own and server certificates by it."""

    def __init__(self, directory: Path) -> None:
        """Make the authority, with its file in ``directory``."""
        self._authority = trustme.CA()
        self._directory = directory
        self.bundle = str(directory / "authority.pem")
        self._authority.cert_pem.write_to_path(self.bundle)

    def files(self) -> tuple[Path, Path]:
        """Return certificate chain and key for loopback, in PEM."""
        certificate = self._authority.issue_cert("127.0.0.1", "localhost")
        chain, key = self._directory / "server.pem", self._directory / "server.key"
        chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
        key.write_bytes(certificate.private_key_pem.bytes())
        return chain, key

    def context(self, *names: str, not_after: datetime | None = None) -> ssl.SSLContext:
        """Return a server's context with a certificate for ``names`` (loopback)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        identities = names or ("127.0.0.1", "localhost")
        certificate = self._authority.issue_cert(*identities, not_after=not_after)
        certificate.configure_cert(context)
        return context


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it came; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.body)


class Peer:
    """One connection of a client, as a script sees it."""

    def __init__(self, connection: socket.socket, closing: threading.Event) -> None:
        self.connection = connection
        self.closing = closing

    def send(self, data: bytes) -> None:
        """Send at once."""
        self.connection.sendall(data)

    def drip(self, data: bytes) -> None:
        """Send one byte at a time, slowly, as long as the client takes it."""
        for position in range(len(data)):
            self.send(data[position : position + 1])
            if self.closing.wait(DRIP_SECONDS):
                return

    def cut(self) -> None:
        """Break the connection off, whatever the script does."""
        # Not SSLSocket's own: it would take the session from a thread that reads.
        with suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)

    def hang(self, seconds: float = HANG_SECONDS) -> None:
        """Do nothing until the server ends, or for some time."""
        self.closing.wait(seconds)


type Connection = Callable[[Peer], None]
type Script = Callable[[Request, Peer], bytes | None]


class FaultServer:
    """Runs ``serve`` for every connection, on a free port of loopback."""

    def __init__(self, serve: Connection) -> None:
        self._serve = serve
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._threads: list[threading.Thread] = []
        self._peers: list[Peer] = []
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"https://{self.host}"

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return len(self._peers)

    def __enter__(self) -> Self:
        """Start to accept."""
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and end every thread."""
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            peer.cut()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._closing.is_set():
                connection, _address = self._listener.accept()
                connection.settimeout(HANG_SECONDS)
                peer = Peer(connection, self._closing)
                self._peers.append(peer)
                self._start(self._run, peer)

    def _run(self, peer: Peer) -> None:
        # A client that gives up is what most scripts are about.
        with suppress(OSError):
            self._serve(peer)
        peer.connection.close()


def http(script: Script, context: ssl.SSLContext | None) -> Connection:
    """Serve HTTP/1.1, over TLS where there is a context, until ``script`` says None."""

    def serve(peer: Peer) -> None:
        if context:
            peer.connection = context.wrap_socket(peer.connection, server_side=True)
        with peer.connection.makefile("rb") as stream:
            while (request := _read_request(stream)) is not None:
                answer = script(request, peer)
                if answer is None:
                    return
                peer.send(answer)

    return serve


def reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP reply; ``_`` in a header's name stands for a hyphen."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def json_reply(document: object, status: int = 200) -> bytes:
    """Return an HTTP reply with JSON."""
    return reply(status, json.dumps(document).encode(), Content_Type="application/json")


def send_enormous(peer: Peer, mebibytes: int = 256) -> None:
    """Send a reply with a body of that size, as long as the client takes it."""
    length = mebibytes * len(_MEBIBYTE)
    peer.send(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
    for _ in range(mebibytes):
        peer.send(_MEBIBYTE)


def drip_handshake(context: ssl.SSLContext) -> Connection:
    """Answer a client's TLS handshake correctly, one byte at a time."""

    def serve(peer: Peer) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(peer.connection.recv(65536))
        with suppress(ssl.SSLWantReadError):
            session.do_handshake()
        peer.drip(outgoing.read())

    return serve


def hang_up(_request: Request, _peer: Peer) -> None:
    """Take the request and close the connection without a reply."""


def hang(_request: Request, peer: Peer) -> None:
    """Take the request and never answer."""
    peer.hang()


def _read_request(stream: Any) -> Request | None:
    first = stream.readline().decode("latin-1").split()
    if not first:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, text = line.partition(":")
        headers[name.lower()] = text.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(first[0], first[1], headers, body)
