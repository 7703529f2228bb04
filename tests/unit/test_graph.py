"""shared.edge.graph: one request, exactly so, and what came of it."""

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from shared.core.attempts import GraphReply, Unanswered
from shared.core.call_controls import answer as answer_action
from shared.core.call_requests import request_for_incoming
from shared.edge.graph import MAX_REPLY_BYTES, GraphClient
from shared.edge.tls import Transfer
from tests.simulator.services.authority import Authority
from tests.support.clock import at_most
from tests.support.servers import (
    FaultServer,
    Peer,
    Request,
    Script,
    ScriptedServer,
    drip_handshake,
    hang,
    hang_up,
    json_reply,
    reply,
    status,
)
from tests.unit.conftest import Serve

CALL_ID = "8A934F51F25B4EE19613D4049491857B"
TOKEN = "graph-token-that-nobody-may-see"
CALLBACK_URI = "https://weu.example/api/calls/p0"
ACTION = request_for_incoming(answer_action(), CALLBACK_URI)
ENOUGH_SECONDS = 5.0
SHORT_SECONDS = 0.5


class Graph:
    """A Graph that follows a script, and the client that is tested."""

    def __init__(self, server: ScriptedServer, authority: Authority) -> None:
        self.server = server
        self.client = GraphClient(
            graph_url=f"{server.url}/v1.0",
            ca_bundle=str(authority.bundle),
            connections=4,
        )

    def answer(
        self, call_id: str = CALL_ID, *, seconds: float = ENOUGH_SECONDS
    ) -> GraphReply | Unanswered:
        """Answer a call."""
        return answer(self.client, call_id, seconds=seconds)

    def reply_to(self, script: Script) -> GraphReply:
        """Answer a call and expect a reply."""
        self.server.script = script
        got = self.answer()
        assert isinstance(got, GraphReply)
        return got


def answer(
    client: GraphClient,
    call_id: str = CALL_ID,
    *,
    token: str = TOKEN,
    seconds: float = ENOUGH_SECONDS,
) -> GraphReply | Unanswered:
    """Answer a call through a client."""
    transfer = Transfer(ends_at=time.monotonic() + seconds, max_bytes=MAX_REPLY_BYTES)
    return client.send(call_id, ACTION, token=token, transfer=transfer)


@pytest.fixture
def graph(authority: Authority, serve: Serve) -> Iterator[Graph]:
    """A Graph that accepts every answer, unless scripted."""
    graph = Graph(serve(status(202)), authority)
    yield graph
    graph.client.close()


@pytest.mark.requirement("R20", "R21", "R22")
def test_the_request_is_the_documented_one(graph: Graph) -> None:
    assert graph.answer() == GraphReply(status=202)

    [request] = graph.server.requests
    assert request.method == "POST"
    assert request.target == f"/v1.0/communications/calls/{CALL_ID}/answer"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert request.json() == {
        "callbackUri": CALLBACK_URI,
        "acceptedModalities": ["audio"],
        "mediaConfig": {
            "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
            "preFetchMedia": [],
        },
    }


@pytest.mark.requirement("R21")
@pytest.mark.parametrize(
    ("call_id", "segment"),
    [
        ("../../users", "..%2F..%2Fusers"),
        ("a?b#c", "a%3Fb%23c"),
        ("a/b", "a%2Fb"),
        ("a%2fb", "a%252fb"),
        ("é\x00", "%C3%A9%00"),
    ],
)
def test_an_id_never_leaves_its_place_in_the_path(
    graph: Graph, call_id: str, segment: str
) -> None:
    """Ids are checked earlier; quoting is a second safeguard."""
    graph.answer(call_id)
    target = f"/v1.0/communications/calls/{segment}/answer"
    assert graph.server.requests[0].target == target


@pytest.mark.parametrize("code", [200, 202, 400, 401, 404, 429, 500, 503])
def test_the_status_is_told(graph: Graph, code: int) -> None:
    assert graph.reply_to(status(code)).status == code


@pytest.mark.requirement("R22")
@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(graph: Graph, code: int) -> None:
    """The token goes to the configured host only."""
    got = graph.reply_to(status(code, Location=f"{graph.server.url}/elsewhere"))
    assert got.status == code
    assert len(graph.server.requests) == 1


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"error": {"code": "8522", "message": "Call not found."}}, "8522"),
        ({"error": {"code": "x" * 1000}}, "x" * 64),
        ({"error": {"code": 8522}}, None),
        ({"error": "8522"}, None),
        ({"error": None}, None),
        ({}, None),
        ([], None),
    ],
    ids=str,
)
def test_the_error_code_is_told_where_there_is_one(
    graph: Graph, document: object, code: str | None
) -> None:
    """It is cut to 64 characters, because it will be logged."""
    assert graph.reply_to(lambda *_: json_reply(document, 404)).code == code


@pytest.mark.parametrize(
    "body", [b"<html>", b"\xff", b"[" * 60_000, bytes(200_000)], ids=len
)
def test_an_unreadable_body_costs_only_the_code(graph: Graph, body: bytes) -> None:
    """Gateways answer in HTML."""
    assert graph.reply_to(lambda *_: reply(502, body)) == GraphReply(status=502)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("120", 120.0),
        ("9" * 400, 999_999_999.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("nan", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 99 Foo 2024 00:00:00 GMT", None),
        ("Thu, 01 Jan 2024 00:00:00 +99999999999999999999", None),
        ("Thu, 01 Jan 2024 00:00:00 +9999999999", None),
        ("99999 Jan 99999999999999999999 00:00:00", None),
    ],
)
def test_retry_after_is_seconds_a_date_or_nothing(
    graph: Graph, text: str, seconds: float | None
) -> None:
    """No value raises an error."""
    got = graph.reply_to(status(429, Retry_After=text))
    assert got.retry_after_seconds == seconds


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000"])
def test_retry_after_as_a_date_is_counted_from_now(graph: Graph, zone: str) -> None:
    """RFC 9110 section 10.2.3 defines the form."""
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    text = later.replace("GMT", zone)
    got = graph.reply_to(status(503, Retry_After=text)).retry_after_seconds
    assert got is not None
    assert 25 < got <= 30


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(hang, id="never-answers"),
        pytest.param(lambda _request, peer: peer.drip(reply(202)), id="drips"),
    ],
)
def test_a_slow_graph_is_left_at_the_end_of_the_attempt(
    graph: Graph, script: Script
) -> None:
    """The answer may have taken effect, so this is a lost reply."""
    graph.server.script = script
    with at_most(3 * SHORT_SECONDS):
        assert graph.answer(seconds=SHORT_SECONDS) is Unanswered.NO_REPLY


@pytest.mark.parametrize("code", [202, 403, 503])
def test_a_status_counts_though_its_body_never_ends(graph: Graph, code: int) -> None:
    """An accepted call is not answered twice because of a slow explanation."""

    def script(_request: Request, peer: Peer) -> None:
        peer.send(f"HTTP/1.1 {code} X\r\nContent-Length: 9999\r\n\r\n".encode())
        peer.drip(b"x" * 9999)

    graph.server.script = script
    assert graph.answer(seconds=SHORT_SECONDS) == GraphReply(status=code)


@pytest.mark.parametrize(
    "script", [hang_up, lambda *_: b"nonsense\r\n\r\n"], ids=["hangs-up", "nonsense"]
)
def test_a_broken_reply_is_a_lost_one(graph: Graph, script: Script) -> None:
    """The answer may have taken effect."""
    graph.server.script = script
    assert graph.answer() is Unanswered.NO_REPLY


def test_an_attempt_without_time_sends_nothing(graph: Graph) -> None:
    """An answer after the budget has ended would surprise everybody."""
    assert graph.answer(seconds=0) is Unanswered.NOT_SENT
    assert graph.server.requests == []


def test_nobody_there_is_not_connected(graph: Graph) -> None:
    """The answer cannot have taken effect."""
    graph.server.close()
    assert graph.answer() is Unanswered.NOT_SENT


@pytest.mark.parametrize("token", ["with\r\nX-More: header", "é€"])
def test_a_token_that_cannot_be_sent_ends_the_attempt_quietly(
    graph: Graph, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert isinstance(answer(graph.client, token=token), Unanswered)
    assert graph.server.requests == []
    assert token not in caplog.text


@pytest.mark.parametrize(
    "make_bundle",
    [
        pytest.param(lambda folder: str(folder / "nowhere.pem"), id="gone"),
        pytest.param(str, id="a-folder"),
    ],
)
def test_a_bundle_that_has_gone_bad_is_not_connected(
    graph: Graph, tmp_path: Path, make_bundle: Callable[[Path], str]
) -> None:
    """The file was good at start and may disappear later."""
    client = GraphClient(
        graph_url=graph.server.url, ca_bundle=make_bundle(tmp_path), connections=1
    )
    assert answer(client) is Unanswered.NOT_SENT
    assert graph.server.requests == []


def test_a_slow_handshake_ends_with_the_attempt(
    authority: Authority, tls: ssl.SSLContext
) -> None:
    """This thread has never talked to Graph before."""
    with FaultServer(drip_handshake(tls)) as server:
        client = GraphClient(
            graph_url=server.url, ca_bundle=str(authority.bundle), connections=1
        )
        with at_most(3 * SHORT_SECONDS):
            assert isinstance(answer(client, seconds=SHORT_SECONDS), Unanswered)


def test_one_session_serves_all_answers(graph: Graph) -> None:
    """Loading opens it; later answers reuse its connection."""
    graph.client.load()
    session = graph.client._session.open()
    for _ in range(5):
        graph.answer()
    assert graph.client._session.open() is session
    assert graph.server.connections == 1


@pytest.mark.requirement("R27")
def test_the_token_is_not_logged(
    graph: Graph, caplog: pytest.LogCaptureFixture
) -> None:
    """The HTTP library does not log it at its most verbose level either."""
    caplog.set_level(logging.DEBUG)
    graph.answer()
    graph.server.script = hang_up
    graph.answer()
    assert TOKEN not in "".join(str(vars(record)) for record in caplog.records)


def test_retry_after_counts_also_where_the_body_breaks_off(graph: Graph) -> None:
    head = b"HTTP/1.1 429 Status\r\nRetry-After: 60\r\nContent-Length: 99\r\n\r\n"

    def break_off(_request: Request, peer: Peer) -> None:
        peer.send(head + b"{")

    assert graph.reply_to(break_off) == GraphReply(429, 60.0)
