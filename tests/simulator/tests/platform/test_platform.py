"""What the platform does with replies, against a webhook that follows a script."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.simulator.platform.calls import CallReport, Outcome, PlacedCall, RetryPolicy
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
from tests.simulator.services.signing import APP_ID
from tests.support.rules import TOKENS
from tests.support.running import Running
from tests.support.servers import Peer, Request, ScriptedServer, reply

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


class Rig(Running):
    """A platform that retries quickly, its Graph, and a webhook that follows a script.

    Attributes:
        replies: of the webhook, one by one; then it answers the call.
        answer: what the webhook does with a call.
        clients: the addresses that POSTs came from.
    """

    def __init__(self, authority: Authority) -> None:
        self.replies: list[bytes] = []
        self.answer: Callable[[str], None] | None = self._answer
        self.clients: list[str] = []
        self.names, self.journal = Names(), Journal()
        self.webhook = ScriptedServer(self._take, authority.server_context(NAME, OTHER))
        entra = Entra(authority.certificate, Registration(APP_ID))
        self.graph = GraphApi(authority.certificate, entra)
        self.platform = CallingPlatform(
            webhook=self.url(),
            steps=Steps(
                transport=Transport(self.names, authority.client_context()),
                tokens=TOKENS,
                journal=self.journal,
                region_of_host=lambda url: "weu" if OTHER in url else None,
                region_of_address=lambda _address: "weu",
            ),
            graph=self.graph,
            retries=QUICK,
        )

    def start(self, stack: ExitStack) -> None:
        stack.enter_context(self.webhook)

    def url(self, name: str = NAME) -> str:
        return f"https://{name}:{self.webhook.host.rpartition(':')[2]}/api/calls"

    def place(self, **members: Any) -> CallReport:
        return self.platform.place(PlacedCall(**members))

    @property
    def urls(self) -> list[str]:
        """Where the POSTs went."""
        asked = self.webhook.requests
        return [
            f"https://{request.headers['host']}{request.target}" for request in asked
        ]

    @property
    def bodies(self) -> list[Any]:
        return [request.json() for request in self.webhook.requests]

    def _take(self, request: Request, peer: Peer) -> bytes:
        self.clients.append(peer.connection.getpeername()[0])
        if self.replies:
            return self.replies.pop(0)
        data = request.json()["value"][0]["resourceData"]
        is_incoming = isinstance(data, dict) and data.get("state") == "incoming"
        if is_incoming and self.answer:
            self.answer(data["id"])
        return reply(202)

    def _answer(self, call_id: str) -> None:
        self.graph.calls[call_id].callback_uri = f"{self.url(OTHER)}/default"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Issue certificates for the two names, and no other."""
    return Authority(NAME, OTHER)


@pytest.fixture
def rig(authority: Authority) -> Iterator[Rig]:
    with Rig(authority) as rig:
        yield rig


def redirect(rig: Rig) -> bytes:
    """Return a 302 to the region."""
    return reply(302, Location=f"{rig.url(OTHER)}?hop=1")


def test_an_answered_call_gets_its_follow_ups_at_its_callback_uri(rig: Rig) -> None:
    report = rig.place()

    assert (report.outcome, report.region) == (Outcome.ANSWERED, "weu")
    assert report.path == [202] * 6
    assert set(rig.urls[1:]) == {f"{rig.url(OTHER)}/default"}


def test_a_call_of_another_tenant_comes_with_that_tenant_s_tokens(rig: Rig) -> None:
    """Its follow-ups do, too, and Graph knows whose call rings."""
    tenant = "2f6d0a1c-94b7-4e35-8c1d-5a7e3b9f0d42"

    report = rig.place(tenant_id=tenant)

    tokens = [request.headers["authorization"] for request in rig.webhook.requests]
    payloads = [token.split(".")[1] + "==" for token in tokens]
    claims = [json.loads(base64.urlsafe_b64decode(payload)) for payload in payloads]
    assert [claim["tid"] for claim in claims] == [tenant] * 6
    assert rig.graph.calls[report.call_id].tenant_id == tenant
    assert rig.bodies[0]["value"][0]["resourceData"]["tenantId"] == tenant


def test_the_end_of_a_rejected_call_goes_to_the_webhook(rig: Rig) -> None:
    """A rejection names no callbackUri. Its end has no state, as documented."""

    def reject(call_id: str) -> None:
        rig.graph.calls[call_id].rejected_for = "none"

    rig.answer = reject
    report = rig.place(is_policy_recording=True)

    assert (report.outcome, report.region) == (Outcome.REJECTED, "weu")
    assert [(step.what, step.url, step.status) for step in report.steps] == [
        ("incoming", rig.url(), 202),
        ("deleted", rig.url(), 202),
    ]
    [item] = rig.bodies[1]["value"]
    assert item["changeType"] == "deleted"
    assert item["resourceData"].keys() == {"@odata.type", "id"}


def test_a_redirect_is_posted_again_with_the_same_body_and_token(rig: Rig) -> None:
    rig.replies = [redirect(rig)]

    report = rig.place(follow_ups="none")

    first, second = rig.webhook.requests
    assert (report.path, report.hops) == ([302, 202], 1)
    assert rig.urls[1] == f"{rig.url(OTHER)}?hop=1"
    assert first.body == second.body
    assert first.headers["authorization"] == second.headers["authorization"]


def test_after_204_the_call_comes_in_graph_form_to_the_webhook(rig: Rig) -> None:
    rig.replies = [reply(204)]

    report = rig.place(starts_legacy=True, follow_ups="none")

    assert report.path == [204, 202]
    assert "callState" in rig.bodies[0]
    assert "value" in rig.bodies[1]


def test_503_comes_again_no_sooner_than_it_says(rig: Rig) -> None:
    """The next attempt starts at the webhook, whatever redirect there was."""
    rig.replies = [redirect(rig), reply(503, Retry_After="1")]

    report = rig.place(follow_ups="none")

    assert report.path == [302, 503, 202]
    assert (report.attempts, report.hops) == (2, 0)
    assert report.answer_seconds >= 1.0
    assert [urlsplit(url).hostname for url in rig.urls] == [NAME, OTHER, NAME]


def test_a_platform_that_announces_once_gives_up_at_the_first_503(rig: Rig) -> None:
    rig.platform.retries = RetryPolicy.none()
    rig.replies = [reply(503)]

    report = rig.place()

    assert (report.outcome, report.why) == (Outcome.LOST, "status-503")
    assert report.path == [503]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_a_refusal_does_not_come_again(rig: Rig, status: int) -> None:
    rig.replies = [reply(status)]

    report = rig.place()

    expected = Outcome.REFUSED if status in {401, 403} else Outcome.LOST
    assert (report.outcome, report.path) == (expected, [status])


def test_a_call_that_nobody_answers_is_lost_although_it_was_accepted(rig: Rig) -> None:
    rig.answer = None

    report = rig.place()

    assert (report.outcome, report.why) == (Outcome.LOST, "not-answered")
    assert rig.graph.calls[report.call_id].is_over


def test_a_call_is_lost_when_its_time_would_be_up_before_the_next_attempt(
    rig: Rig,
) -> None:
    """A recording has 5 s, so it does not wait for another 5 s."""
    rig.replies = [reply(503, Retry_After="5")]

    report = rig.place(is_policy_recording=True)

    assert (report.outcome, report.path) == (Outcome.LOST, [503])
    assert report.answer_seconds < 5.0


def test_a_chain_of_redirects_ends(rig: Rig) -> None:
    """The platform follows three of them."""
    rig.replies = [redirect(rig) for _ in range(20)]
    rig.platform.retries = RetryPolicy.none()

    report = rig.place()

    assert report.path == [302] * 4
    assert report.outcome is Outcome.LOST


def test_a_name_without_address_and_a_foreign_certificate_are_told_apart(
    rig: Rig,
) -> None:
    rig.platform.retries = RetryPolicy.none()
    rig.names.unknown.add(NAME)
    assert rig.place().path == ["name-unresolved"]

    rig.platform.webhook = rig.url("sea.calls.example.org")
    assert rig.place().path == ["tls-refused"]
    assert rig.webhook.requests == []


def test_everything_comes_from_the_caller_s_address(rig: Rig) -> None:
    rig.place(caller="sydney", follow_ups="none")

    address = "127.0.2.14"
    assert rig.names.asked == [(NAME, address)]
    assert rig.clients == [address]


def test_no_event_holds_a_token(rig: Rig) -> None:
    """The page shows events to anybody who opens it."""
    rig.place()

    entries = rig.journal.entries()
    assert all("Bearer" not in json.dumps(entry.to_json()) for entry in entries)
    started = [e.event for e in entries if isinstance(e.event, StepStarted)]
    assert started[0].notification["value"]
    assert any(isinstance(entry.event, CallEnded) for entry in entries)


def test_failures_of_a_connection_have_names(authority: Authority) -> None:
    transport = Transport(Names(), authority.client_context())

    def post(port: int) -> str | None:
        url, timeouts = f"https://{NAME}:{port}/", Timeouts(0.3, 0.3)
        return transport.post(url, b"", {}, source="127.0.0.1", timeouts=timeouts).error

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: Any = listening.getsockname()[1]
        assert post(port) == "connection-refused"
        listening.listen()
        assert post(port) == "connect-timeout"
