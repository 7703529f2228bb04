"""shared.service: from a POST to its reply; nothing escapes, every end has its line."""

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import Response
from tests.support.other_region import OtherRegion

from shared import service as module
from shared.core.webhook import MAX_BODY_BYTES, WebhookReply
from shared.service import UsableService
from shared.settings import read_settings
from tests.simulator.platform.notifications import (
    Call,
    batch,
    incoming,
    item,
    legacy_incoming,
)
from tests.support.servers import hang, json_reply, reply
from tests.support.service import SECRET, TENANT_ID, Make, ServiceWorld, receive

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
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """204, and nobody is asked for anything."""
    got = receive(service, world.post(legacy_incoming(Call(tenant_id=TENANT_ID))))

    assert (got.status, got.body) == (204, None)
    assert last_line(caplog)["decision"] == "ask-for-graph"
    assert world.graph_requests == []


@pytest.fixture
def other_region(world: ServiceWorld) -> Iterator[OtherRegion]:
    """Return region sea; it is healthy."""
    region = OtherRegion(world.certificates)
    with region.server:
        yield region


def of_two_regions(other: OtherRegion, **changes: str) -> dict[str, str]:
    """Return settings of region weu that prefer region sea."""
    hosts = {"weu": "weu.example", "sea": other.host}
    return {
        "CALLING_REGION": "weu",
        "CALLING_REGION_HOSTS": json.dumps(hosts),
        "CALLING_REGION_RULES": '[{"regions": ["sea"]}]',
        **changes,
    }


@pytest.mark.parametrize("status", ["302", "307"])
def test_a_call_of_another_region_is_redirected(
    world: ServiceWorld,
    make: Make,
    other_region: OtherRegion,
    caplog: pytest.LogCaptureFixture,
    status: str,
) -> None:
    """The location comes from the settings."""
    service = make(**of_two_regions(other_region, CALLING_REDIRECT_STATUS=status))
    got = receive(service, world.incoming())

    assert got.status == int(status)
    assert got.headers["Location"] == f"https://{other_region.host}/api/calls?hop=1"
    line = last_line(caplog)
    assert (line["decision"], line["redirect_region"]) == ("redirect", "sea")
    assert line["region"] == "weu"


def test_a_call_stays_where_the_other_region_is_down(
    world: ServiceWorld,
    make: Make,
    other_region: OtherRegion,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is answered here; the line says which way it could not go."""
    other_region.script = hang
    service = make(**of_two_regions(other_region))
    assert receive(service, world.incoming()).status == 202

    assert len(world.graph_requests) == 1
    assert last_line(caplog)["notes"] == ["region-unhealthy"]


def test_a_warm_redirect_asks_nobody(
    world: ServiceWorld, make: Make, other_region: OtherRegion
) -> None:
    """Health or warm-up has started the watch; the path of a call has no request."""
    service = make(**of_two_regions(other_region))
    assert isinstance(service, UsableService)

    async def scenario() -> None:
        await service.health()
        peers = service.peers
        # It is looked at on a thread.
        while peers._peers["sea"].seen is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await peers.is_healthy("sea")
        before = len(other_region.asked)
        for _ in range(20):
            got = await service.receive(world.incoming(), received_at=time.monotonic())
            assert got.status == 302
        assert len(other_region.asked) == before

    asyncio.run(scenario())


def test_an_incoming_call_is_answered(
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """With a token of Entra for the tenant of the call."""
    got = receive(service, world.incoming())

    assert got.status == 202
    [request] = world.graph_requests
    token = request.headers["authorization"].removeprefix("Bearer ")
    assert world.entra.issued[token].tenant_id == TENANT_ID
    uri = "https://weu.example/api/calls/default"
    assert request.json()["callbackUri"] == uri
    line = last_line(caplog)
    assert (line["decision"], line["reason"]) == ("answer", "answered")
    assert (line["attempts"], line["graph_status"]) == (1, 202)
    assert line["duration_ms"] >= 0


def test_an_incoming_call_is_only_taken_where_answering_is_off(
    world: ServiceWorld, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither Entra nor Graph is asked."""
    got = receive(make(CALLING_ANSWER="false"), world.incoming())

    assert got.status == 202
    assert world.graph_requests == []
    assert last_line(caplog)["reason"] == "answering-off"


def test_a_follow_up_is_taken(
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """On the callback route, with its partition in the log."""
    got = receive(service, world.follow_up(partition="default"))

    assert (got.status, got.body) == (202, None)
    line = last_line(caplog)
    assert (line["decision"], line["partition"]) == ("accept", "default")


def test_a_refusal_of_graph_is_taken_and_logged_with_its_code(
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """Coming again would not help the call."""
    error = {"error": {"code": "7504", "message": "no permission"}}
    world.graph_script = lambda *_: json_reply(error, 403)
    got = receive(service, world.incoming())

    assert got.status == 202
    line = last_line(caplog)
    assert (line["reason"], line["graph_code"]) == ("answer-refused", "7504")


def test_an_unavailable_graph_makes_the_platform_come_again(
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """503 within the budget."""
    world.graph_script = lambda *_: reply(503)
    got = receive(service, world.incoming(), seconds_ago=LONG_AGO_SECONDS)

    assert (got.status, got.headers["Retry-After"]) == (503, "1")
    assert last_line(caplog)["reason"] == "answer-unavailable"


def test_no_credential_makes_the_platform_come_again(
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """And is told apart in the log."""
    world.entra.fault = lambda: Response(status_code=500)
    got = receive(service, world.incoming(), seconds_ago=LONG_AGO_SECONDS)

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
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """Each call has its outcome in the log."""
    got = receive(service, world.post(two_calls()))

    assert got.status == 202
    assert len(world.graph_requests) == 2
    line = last_line(caplog)
    assert line["reason"] == "batch"
    assert [entry["reason"] for entry in line["items"]] == ["answered"] * 2


def test_one_unavailable_answer_of_a_batch_makes_all_of_it_come_again(
    world: ServiceWorld, service: UsableService
) -> None:
    """The answered one is remembered, so coming again is harmless."""
    replies = iter((reply(202),))
    world.graph_script = lambda *_: next(replies, reply(500))
    request = world.post(two_calls())
    asyncio.run(service.warm_up())
    got = receive(service, request, seconds_ago=LONG_AGO_SECONDS)
    assert got.status == 503

    world.graph_script = lambda *_: reply(202)
    before = len(world.graph_requests)
    assert receive(service, request).status == 202
    assert len(world.graph_requests) == before + 1


@pytest.mark.requirement("R17")
def test_a_bad_token_is_refused_with_a_constant_reply(
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason is in the log only."""
    bad = [world.tokens.variant("forged"), world.tokens.variant("expired"), "x"]
    replies = [receive(service, world.follow_up(token=token)) for token in bad]

    assert replies[0] == replies[1] == replies[2]
    assert (replies[0].status, replies[0].body) == (401, None)
    assert last_line(caplog)["reason"] == "token-malformed"


UNUSABLE = {"MicrosoftAppId": "no-guid"}


def test_unusable_settings_refuse_every_post(
    world: ServiceWorld, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """503 with half a minute, also for a good token; the problems are in the log."""
    service = make(**UNUSABLE)
    got = receive(service, world.follow_up())

    assert (got.status, got.headers["Retry-After"]) == (503, "30")
    assert last_line(caplog)["reason"] == "settings-unusable"
    assert '"event":"settings.unusable"' in caplog.text
    assert "no-guid" not in caplog.text
    assert asyncio.run(service.health()).status == 503
    asyncio.run(service.warm_up())
    assert world.provider.fetched == []


def test_a_body_too_large_is_refused_before_anything_else(
    world: ServiceWorld, make: Make
) -> None:
    """Also while the settings are unusable."""
    request = world.post(bytes(MAX_BODY_BYTES + 1))
    assert receive(make(**UNUSABLE), request).status == 413


def test_unknown_settings_are_a_warning(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """By name only."""
    make(CALLING_TYPO="secret-value")
    assert '"warnings":["CALLING_TYPO: unknown setting."]' in caplog.text
    assert "secret-value" not in caplog.text


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("error", [RuntimeError, KeyError, MemoryError, RecursionError])
def test_a_defect_is_a_503_and_told_by_its_place(
    world: ServiceWorld,
    service: UsableService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    """The host would answer 500; the platform comes again instead."""

    async def fail(*_args: object, **_kwargs: object) -> WebhookReply:
        raise error

    monkeypatch.setattr(module, "decide", fail)
    got = receive(service, world.follow_up())

    assert (got.status, got.headers["Retry-After"]) == (503, "1")
    line = last_line(caplog)
    assert (line["reason"], line["type"]) == ("unexpected-error", error.__name__)
    assert (line["file"], line["function"]) == (__file__, "fail")
    assert isinstance(line["line"], int)


def test_a_defect_while_answering_is_a_503(
    world: ServiceWorld, service: UsableService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the decision, too."""
    monkeypatch.setattr(service.graph, "answer", lambda *_a, **_k: None)
    assert receive(service, world.incoming()).status == 503


@pytest.mark.requirement("R27")
def test_a_whole_conversation_leaves_no_secret_in_the_log(
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither tokens, nor the secret, nor what a body says beyond its ids."""
    tokens = [world.tokens.mint(), world.tokens.variant("forged")]
    for token in tokens:
        receive(service, world.incoming(token=token))
        receive(service, world.post(b'{"topsecret": tru', token=token))
        receive(service, world.post({"value": [{"topsecret": 1}]}, token=token))
    world.graph_script = lambda *_: reply(500, b"topsecret")
    receive(service, world.incoming(), seconds_ago=LONG_AGO_SECONDS)

    logged = "\n".join(f"{r.getMessage()} {vars(r)}" for r in caplog.records)
    hidden = [SECRET, "topsecret", "countryCode", *tokens, *world.entra.issued]
    signatures = [token.rpartition(".")[2] for token in tokens]
    assert len(caplog.records) > 7
    assert [text for text in [*hidden, *signatures] if text in logged] == []


def test_settings_are_read_once_however_many_ask(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request builds the service; the module's functions use it."""
    for name, value in world.settings(CALLING_ANSWER="false").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_service", None)
    monkeypatch.setattr(logging, "logThreads", True)
    reads = []

    def read_counted(environ: Any) -> Any:
        reads.append(1)
        return read_settings(environ)

    monkeypatch.setattr(module, "read_settings", read_counted)

    async def story() -> list[int]:
        services = await asyncio.gather(
            *(asyncio.to_thread(module.get_service) for _ in range(8))
        )
        assert len({id(service) for service in services}) == 1
        await module.warm_up()
        reply_to_call = await module.receive(world.incoming())
        return [reply_to_call.status, (await module.health()).status]

    assert asyncio.run(story()) == [202, 200]
    assert reads == [1]
    assert not logging.logThreads
    module.get_service().close()
