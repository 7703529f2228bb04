"""What the platform does with replies, against a webhook that follows a script."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulator.platform.calls import Outcome, PlacedCall, RetryPolicy
from tests.simulator.platform.events import CallEnded, StepStarted
from tests.simulator.platform.journal import Journal
from tests.simulator.platform.platform import CallingPlatform
from tests.simulator.platform.steps import Steps
from tests.simulator.platform.transport import Timeouts, Transport
from tests.simulator.services.authority import Authority
from tests.simulator.services.entra import Entra, Registration
from tests.simulator.services.failures import NameUnresolvedError
from tests.simulator.services.graph_api import GraphApi
from tests.simulator.services.resolver import Resolved
from tests.simulator.services.signing import APP_ID, TENANT_ID, SigningKey, TokenFactory
from tests.simulator.services.web import WebServer

NAME = "global.calls.example.org"
OTHER = "weu.calls.example.org"
QUICK = RetryPolicy(first_pause_seconds=0.01, longest_pause_seconds=0.02)


class Names:
    """Resolves every name to 127.0.0.1."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self.asked: list[tuple[str, str]] = []

    def resolve(self, name: str, *, asker: str) -> Resolved:
        self.asked.append((name, asker))
        if name in self.unknown:
            raise NameUnresolvedError(name)
        return Resolved(["127.0.0.1"], is_cached=False)


@dataclass
class Script:
    """A webhook that gives scripted replies one by one, then answers the call."""

    replies: list[Response | Callable[[], Response]] = field(default_factory=list)
    seen: list[tuple[Request, bytes]] = field(default_factory=list)
    answer: Callable[[str], None] | None = None

    async def take(self, request: Request) -> Response:
        body = await request.body()
        self.seen.append((request, body))
        if self.replies:
            reply = self.replies.pop(0)
            return reply if isinstance(reply, Response) else reply()
        data = json.loads(body)["value"][0]["resourceData"]
        is_incoming = isinstance(data, dict) and data.get("state") == "incoming"
        if is_incoming and self.answer:
            self.answer(data["id"])
        return Response(status_code=202)


@dataclass
class Rig:
    """A platform, its webhook and its Graph."""

    platform: CallingPlatform
    script: Script
    graph: GraphApi
    names: Names
    journal: Journal
    port: int

    def url(self, name: str = NAME) -> str:
        return f"https://{name}:{self.port}/api/calls"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Issue certificates for the two names, and no other."""
    return Authority(NAME, OTHER)


@pytest.fixture
def rig(authority: Authority) -> Iterator[Rig]:
    """Return a platform that retries quickly."""
    script, names, journal = Script(), Names(), Journal()
    app = Starlette(routes=[Route("/{rest:path}", script.take, methods=["POST"])])
    with WebServer(app, authority.certificate) as server:
        port = int(server.host.rpartition(":")[2])
        graph = GraphApi(
            authority.certificate, Entra(authority.certificate, Registration(APP_ID))
        )
        made = Rig(
            platform=CallingPlatform(
                webhook=f"https://{NAME}:{port}/api/calls",
                steps=Steps(
                    transport=Transport(names, authority.client_context()),
                    tokens=TokenFactory(
                        SigningKey(), audience=APP_ID, tenant_id=TENANT_ID
                    ),
                    journal=journal,
                    region_of_host=lambda url: "weu" if OTHER in url else None,
                    region_of_address=lambda _address: "weu",
                ),
                graph=graph,
                retries=QUICK,
            ),
            script=script,
            graph=graph,
            names=names,
            journal=journal,
            port=port,
        )

        def answer(call_id: str) -> None:
            graph.calls[call_id].callback_uri = f"{made.url(OTHER)}/default"

        script.answer = answer
        yield made


def redirect(rig: Rig) -> Response:
    """Return a 302 to the region."""
    return Response(status_code=302, headers={"Location": rig.url(OTHER) + "?hop=1"})


def test_an_answered_call_gets_its_follow_ups_at_its_callback_uri(rig: Rig) -> None:
    """All five go to the region's own host."""
    report = rig.platform.place(PlacedCall())

    assert (report.outcome, report.region) == (Outcome.ANSWERED, "weu")
    assert report.path == [202] * 6
    urls = [str(request.url) for request, _body in rig.script.seen[1:]]
    assert set(urls) == {f"{rig.url(OTHER)}/default"}


def test_the_end_of_a_rejected_call_goes_to_the_webhook(rig: Rig) -> None:
    """A rejection names no callbackUri. Its end has no state, as documented."""

    def reject(call_id: str) -> None:
        rig.graph.calls[call_id].rejected_for = "none"

    rig.script.answer = reject
    report = rig.platform.place(PlacedCall(is_policy_recording=True))

    assert (report.outcome, report.region) == (Outcome.REJECTED, "weu")
    assert [(step.what, step.url, step.status) for step in report.steps] == [
        ("incoming", rig.url(), 202),
        ("deleted", rig.url(), 202),
    ]
    [item] = json.loads(rig.script.seen[1][1])["value"]
    assert item["changeType"] == "deleted"
    assert item["resourceData"].keys() == {"@odata.type", "id"}


def test_a_redirect_is_posted_again_with_the_same_body_and_token(rig: Rig) -> None:
    """It goes to exactly the Location."""
    rig.script.replies = [redirect(rig)]

    report = rig.platform.place(PlacedCall(follow_ups="none"))

    (first, body), (second, other) = rig.script.seen
    assert (report.path, report.hops) == ([302, 202], 1)
    assert str(second.url) == rig.url(OTHER) + "?hop=1"
    assert second.headers["host"] == f"{OTHER}:{rig.port}"
    assert body == other
    assert first.headers["authorization"] == second.headers["authorization"]


def test_after_204_the_call_comes_in_graph_form_to_the_webhook(rig: Rig) -> None:
    rig.script.replies = [Response(status_code=204)]

    report = rig.platform.place(PlacedCall(starts_legacy=True, follow_ups="none"))

    assert report.path == [204, 202]
    assert "callState" in json.loads(rig.script.seen[0][1])
    assert "value" in json.loads(rig.script.seen[1][1])


def test_503_comes_again_no_sooner_than_it_says(rig: Rig) -> None:
    """The next attempt starts at the webhook, whatever redirect there was."""
    later = Response(status_code=503, headers={"Retry-After": "1"})
    rig.script.replies = [redirect(rig), later]

    report = rig.platform.place(PlacedCall(follow_ups="none"))

    assert report.path == [302, 503, 202]
    assert (report.attempts, report.hops) == (2, 0)
    assert report.answer_seconds >= 1.0
    assert [r.url.hostname for r, _ in rig.script.seen] == [NAME, OTHER, NAME]


def test_a_platform_that_announces_once_gives_up_at_the_first_503(rig: Rig) -> None:
    """The report says why."""
    rig.platform.retries = RetryPolicy.none()
    rig.script.replies = [Response(status_code=503)]

    report = rig.platform.place(PlacedCall())

    assert (report.outcome, report.why) == (Outcome.LOST, "status-503")
    assert report.path == [503]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_a_refusal_does_not_come_again(rig: Rig, status: int) -> None:
    rig.script.replies = [Response(status_code=status)]

    report = rig.platform.place(PlacedCall())

    expected = Outcome.REFUSED if status in {401, 403} else Outcome.LOST
    assert (report.outcome, report.path) == (expected, [status])


def test_a_call_that_nobody_answers_is_lost_although_it_was_accepted(rig: Rig) -> None:
    rig.script.answer = None

    report = rig.platform.place(PlacedCall())

    assert (report.outcome, report.why) == (Outcome.LOST, "not-answered")
    assert rig.graph.calls[report.call_id].is_over


def test_a_call_is_lost_when_its_time_would_be_up_before_the_next_attempt(
    rig: Rig,
) -> None:
    """A recording has 5 s, so it does not wait for another 5 s."""
    later = Response(status_code=503, headers={"Retry-After": "5"})
    rig.script.replies = [later]

    report = rig.platform.place(PlacedCall(is_policy_recording=True))

    assert (report.outcome, report.path) == (Outcome.LOST, [503])
    assert report.answer_seconds < 5.0


def test_a_chain_of_redirects_ends(rig: Rig) -> None:
    """The platform follows three of them."""
    rig.script.replies = [redirect(rig) for _ in range(20)]
    rig.platform.retries = RetryPolicy.none()

    report = rig.platform.place(PlacedCall())

    assert report.path == [302] * 4
    assert report.outcome is Outcome.LOST


def test_a_name_without_address_and_a_foreign_certificate_are_told_apart(
    rig: Rig,
) -> None:
    """Neither call reaches the webhook."""
    rig.platform.retries = RetryPolicy.none()
    rig.names.unknown.add(NAME)
    assert rig.platform.place(PlacedCall()).path == ["name-unresolved"]

    rig.platform.webhook = rig.url("sea.calls.example.org")
    assert rig.platform.place(PlacedCall()).path == ["tls-refused"]
    assert rig.script.seen == []


def test_everything_comes_from_the_caller_s_address(rig: Rig) -> None:
    """That is true of DNS questions and of connections."""
    rig.platform.place(PlacedCall(caller="sydney", follow_ups="none"))

    address = "127.0.2.14"
    assert rig.names.asked == [(NAME, address)]
    client = rig.script.seen[0][0].client
    assert client is not None
    assert client.host == address


def test_no_event_holds_a_token(rig: Rig) -> None:
    """The page shows events to anybody who opens it."""
    rig.platform.place(PlacedCall())

    entries = rig.journal.entries()
    assert all("Bearer" not in json.dumps(entry.to_json()) for entry in entries)
    started = [e.event for e in entries if isinstance(e.event, StepStarted)]
    assert started[0].notification["value"]
    assert any(isinstance(entry.event, CallEnded) for entry in entries)


def test_failures_of_a_connection_have_names(authority: Authority) -> None:
    transport = Transport(Names(), authority.client_context())

    def post(port: int) -> str | None:
        reply = transport.post(
            f"https://{NAME}:{port}/",
            b"",
            {},
            source="127.0.0.1",
            timeouts=Timeouts(0.3, 0.3),
        )
        return reply.error

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: Any = listening.getsockname()[1]
        assert post(port) == "connection-refused"
        listening.listen()
        assert post(port) == "connect-timeout"
