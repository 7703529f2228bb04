"""docs/behaviour.md section 9: what becomes of a delivery."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from shared.core.deliveries import Delivery, headers_of
from shared.edge.instances import PLACES
from tests.simulator.platform.notifications import batch
from tests.support.bot_calls import PlaceCall
from tests.support.clock import at_most
from tests.support.entra import TokenServers
from tests.support.instance import Instance
from tests.support.rules import build_request
from tests.support.servers import (
    Peer,
    Request,
    Script,
    hang,
    in_turn,
    json_reply,
    reply,
    status,
)
from tests.support.servers import hang_up as break_off
from tests.support.service import ScriptedNeighbours
from tests.unit.conftest import Serve

AUDIENCE = "api://instance.example"


@pytest.mark.parametrize("code", [200, 201, 202, 204])
def test_any_success_is_delivered(instance: Instance, code: int) -> None:
    call = instance.one(status(code))
    assert (instance.reply.status, call.reasons) == (202, ["delivered"])


ENDS = [
    (404, 202, "instance-without-call", "WARNING"),
    (410, 202, "instance-without-call", "WARNING"),
    (400, 202, "delivery-refused", "ERROR"),
    (401, 202, "delivery-refused", "ERROR"),
    (403, 202, "delivery-refused", "ERROR"),
    (409, 202, "delivery-refused", "ERROR"),
    (301, 202, "delivery-refused", "ERROR"),
    (307, 202, "delivery-refused", "ERROR"),
]


@pytest.mark.parametrize(("code", "answer", "reason", "level"), ENDS)
def test_a_final_reply_is_not_repeated(
    instance: Instance, code: int, answer: int, reason: str, level: str
) -> None:
    """Redirects are not followed."""
    call = instance.one(status(code, Location="https://127.0.0.1:1/"))
    assert (instance.reply.status, call.reasons) == (answer, [reason])
    assert call.records[-1].levelname == level
    assert len(instance.server.requests) == 1


@pytest.mark.parametrize("code", [404, 410, 403, 302])
def test_no_instance_may_be_without_an_incoming_call(
    instance: Instance, code: int
) -> None:
    instance.server.script = status(code)
    only = json.dumps({"a": f"{instance.server.url}/x"})
    call = instance.place(CALLING_ANSWER="false", CALLING_PARTITIONS=only)
    assert call.post(call.incoming()).status == 202
    assert call.reasons == ["delivery-refused"]


PASSING: list[Any] = [
    pytest.param(status(408), id="408"),
    pytest.param(status(429), id="429"),
    pytest.param(status(500), id="500"),
    pytest.param(status(503), id="503"),
    pytest.param(break_off, id="no reply"),
]


@pytest.mark.parametrize("script", PASSING)
def test_a_passing_failure_is_repeated(instance: Instance, script: Script) -> None:
    call = instance.one(in_turn(script, status(202)))
    assert (instance.reply.status, call.reasons) == (202, ["delivered"])
    assert call.line["delivery_attempts"] == 2


@pytest.mark.parametrize("script", [*PASSING, pytest.param(hang, id="hangs")])
def test_a_lasting_failure_is_unavailable(instance: Instance, script: Script) -> None:
    call = instance.one(script, seconds_ago=3.5)
    assert instance.reply.status == 503
    assert instance.reply.headers["Retry-After"] == "1"
    assert call.reasons == ["delivery-unavailable"]
    assert call.records[-1].levelname == "ERROR"


def test_an_instance_that_is_not_reached_is_unavailable(instance: Instance) -> None:
    call = instance.place()
    reply = call.post(call.established(), partition="b", seconds_ago=3.5)
    assert (reply.status, call.reasons) == (503, ["delivery-unavailable"])
    assert "delivery_status" not in call.line


def test_a_pause_beyond_the_time_ends_it_at_once(instance: Instance) -> None:
    instance.server.script = status(503, Retry_After="60")
    call = instance.place()
    with at_most(2):
        assert call.post(call.established(), partition="a").status == 503
    assert len(instance.server.requests) == 1


def test_there_are_four_seconds_and_three_for_a_call_to_be_recorded(
    instance: Instance, place_call: PlaceCall
) -> None:
    """Somewhat more than three have passed. What follows in such a call has four."""
    instance.server.script = in_turn(status(503))
    only = json.dumps({"a": f"{instance.server.url}/x"})
    settings = {"CALLING_PARTITIONS": only, "CALLING_ANSWER": "false"}
    ordinary = place_call(**settings)
    recording = place_call(is_policy_recording=True, **settings)
    ordinary.post(ordinary.incoming(), seconds_ago=3.1)
    recording.post(recording.incoming(), seconds_ago=3.1)
    calls = {request.headers["ce-subject"] for request in instance.server.requests}
    assert calls == {ordinary.call.call_id}

    later = recording.established()
    later["resourceData"]["incomingContext"] = {"observedParticipantId": "observed"}
    recording.post(later, partition="a", seconds_ago=3.1)
    assert instance.server.requests[-1].headers["ce-subject"] == recording.call.call_id
    assert ordinary.reasons == ["delivery-unavailable"] * 3


def test_a_slow_instance_gets_all_the_time_that_is_left(instance: Instance) -> None:
    """It may have taken effect: it is not cut short for another attempt."""

    def late(_request: Request, peer: Peer) -> bytes:
        peer.hang(1.2)
        return json_reply({}, 202)

    instance.server.script = late
    call = instance.place()
    call.post(call.established(), partition="a", seconds_ago=2.2)
    assert call.reasons == ["delivered"]
    assert len(instance.server.requests) == 1


def too_long(*_: object) -> bytes:
    """Reply with more than is read."""
    return json_reply({"actions": [{"action": "mute"}], "x": "x" * 70_000}, 200)


def broken_off(_request: Request, peer: Peer) -> None:
    """Break off in the body."""
    peer.send(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    peer.cut()


ASKS_FOR_NOTHING: list[Any] = [
    pytest.param(too_long, id="too long"),
    pytest.param(broken_off, id="broken off"),
    pytest.param(lambda *_: json_reply({"x": 1}, 200), id="no actions"),
    pytest.param(lambda *_: json_reply([1], 200), id="a list"),
    pytest.param(
        lambda *_: reply(
            200, b'{"actions": [{"action": "mute"}]}', Content_Type="text/plain"
        ),
        id="no JSON type",
    ),
]


@pytest.mark.parametrize("script", ASKS_FOR_NOTHING)
def test_a_2xx_is_delivered_from_its_status_on(
    instance: Instance, script: Script
) -> None:
    call = instance.one(script)
    assert (call.asked, call.reasons) == ([], ["delivered"])


def test_three_failures_keep_new_calls_away(
    instance: Instance, place_call: PlaceCall, serve: Serve
) -> None:
    """A quick 404 for incoming calls is one; the other instance gets them all."""
    instance.server.script = status(404)
    other = serve(status(202))
    setting = json.dumps({"a": f"{instance.server.url}/x", "b": f"{other.url}/x"})
    first = place_call(CALLING_PARTITIONS=setting, CALLING_ANSWER="false")
    for _ in range(40):
        call = place_call(service=first.service)
        call.post(call.incoming())
    assert len(instance.server.requests) == 3
    assert len(other.requests) == 37
    first.post(first.established(), partition="a")
    assert len(instance.server.requests) == 4
    events = [r.message for r in first.records if "instance.passed-over" in r.message]
    assert len(events) == 1


def test_without_answering_health_fails_while_all_are_passed_over(
    instance: Instance,
) -> None:
    only = json.dumps({"a": f"{instance.server.url}/x"})
    call = instance.place(CALLING_ANSWER="false", CALLING_PARTITIONS=only)

    def answering() -> str:
        health = asyncio.run(call.service.health({}))
        call.service._health_replies._kept = None
        found: str = json.loads(health.body or b"")["answering"]
        return found

    assert answering() == "unknown"
    instance.server.script = status(403)
    for _ in range(3):
        call.post(call.incoming())
    assert answering() == "failing"
    instance.server.script = status(202)
    call.post(call.incoming())
    assert answering() == "unknown"


def test_the_33rd_delivery_at_a_time_is_unavailable_at_once(
    instance: Instance,
) -> None:
    release, asked = threading.Event(), threading.Semaphore(0)

    def wait(_request: Request, _peer: Peer) -> bytes:
        asked.release()
        release.wait(30)
        return json_reply({}, 202)

    instance.server.script = wait
    call = instance.place()

    async def story() -> None:
        items = [call.tone(sequence_id=number) for number in range(PLACES)]
        hanging = [
            asyncio.create_task(call.posting(item, partition="a")) for item in items
        ]
        for _ in hanging:
            await asyncio.to_thread(asked.acquire, timeout=30)
        with at_most(1.5):
            reply = await call.posting(call.established(), partition="a")
        assert reply.status == 503
        release.set()
        await asyncio.gather(*hanging)

    asyncio.run(story())
    assert call.reasons == ["delivery-unavailable", *["delivered"] * PLACES]


@pytest.fixture
def audience(
    servers: TokenServers, neighbours: ScriptedNeighbours
) -> Callable[..., dict[str, Any]]:
    """Settings with an audience, whose tokens the identity endpoint gives."""
    servers.identity.resources = {AUDIENCE}
    return lambda: {"CALLING_DELIVERY_AUDIENCE": AUDIENCE}


def test_with_an_audience_the_identitys_token_goes_to_the_instance(
    instance: Instance, audience: Callable[..., dict[str, Any]]
) -> None:
    call = instance.one(status(202), **audience())
    assert call.reasons == ["delivered"]
    [request] = instance.server.requests
    bearer = request.headers["authorization"]
    assert bearer.startswith("Bearer ")
    assert bearer.count(".") <= 2


def test_the_audience_is_asked_for_as_the_setting_spells_it(
    instance: Instance, servers: TokenServers
) -> None:
    """With a slash at its end it is another resource."""
    servers.identity.resources = {f"{AUDIENCE}/"}
    call = instance.one(status(202), CALLING_DELIVERY_AUDIENCE=f"{AUDIENCE}/")
    assert call.reasons == ["delivered"]


def test_without_a_token_for_the_audience_it_comes_again(
    instance: Instance,
    audience: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It counts neither against the instance nor in answering."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/")
    call = instance.one(status(202), seconds_ago=3.5, **audience())
    assert (instance.reply.status, call.reasons) == (503, ["credential-unavailable"])
    assert instance.server.requests == []


def test_service_bus_gets_session_and_message_id() -> None:
    url = "https://q.servicebus.windows.net/calls/messages"
    delivery = Delivery("a", url, b"{}", "tenant", "call-1")
    request = build_request(None, batch())
    headers = headers_of(
        delivery, request, callback_host="h", arrived_at=0.0, authorization="Bearer t"
    )
    assert json.loads(headers["BrokerProperties"]) == {
        "SessionId": "call-1",
        "MessageId": headers["ce-id"],
    }
    assert headers["ce-time"] == "1970-01-01T00:00:00.000Z"


def test_connections_are_renewed_every_five_minutes(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = instance.place()
    [client, _other] = call.service._calls.forwarding._clients.values()  # type: ignore[attr-defined]
    real = time.monotonic
    call.post(call.established(), partition="a")
    for seconds, connections in ((50, 1), (301, 2)):
        monkeypatch.setattr(client, "_clock", lambda s=seconds: real() + s)
        call.post(call.tone(), partition="a")
        assert instance.server.connections == connections


@pytest.mark.parametrize("announced", [33, 1000])
def test_a_reply_that_breaks_off_asks_for_nothing(
    instance: Instance, announced: int
) -> None:
    """Also where what came is JSON by itself."""
    asked = b'{"actions": [{"action": "mute"}]}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {announced}\r\n"

    def break_off(_request: Request, peer: Peer) -> None:
        peer.send(f"{head}Content-Type: application/json\r\n\r\n".encode() + asked)

    call = instance.one(break_off)
    assert call.reasons == ["delivered"]
    assert call.asked == (["POST /mute"] if announced == len(asked) else [])
    assert len(instance.server.requests) == 1


def test_one_call_in_two_spellings_is_one_call(instance: Instance) -> None:
    """GUIDs have no case."""
    instance.server.script = json_script({"actions": [{"action": "mute"}]})
    call = instance.place()
    shouted = call.tone()
    call_id = call.call.call_id
    for name in ("resource", "resourceUrl"):
        shouted[name] = shouted[name].replace(call_id, call_id.upper())
    call.post(body=batch(call.established(), shouted), partition="a")
    assert call.asked == ["POST /mute"]


def json_script(document: object) -> Script:
    """Return a script that replies with JSON."""
    return lambda *_: json_reply(document)
