"""shared.service: from a POST to its reply; nothing escapes, every end has its line."""

import asyncio
import json
import logging
from typing import Any

import pytest
from starlette.responses import Response

from shared import service as module
from shared.core.webhook import MAX_BODY_BYTES, WebhookReply
from shared.service import UsableService
from tests.simulator.platform.notifications import (
    Call,
    batch,
    incoming,
    item,
    legacy_incoming,
)
from tests.simulator.services.signing import TENANT_ID
from tests.support.servers import (
    Peer,
    Request,
    ScriptedServer,
    hang,
    healthy,
    in_turn,
    json_reply,
    reply,
    status,
)
from tests.support.service import SECRET, Make, ScriptedNeighbours, receive
from tests.unit.conftest import Serve

LONG_AGO_SECONDS = 11.3


def last_line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Return the fields of the last request's line."""
    lines = [json.loads(r.message) for r in caplog.records if r.message[0] == "{"]
    handled = [line for line in lines if line["event"] == "notification.handled"]
    assert isinstance(handled[-1], dict)
    return handled[-1]


@pytest.fixture(autouse=True)
def talkative(caplog: pytest.LogCaptureFixture) -> None:
    """Let every logger say everything."""
    caplog.set_level(logging.DEBUG)


def test_a_legacy_call_is_asked_to_come_in_the_graph_protocol(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reply is 204, and no other server is asked."""
    got = receive(service, neighbours.post(legacy_incoming(Call(tenant_id=TENANT_ID))))

    assert (got.status, got.body) == (204, None)
    assert last_line(caplog)["decision"] == "ask-for-graph"
    assert neighbours.graph.requests == []


@pytest.fixture
def other_region(serve: Serve) -> ScriptedServer:
    """Region sea; it is healthy unless scripted."""
    return serve(healthy("sea"))


def of_two_regions(other: ScriptedServer, **changes: str) -> dict[str, str]:
    """Return settings of region weu that prefer region sea."""
    hosts = {"weu": "weu.example", "sea": other.host}
    return {
        "CALLING_REGION": "weu",
        "CALLING_REGION_HOSTS": json.dumps(hosts),
        "CALLING_REGION_RULES": '[{"regions": ["sea"]}]',
        **changes,
    }


@pytest.mark.parametrize("code", ["302", "307"])
def test_a_call_of_another_region_is_redirected(
    neighbours: ScriptedNeighbours,
    make: Make,
    other_region: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
    code: str,
) -> None:
    service = make(**of_two_regions(other_region, CALLING_REDIRECT_STATUS=code))
    got = receive(service, neighbours.incoming())

    assert got.status == int(code)
    assert got.headers["Location"] == f"https://{other_region.host}/api/calls?hop=1"
    line = last_line(caplog)
    assert (line["decision"], line["redirect_region"]) == ("redirect", "sea")
    assert line["region"] == "weu"


def test_a_call_stays_where_the_other_region_is_down(
    neighbours: ScriptedNeighbours,
    make: Make,
    other_region: ScriptedServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is answered here, and the log notes the unhealthy region."""
    other_region.script = hang
    service = make(**of_two_regions(other_region))
    assert receive(service, neighbours.incoming()).status == 202

    assert len(neighbours.graph.requests) == 1
    assert last_line(caplog)["notes"] == ["region-unhealthy"]


def test_the_first_call_has_other_regions_looked_at_while_the_keys_come(
    neighbours: ScriptedNeighbours, make: Make, other_region: ScriptedServer
) -> None:
    """The keys come once the other region was asked."""

    def report(request: Request, peer: Peer) -> bytes | None:
        neighbours.provider.is_hanging.clear()
        return healthy("sea")(request, peer)

    other_region.script = report
    neighbours.provider.is_hanging.set()
    service = make(**of_two_regions(other_region))

    assert receive(service, neighbours.incoming()).status == 302


def test_what_is_refused_without_a_key_has_no_region_looked_at(
    neighbours: ScriptedNeighbours, make: Make, other_region: ScriptedServer
) -> None:
    service = make(**of_two_regions(other_region))
    assert isinstance(service, UsableService)
    token = neighbours.tokens.variant("unsigned")

    assert receive(service, neighbours.incoming(token=token)).status == 401
    assert service.peers._watching is None


def test_a_warm_redirect_asks_nobody(
    neighbours: ScriptedNeighbours, make: Make, other_region: ScriptedServer
) -> None:
    """The health report has started the watch, so a call waits for no request."""
    service = make(**of_two_regions(other_region))
    assert isinstance(service, UsableService)

    async def scenario() -> None:
        await service.health({})
        # Another thread asks it.
        while not other_region.requests:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await service.peers.is_healthy("sea")
        before = len(other_region.requests)
        for _ in range(20):
            got = await service.receive(neighbours.incoming())
            assert got.status == 302
        assert len(other_region.requests) == before

    asyncio.run(scenario())


def test_an_incoming_call_is_answered(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The token comes from Entra, for the tenant of the call."""
    got = receive(service, neighbours.incoming())

    assert got.status == 202
    [request] = neighbours.graph.requests
    token = request.headers["authorization"].removeprefix("Bearer ")
    assert neighbours.entra.issued[token].tenant_id == TENANT_ID
    uri = "https://weu.example/api/calls/default"
    assert request.json()["callbackUri"] == uri
    line = last_line(caplog)
    assert (line["decision"], line["reason"]) == ("answer", "answered")
    assert (line["attempts"], line["graph_status"]) == (1, 202)
    assert line["duration_ms"] >= 0


def test_an_incoming_call_is_only_taken_where_answering_is_off(
    neighbours: ScriptedNeighbours, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither Entra nor Graph is asked."""
    got = receive(make(CALLING_ANSWER="false"), neighbours.incoming())

    assert got.status == 202
    assert neighbours.graph.requests == []
    assert last_line(caplog)["reason"] == "answering-off"


def test_a_follow_up_is_taken(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It comes on the callback route, and its partition is logged."""
    got = receive(service, neighbours.follow_up(partition="default"))

    assert (got.status, got.body) == (202, None)
    line = last_line(caplog)
    assert (line["decision"], line["partition"]) == ("accept", "default")


def test_a_refusal_of_graph_is_taken_and_logged_with_its_code(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Sending it again would not help the call."""
    error = {"error": {"code": "7504", "message": "no permission"}}
    neighbours.graph.script = lambda *_: json_reply(error, 403)
    got = receive(service, neighbours.incoming())

    assert got.status == 202
    line = last_line(caplog)
    assert (line["reason"], line["graph_code"]) == ("answer-refused", "7504")


def test_an_unavailable_graph_makes_the_platform_come_again(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    neighbours.graph.script = status(503)
    got = receive(service, neighbours.incoming(), seconds_ago=LONG_AGO_SECONDS)

    assert (got.status, got.headers["Retry-After"]) == (503, "1")
    assert last_line(caplog)["reason"] == "answer-unavailable"


def test_no_credential_makes_the_platform_come_again(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It has a reason of its own in the log."""
    neighbours.entra.fault = lambda: Response(status_code=500)
    got = receive(service, neighbours.incoming(), seconds_ago=LONG_AGO_SECONDS)

    assert (got.status, got.headers["Retry-After"]) == (503, "1")
    assert last_line(caplog)["reason"] == "credential-unavailable"


def two_calls() -> dict[str, Any]:
    """Return a batch of two incoming calls and a call that ended."""
    calls = [Call(tenant_id=TENANT_ID) for _ in range(3)]
    first, second = (
        incoming(call, "https://x.example")["value"][0] for call in calls[:2]
    )
    return batch(first, second, item(calls[2], "deleted", "terminated"))


def test_a_batch_is_answered_whole(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log has the outcome of each call."""
    got = receive(service, neighbours.post(two_calls()))

    assert got.status == 202
    assert len(neighbours.graph.requests) == 2
    line = last_line(caplog)
    assert line["reason"] == "batch"
    reasons = [entry["reason"] for entry in line["items"]]
    assert reasons == ["answered", "answered", "follow-up"]


def test_one_unavailable_answer_of_a_batch_makes_all_of_it_come_again(
    neighbours: ScriptedNeighbours, service: UsableService
) -> None:
    """The call that was answered is remembered, so repeating does no harm."""
    neighbours.graph.script = in_turn(status(202), status(500))
    request = neighbours.post(two_calls())
    asyncio.run(service.warm_up())
    got = receive(service, request, seconds_ago=LONG_AGO_SECONDS)
    assert got.status == 503

    neighbours.graph.script = status(202)
    before = len(neighbours.graph.requests)
    assert receive(service, request).status == 202
    assert len(neighbours.graph.requests) == before + 1


@pytest.mark.requirement("R17")
def test_a_bad_token_is_refused_with_a_constant_reply(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Only the log tells the reason."""
    bad = [
        neighbours.tokens.variant("forged"),
        neighbours.tokens.variant("expired"),
        "x",
    ]
    replies = [receive(service, neighbours.follow_up(token=token)) for token in bad]

    assert replies[0] == replies[1] == replies[2]
    assert (replies[0].status, replies[0].body) == (401, None)
    assert last_line(caplog)["reason"] == "token-malformed"


UNUSABLE = {"MicrosoftAppId": "no-guid"}


def test_unusable_settings_refuse_every_post(
    neighbours: ScriptedNeighbours, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A good token gets 503 as well; the log lists the problems."""
    service = make(**UNUSABLE)
    got = receive(service, neighbours.follow_up())

    assert (got.status, got.headers["Retry-After"]) == (503, "30")
    assert last_line(caplog)["reason"] == "settings-unusable"
    assert '"event":"settings.unusable"' in caplog.text
    assert "no-guid" not in caplog.text
    assert asyncio.run(service.health({})).status == 503
    asyncio.run(service.warm_up())
    assert neighbours.provider.fetches == []


def test_a_body_too_large_is_refused_before_anything_else(
    neighbours: ScriptedNeighbours, make: Make
) -> None:
    """The settings are unusable, too."""
    request = neighbours.post(bytes(MAX_BODY_BYTES + 1))
    assert receive(make(**UNUSABLE), request).status == 413


def test_unknown_settings_are_a_warning(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """The warning has the name but not the value."""
    asyncio.run(make(CALLING_TYPO="secret-value").health({}))
    assert '"warnings":["CALLING_TYPO: unknown setting."]' in caplog.text
    assert "secret-value" not in caplog.text


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("error", [RuntimeError, KeyError, MemoryError, RecursionError])
def test_a_defect_is_a_503_and_told_by_its_place(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    """The host would answer 500; the platform comes again instead."""

    async def fail(*_args: object, **_kwargs: object) -> WebhookReply:
        raise error

    monkeypatch.setattr(module, "decide", fail)
    got = receive(service, neighbours.follow_up())

    assert (got.status, got.headers["Retry-After"]) == (503, "1")
    line = last_line(caplog)
    assert (line["reason"], line["type"]) == ("unexpected-error", error.__name__)
    assert (line["file"], line["function"]) == (__file__, "fail")
    assert isinstance(line["line"], int)


def test_a_defect_while_answering_is_a_503(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service._calls.graph, "send", lambda *_a, **_k: None)
    assert receive(service, neighbours.incoming()).status == 503


@pytest.mark.requirement("R27")
def test_a_whole_conversation_leaves_no_secret_in_the_log(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Only the ids in a body may be logged."""
    tokens = [neighbours.tokens.mint(), neighbours.tokens.variant("forged")]
    for token in tokens:
        receive(service, neighbours.incoming(token=token))
        receive(service, neighbours.post(b'{"topsecret": tru', token=token))
        receive(service, neighbours.post({"value": [{"topsecret": 1}]}, token=token))
    neighbours.graph.script = lambda *_: reply(500, b"topsecret")
    receive(service, neighbours.incoming(), seconds_ago=LONG_AGO_SECONDS)

    logged = "\n".join(f"{r.getMessage()} {vars(r)}" for r in caplog.records)
    hidden = [SECRET, "topsecret", "countryCode", *tokens, *neighbours.entra.issued]
    signatures = [token.rpartition(".")[2] for token in tokens]
    assert len(caplog.records) > 7
    assert [text for text in [*hidden, *signatures] if text in logged] == []
