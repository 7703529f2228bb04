"""shared.edge.outbound: deadlines that hold."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
import requests
from urllib3.exceptions import ReadTimeoutError

from shared.edge.tls import Transfer, tls_context
from tests.simulator.services.authority import Authority
from tests.support.clock import at_most
from tests.support.outbound import fail, get
from tests.support.servers import (
    Connection,
    FaultServer,
    Peer,
    Request,
    Script,
    drip_body,
    drip_handshake,
    drip_headers,
    enormous,
    hang,
    hang_up,
    http,
    reply,
    status,
)
from tests.unit.conftest import Serve

SHORT_SECONDS = 0.6
# Three times what is expected, on a busy machine.
PATIENCE_SECONDS = 3 * SHORT_SECONDS


def until(ends_at: float) -> AbstractContextManager[Transfer]:
    """Let the sockets of this thread keep a deadline."""
    return Transfer(ends_at=ends_at, max_bytes=10**9).on_this_thread()


def test_an_exchange_brings_status_headers_and_body(
    session: requests.Session, serve: Serve
) -> None:
    """The names of headers ignore case."""
    peer = serve(lambda *_: reply(418, b"tea", X_Pot="yes"))
    answer = get(session, peer.url)

    assert (answer.status, answer.body, answer.is_cut) == (418, b"tea", False)
    assert answer.headers["x-pot"] == "yes"


@pytest.mark.requirement("R8")
def test_a_compressed_reply_is_never_asked_for_nor_unpacked(
    session: requests.Session, serve: Serve
) -> None:
    """An unpacked body could grow without bound."""
    zipped = reply(200, b"\x1f\x8b\x08not-unpacked", Content_Encoding="gzip")
    peer = serve(lambda *_: zipped)
    answer = get(session, peer.url)

    assert peer.requests[0].headers["accept-encoding"] == "identity"
    assert answer.body == b"\x1f\x8b\x08not-unpacked"


def test_a_body_as_large_as_allowed_is_whole_and_one_byte_more_is_cut(
    session: requests.Session, serve: Serve
) -> None:
    sizes = iter((1024, 1025))
    peer = serve(lambda *_: reply(200, bytes(next(sizes))))
    whole, cut = get(session, peer.url), get(session, peer.url)

    assert (len(whole.body), whole.is_cut) == (1024, False)
    assert (len(cut.body), cut.is_cut) == (1024, True)


@pytest.mark.requirement("R8")
def test_an_enormous_body_is_left_unread(
    session: requests.Session, serve: Serve
) -> None:
    """256 MiB cost no more time than the part that is wanted."""
    with at_most(PATIENCE_SECONDS):
        answer = get(session, serve(enormous).url)

    assert answer.is_cut


@pytest.mark.requirement("R8", "R22")
@pytest.mark.parametrize(
    "make_fault",
    [
        pytest.param(lambda tls: http(hang, tls), id="never-answers"),
        pytest.param(lambda tls: http(drip_body, tls), id="drips-the-body"),
        pytest.param(lambda tls: http(drip_headers, tls), id="drips-the-headers"),
        pytest.param(drip_handshake, id="drips-the-handshake"),
        pytest.param(lambda _tls: Peer.hang, id="never-shakes-hands"),
    ],
)
def test_a_slow_server_is_left_at_the_deadline(
    session: requests.Session,
    tls: ssl.SSLContext,
    make_fault: Callable[[ssl.SSLContext], Connection],
) -> None:
    """The deadline covers the whole exchange, not just the wait for a byte."""
    with FaultServer(make_fault(tls)) as peer:
        error, seconds = fail(session, peer.url, seconds=SHORT_SECONDS)

    assert error.is_late
    assert seconds < PATIENCE_SECONDS


def test_a_dripped_handshake_ends_with_the_time_to_connect(
    session: requests.Session, tls: ssl.SSLContext
) -> None:
    """Connecting has its own limit, so that time is left for another attempt."""
    with FaultServer(drip_handshake(tls)) as peer:
        error, seconds = fail(session, peer.url, seconds=30)

    assert error.is_late
    assert seconds < 6


def test_a_passed_deadline_sends_nothing(
    session: requests.Session, serve: Serve
) -> None:
    """Work that waited too long for a thread is not done at all."""
    peer = serve(hang)
    error, _seconds = fail(session, peer.url, seconds=-1)

    assert (error.is_late, error.was_sent) == (True, False)
    assert peer.connections == 0


def test_a_deadline_that_passes_between_reads_ends_the_next_one(
    session: requests.Session, serve: Serve
) -> None:
    """A read that starts too late fails without waiting."""
    with (
        session.get(serve(drip_body).url, stream=True) as response,
        until(time.monotonic() - 1),
        pytest.raises(ReadTimeoutError),
    ):
        response.raw.read(10)


def test_the_deadline_is_stronger_than_a_longer_timeout(
    session: requests.Session, serve: Serve
) -> None:
    """azure-identity sets its own timeout for each read."""
    peer, started = serve(hang), time.monotonic()
    with until(started + SHORT_SECONDS), pytest.raises(requests.ReadTimeout):
        session.get(peer.url, timeout=30)

    assert time.monotonic() - started < PATIENCE_SECONDS


def test_the_deadline_of_a_thread_ends_with_its_block(
    session: requests.Session, serve: Serve
) -> None:
    peer = serve(lambda *_: reply(200, b"x"))
    with until(time.monotonic() - 1):
        pass
    assert session.get(peer.url).status_code == 200


def test_nobody_listening_means_that_nothing_was_sent(
    session: requests.Session, serve: Serve
) -> None:
    """A refused connection cannot have taken effect."""
    peer = serve(hang)
    peer.close()
    error, _seconds = fail(session, peer.url)

    assert (error.is_late, error.was_sent) == (False, False)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(hang_up, id="hangs-up"),
        pytest.param(lambda *_: b"220 mail.example ESMTP\r\n\r\n", id="speaks-smtp"),
        pytest.param(
            lambda *_: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            id="bad-chunks",
        ),
        pytest.param(
            lambda *_: b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
            id="endless-header",
        ),
        pytest.param(
            lambda *_: b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            id="too-many-headers",
        ),
    ],
)
def test_a_broken_reply_may_have_taken_effect(
    session: requests.Session, serve: Serve, script: Script
) -> None:
    """The request was sent, and nobody knows what became of it."""
    peer = serve(script)
    error, _seconds = fail(session, peer.url)

    assert (error.is_late, error.was_sent) == (False, True)


def test_a_body_that_breaks_off_is_as_much_as_came(
    session: requests.Session, serve: Serve
) -> None:
    """The status counts, and half a document is not valid JSON."""

    def break_off(_request: Request, peer: Peer) -> None:
        peer.send(b'HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\n{"a"')

    peer = serve(break_off)
    answer = get(session, peer.url)

    assert (answer.status, answer.body) == (202, b'{"a"')


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://127.0.0.1:99999/", "nonsense"]
)
def test_an_odd_url_is_an_error_of_ours(session: requests.Session, url: str) -> None:
    fail(session, url)


@pytest.mark.parametrize(
    "make_fault",
    [
        pytest.param(drip_handshake, id="drips-the-handshake"),
        pytest.param(lambda _tls: Peer.hang, id="never-shakes-hands"),
        pytest.param(lambda _tls: Peer.cut, id="cuts-the-handshake"),
    ],
)
def test_a_failed_handshake_means_that_nothing_was_sent(
    session: requests.Session,
    tls: ssl.SSLContext,
    make_fault: Callable[[ssl.SSLContext], Connection],
) -> None:
    """A request is only sent after the handshake."""
    with FaultServer(make_fault(tls)) as peer:
        error, _seconds = fail(session, peer.url, seconds=SHORT_SECONDS)

    assert not error.was_sent


def test_a_connection_that_comes_too_late_is_not_used(
    session: requests.Session, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each address of a host takes its time, and the sum may be too much."""
    with ExitStack() as stack:
        peer = serve(status(202))
        port = int(peer.host.rpartition(":")[2])
        # A queue of length 0 that is full: further attempts get no reply at all.
        dead = stack.enter_context(socket.socket())
        dead.bind(("127.0.1.1", port))
        dead.listen(0)
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(dead.getsockname())
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("127.0.1.1", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: addresses)
        error, _seconds = fail(session, peer.url, seconds=SHORT_SECONDS)

    assert (error.is_late, error.was_sent) == (True, False)
    assert peer.requests == []


def test_threads_that_open_sessions_at_once_share_a_context(
    authority: Authority, tmp_path: Path
) -> None:
    """Each context would read all authorities, and keep a megabyte of them."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Path(authority.bundle).read_bytes())
    start = threading.Barrier(4)

    def make() -> ssl.SSLContext:
        start.wait(30)
        return tls_context(str(bundle))

    with ThreadPoolExecutor(4) as threads:
        contexts = [each.result() for each in [threads.submit(make) for _ in range(4)]]
    assert len({id(context) for context in contexts}) == 1
