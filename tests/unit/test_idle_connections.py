"""A kept connection whose path is gone without a word: nobody tells its ends."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from shared.core import call_controls
from shared.core.attempts import GraphReply
from shared.core.call_requests import request_for_incoming
from shared.edge import sessions, tls
from shared.edge.graph import MAX_REPLY_BYTES, GraphClient
from shared.edge.health_check import HealthCheck
from shared.edge.tls import Transfer
from tests.simulator.services.authority import Authority
from tests.support.clock import at_most
from tests.support.entra import TokenServers, ask
from tests.support.outbound import get
from tests.support.relay import Relay
from tests.support.servers import json_reply, status
from tests.unit.conftest import Serve

LOST_SECONDS = 0.5


@pytest.fixture
def relays() -> Iterator[list[Relay]]:
    """The relays that a test has started; they end with it."""
    started: list[Relay] = []
    yield started
    for relay in started:
        relay.close()


def start(relay: Relay, relays: list[Relay]) -> Relay:
    """Start a relay that ends with the test."""
    relay.__enter__()
    relays.append(relay)
    return relay


def let_a_minute_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every connection look a minute more idle than it is."""
    real = tls.idle_seconds

    def later(used: socket.socket | None) -> float:
        return real(used) + 60.0

    monkeypatch.setattr(sessions, "idle_seconds", later)


def test_an_answer_does_not_use_a_connection_that_was_idle_for_a_minute(
    authority: Authority,
    serve: Serve,
    relays: list[Relay],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A policy recording has four seconds in all."""
    relay = start(Relay(serve(status(202)).host), relays)
    client = GraphClient(
        graph_url=relay.url, ca_bundle=str(authority.bundle), connections=1
    )
    action = request_for_incoming(
        call_controls.answer(), "https://weu.example/api/calls/p0"
    )

    def answer() -> object:
        transfer = Transfer(ends_at=time.monotonic() + 5, max_bytes=MAX_REPLY_BYTES)
        return client.send("call", action, token="t", transfer=transfer)

    assert answer() == answer() == GraphReply(status=202)
    assert relay.connections == 1
    relay.swallow()
    let_a_minute_pass(monkeypatch)

    with at_most(3 * LOST_SECONDS):
        assert answer() == GraphReply(status=202)
    assert relay.connections == 2
    client.close()


def test_a_token_is_not_asked_for_over_a_connection_that_was_idle_for_a_minute(
    servers: TokenServers, relays: list[Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = start(Relay(servers.entra.url.removeprefix("https://")), relays)
    tokens = servers.credentials(login_url=relay.url)
    first, second = "1" * 8, "2" * 8
    tenant = "{}-7f24-4b68-8e13-0a5d2c6b4f87".format
    asyncio.run(ask(tokens, tenant(first)))
    relay.swallow()
    let_a_minute_pass(monkeypatch)

    with at_most(3 * LOST_SECONDS):
        asyncio.run(ask(tokens, tenant(second)))


def test_a_look_at_a_region_does_not_use_a_connection_that_was_idle_for_a_minute(
    authority: Authority,
    serve: Serve,
    relays: list[Relay],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = {"status": "ok", "region": "sea"}
    server = serve(lambda *_: json_reply(report))
    relay = start(Relay(server.host), relays)
    check = HealthCheck(
        relay.url.removeprefix("https://"),
        region="sea",
        own_region="weu",
        ca_bundle=str(authority.bundle),
    )
    assert check()
    relay.swallow()
    let_a_minute_pass(monkeypatch)

    assert check()
    assert relay.connections == 2
    check.close()


def test_a_busy_connection_is_kept(
    authority: Authority, serve: Serve, relays: list[Relay]
) -> None:
    """Handshakes cost time that calls do not have."""
    relay = start(Relay(serve(status(200)).host), relays)
    with sessions.make_session(str(authority.bundle), connections=1) as session:
        for _ in range(3):
            assert get(session, relay.url).status == 200

    assert relay.connections == 1
