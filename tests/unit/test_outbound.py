"""shared.edge.outbound: deadlines that hold."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests
from urllib3.exceptions import ReadTimeoutError

from shared.edge.outbound import OutboundError, OutboundReply, exchange, open_session
from shared.edge.tls import deadline
from tests.support.servers import (
    Certificates,
    Connection,
    FaultServer,
    Peer,
    Request,
    drip_handshake,
    hang,
    hang_up,
    http,
    reply,
    send_enormous,
)

ENOUGH_SECONDS = 5.0
SHORT_SECONDS = 0.6
# Three times what is expected, on a busy machine.
PATIENCE_SECONDS = 3 * SHORT_SECONDS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return an authority of our own."""
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def context(certificates: Certificates) -> ssl.SSLContext:
    """Return TLS for loopback."""
    return certificates.context()


@pytest.fixture
def session(certificates: Certificates) -> Iterator[requests.Session]:
    """Open a session that trusts the authority."""
    with open_session(certificates.bundle, connections=4) as opened:
        yield opened


def get(
    session: requests.Session,
    url: str,
    *,
    seconds: float = ENOUGH_SECONDS,
    max_bytes: int = 1024,
) -> OutboundReply:
    """Send a GET."""
    return exchange(
        session,
        "GET",
        url,
        headers={"Accept": "application/json"},
        ends_at=time.monotonic() + seconds,
        max_bytes=max_bytes,
    )


def fail(
    session: requests.Session, url: str, *, seconds: float = ENOUGH_SECONDS
) -> tuple[OutboundError, float]:
    """Send a GET that brings no reply; return the error and how long it took."""
    started = time.monotonic()
    with pytest.raises(OutboundError) as caught:
        get(session, url, seconds=seconds)
    return caught.value, time.monotonic() - started


def drip_body(_request: Request, peer: Peer) -> None:
    """Send headers at once and the body slowly."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    peer.drip(b"x" * 100_000)


def drip_headers(_request: Request, peer: Peer) -> None:
    """Send everything slowly."""
    peer.drip(reply(200, b"x" * 100_000))


def test_an_exchange_brings_status_headers_and_body(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """The reply is read whole; names of headers ignore case."""
    with FaultServer(http(lambda *_: reply(418, b"tea", X_Pot="yes"), context)) as peer:
        answer = get(session, peer.url)

    assert (answer.status, answer.body, answer.is_cut) == (418, b"tea", False)
    assert answer.headers["x-pot"] == "yes"


@pytest.mark.requirement("R8")
def test_a_compressed_reply_is_never_asked_for_nor_unpacked(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """Compression could grow without bound."""
    seen: list[Request] = []

    def answer_zipped(request: Request, _peer: Peer) -> bytes:
        seen.append(request)
        return reply(200, b"\x1f\x8b\x08not-unpacked", Content_Encoding="gzip")

    with FaultServer(http(answer_zipped, context)) as peer:
        answer = get(session, peer.url)

    assert seen[0].headers["accept-encoding"] == "identity"
    assert answer.body == b"\x1f\x8b\x08not-unpacked"


def test_a_body_as_large_as_allowed_is_whole_and_one_byte_more_is_cut(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """The bound is exact."""
    sizes = iter((1024, 1025))
    with FaultServer(http(lambda *_: reply(200, bytes(next(sizes))), context)) as peer:
        whole, cut = get(session, peer.url), get(session, peer.url)

    assert (len(whole.body), whole.is_cut) == (1024, False)
    assert (len(cut.body), cut.is_cut) == (1024, True)


@pytest.mark.requirement("R8")
def test_an_enormous_body_is_left_unread(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """256 MiB cost no more than the part that is wanted."""

    def answer(_request: Request, peer: Peer) -> None:
        send_enormous(peer)

    started = time.monotonic()
    with FaultServer(http(answer, context)) as peer:
        answer_read = get(session, peer.url)

    assert answer_read.is_cut
    assert time.monotonic() - started < PATIENCE_SECONDS


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
    context: ssl.SSLContext,
    make_fault: Callable[[ssl.SSLContext], Connection],
) -> None:
    """The deadline covers the whole exchange, not the wait for the next byte."""
    with FaultServer(make_fault(context)) as peer:
        error, seconds = fail(session, peer.url, seconds=SHORT_SECONDS)

    assert error.is_late
    assert seconds < PATIENCE_SECONDS


def test_a_dripped_handshake_ends_with_the_time_to_connect(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """Connecting has a bound of its own, so that time is left for another attempt."""
    with FaultServer(drip_handshake(context)) as peer:
        error, seconds = fail(session, peer.url, seconds=30)

    assert error.is_late
    assert seconds < 6


def test_a_passed_deadline_sends_nothing(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """Work that waited too long for a thread is not done at all."""
    with FaultServer(http(hang, context)) as peer:
        error, _seconds = fail(session, peer.url, seconds=-1)

    assert (error.is_late, error.was_sent) == (True, False)
    assert peer.connections == 0


def test_a_deadline_that_passes_between_reads_ends_the_next_one(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """A read that starts too late fails before it waits."""
    with (
        FaultServer(http(drip_body, context)) as peer,
        session.get(peer.url, stream=True) as response,
        deadline(time.monotonic() - 1),
        pytest.raises(ReadTimeoutError),
    ):
        response.raw.read(10)


def test_the_deadline_is_stronger_than_a_longer_timeout(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """azure-identity sets timeouts of its own, for each read anew."""
    started = time.monotonic()
    with (
        FaultServer(http(hang, context)) as peer,
        deadline(started + SHORT_SECONDS),
        pytest.raises(requests.ReadTimeout),
    ):
        session.get(peer.url, timeout=30)

    assert time.monotonic() - started < PATIENCE_SECONDS


def test_the_deadline_of_a_thread_ends_with_its_block(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """What follows on the thread has no deadline, or the one around it."""
    with FaultServer(http(lambda *_: reply(200, b"x"), context)) as peer:
        with deadline(time.monotonic() - 1):
            pass
        assert session.get(peer.url).status_code == 200


def test_nobody_listening_means_that_nothing_was_sent(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """A refused connection cannot have taken effect."""
    with FaultServer(http(hang, context)) as peer:
        gone = peer.url
    error, _seconds = fail(session, gone)

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
    session: requests.Session,
    context: ssl.SSLContext,
    script: Callable[[Request, Peer], bytes | None],
) -> None:
    """The request was sent and its fate is unknown: the caller is told so."""
    with FaultServer(http(script, context)) as peer:
        error, _seconds = fail(session, peer.url)

    assert (error.is_late, error.was_sent) == (False, True)


def test_a_body_that_breaks_off_is_as_much_as_came(
    session: requests.Session, context: ssl.SSLContext
) -> None:
    """The status has arrived and counts; half a document is no strict JSON."""

    def break_off(_request: Request, peer: Peer) -> None:
        peer.send(b'HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\n{"a"')

    with FaultServer(http(break_off, context)) as peer:
        answer = get(session, peer.url)

    assert (answer.status, answer.body) == (202, b'{"a"')


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://127.0.0.1:99999/", "nonsense"]
)
def test_an_odd_url_is_an_error_of_ours(session: requests.Session, url: str) -> None:
    """Nothing but OutboundError escapes."""
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
    context: ssl.SSLContext,
    make_fault: Callable[[ssl.SSLContext], Connection],
) -> None:
    """A request travels after the handshake only."""
    with FaultServer(make_fault(context)) as peer:
        error, _seconds = fail(session, peer.url, seconds=SHORT_SECONDS)

    assert not error.was_sent


def test_a_connection_that_comes_too_late_is_not_used(
    session: requests.Session,
    context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A host has several addresses, each with its time: the sum may be too much."""
    requests_seen: list[Request] = []

    def answer(request: Request, _peer: Peer) -> bytes:
        requests_seen.append(request)
        return reply(202)

    with ExitStack() as stack:
        peer = stack.enter_context(FaultServer(http(answer, context)))
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
    assert requests_seen == []
