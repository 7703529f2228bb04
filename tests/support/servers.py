"""Servers that misbehave on purpose: real sockets and real TLS on loopback.

A server runs each connection on a thread of its own. Its script may answer, drip, hang
or break off; all threads end with the server's ``with`` block.
"""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.support.running import Running

HANG_SECONDS = 60.0
DRIP_SECONDS = 0.05
_MEBIBYTE = bytes(1024 * 1024)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it came.

    Attributes:
        headers: their names are in lower case.
        received_at: monotonic seconds.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    received_at: float

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


class FaultServer(Running):
    """Runs ``serve`` for every connection, on a free port of loopback."""

    def __init__(self, serve: Connection) -> None:
        self._serve = serve
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._peers: list[Peer] = []

    @cached_property
    def _listener(self) -> socket.socket:
        """Opened when it is first needed: a server may be planned and never start."""
        return socket.create_server(("127.0.0.1", 0), backlog=256)

    @cached_property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        """The host, over TLS."""
        return f"https://{self.host}"

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return len(self._peers)

    def start(self, stack: ExitStack) -> None:
        """Start to accept connections."""
        stack.callback(self._stop)
        # Clients may still be told the host when the listener is closed.
        _ = self.host
        self._run_on_thread(self._accept, self._listener)

    def wait_for_connections(self) -> None:
        """Wait until every connection so far has ended."""
        for thread in self._threads[1:]:
            thread.join(HANG_SECONDS)

    def _stop(self) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            peer.cut()
        for thread in self._threads:
            thread.join(10)

    def _run_on_thread(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while not self._closing.is_set():
                connection, _address = listener.accept()
                connection.settimeout(HANG_SECONDS)
                # Else the first reply over TLS waits 40 ms for an acknowledgement.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peer = Peer(connection, self._closing)
                self._peers.append(peer)
                self._run_on_thread(self._serve_one, peer)

    def _serve_one(self, peer: Peer) -> None:
        # A client that gives up is what most scripts are about.
        with suppress(OSError):
            self._serve(peer)
        peer.connection.close()


def http(script: Script, context: ssl.SSLContext | None) -> Connection:
    """Serve HTTP/1.1 until the script returns ``None``; over TLS with a context."""

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


class ScriptedServer(FaultServer):
    """Answers HTTP requests as its script says, and keeps them.

    Attributes:
        script: answers the next request; a test may replace it at any time.
        requests: every request, in order.
    """

    def __init__(self, script: Script, context: ssl.SSLContext | None) -> None:
        super().__init__(http(self._answer, context))
        self.script = script
        self.requests: list[Request] = []

    def _answer(self, request: Request, peer: Peer) -> bytes | None:
        self.requests.append(request)
        return self.script(request, peer)


def in_turn(*scripts: Script) -> Script:
    """Return a script that follows one of these a request; the last one stays."""
    remaining = list(scripts)

    def follow(request: Request, peer: Peer) -> bytes | None:
        script = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        return script(request, peer)

    return follow


def status(code: int, **headers: str) -> Script:
    """Return a script that replies with a status and no body."""
    return lambda *_: reply(code, b"", **headers)


def healthy(region: str = "sea") -> Script:
    """Return a script that replies as a healthy region does to a health check."""
    return lambda *_: json_reply({"status": "ok", "region": region})


def reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an HTTP reply; ``_`` in a header's name stands for a hyphen."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def json_reply(document: object, status: int = 200) -> bytes:
    """Return an HTTP reply with JSON."""
    return reply(status, json.dumps(document).encode(), Content_Type="application/json")


def enormous(_request: Request, peer: Peer) -> None:
    """Send a reply with a body of 256 MiB, as long as the client takes it."""
    length = 256 * len(_MEBIBYTE)
    peer.send(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
    for _ in range(256):
        peer.send(_MEBIBYTE)


def drip_body(_request: Request, peer: Peer) -> None:
    """Send headers at once and the body slowly."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    peer.drip(b" " * 100_000)


def drip_headers(_request: Request, peer: Peer) -> None:
    """Send everything slowly, from the status line on."""
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 100_000)


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
    return Request(first[0], first[1], headers, body, time.monotonic())
