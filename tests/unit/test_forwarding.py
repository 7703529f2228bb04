"""docs/behaviour.md section 9: what is delivered to instances, and to which."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.calls import Bot, Incoming, reject
from shared.core.partitions import choose_partition
from shared.core.webhook import WebhookReply
from tests.simulator.platform.notifications import Call, batch, incoming
from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import TENANT_ID
from tests.support.bot_calls import BotCall, PlaceCall, fail_at
from tests.support.servers import Script, ScriptedServer, status
from tests.support.service import WEBHOOK, ScriptedNeighbours, receive

ACCEPT = status(202)
NAMES = ("a", "b", "c")


class Instances:
    """Three instances over TLS, which accept everything unless scripted."""

    def __init__(self, authority: Authority, stack: ExitStack) -> None:
        context = authority.server_context()
        self.servers = {
            name: stack.enter_context(ScriptedServer(ACCEPT, context)) for name in NAMES
        }

    def setting(self, **draining: bool) -> str:
        """Return CALLING_PARTITIONS."""
        return json.dumps(
            {
                name: {
                    "url": f"{self.url(name)}",
                    "draining": draining.get(name, False),
                }
                for name in NAMES
            }
        )

    def url(self, name: str) -> str:
        """Return the URL of an instance."""
        return f"{self.servers[name].url}/calling/{name}"

    def script(self, script: Script) -> None:
        """Let all do the same."""
        for server in self.servers.values():
            server.script = script

    @property
    def got(self) -> dict[str, list[Any]]:
        """Who got which bodies."""
        return {
            name: [request.json() for request in server.requests]
            for name, server in self.servers.items()
            if server.requests
        }

    def one(self) -> Any:
        """Return the only request that anybody got."""
        [request] = [r for server in self.servers.values() for r in server.requests]
        return request


@pytest.fixture
def instances(authority: Authority) -> Iterator[Instances]:
    with ExitStack() as stack:
        yield Instances(authority, stack)


type Place = Callable[..., BotCall]


@pytest.fixture
def place(place_call: PlaceCall, instances: Instances) -> Place:
    """Places calls of a service with these instances."""

    def make(bot: Bot | None = None, **changes: str) -> BotCall:
        settings = {"CALLING_PARTITIONS": instances.setting(), **changes}
        return place_call(bot, **settings)

    return make


def post(call: BotCall, body: object, **parts: Any) -> WebhookReply:
    """Post a whole body."""
    assert isinstance(body, dict)
    return call.post(body=body, **parts)


def test_a_notification_goes_to_the_partition_of_the_route_byte_for_byte(
    place: Place, instances: Instances
) -> None:
    call = place()
    body = batch(call.established())
    assert post(call, body, partition="b").status == 202

    request = instances.one()
    assert request.target == "/calling/b"
    assert request.body == json.dumps(body).encode()
    assert (call.reasons, call.line["instance"]) == (["delivered"], "b")
    assert (call.line["delivery_status"], call.line["delivery_attempts"]) == (202, 1)
    assert call.line["delivery_ms"] > 0


@pytest.mark.parametrize(
    ("name", "longest"), [("scenario-id", 256), ("tracestate", 512)]
)
def test_a_header_goes_on_whole_or_not_at_all(
    place: Place,
    instances: Instances,
    neighbours: ScriptedNeighbours,
    name: str,
    longest: int,
) -> None:
    call = place()
    body = batch(call.established())
    for length in (longest, longest + 1):
        headers = {name: "a" * length}
        request = neighbours.post(body, partition="a", headers=headers)
        receive(call.service, request)

    [whole, without] = instances.servers["a"].requests
    assert dict(whole.headers)[name] == "a" * longest
    assert name not in dict(without.headers)


def test_headers_say_what_a_cloud_event_says(
    place: Place, instances: Instances, neighbours: ScriptedNeighbours
) -> None:
    call = place()
    sent = {
        "x-microsoft-skype-message-id": "m-1",
        "x-microsoft-skype-chain-id": "c-1",
        "scenario-id": "s-1",
        "traceparent": "00-1-2-01",
        "tracestate": "é",
        "cookie": "secret",
        "x-other": "1",
    }
    token = neighbours.tokens.mint()
    body = batch(call.established())
    request = neighbours.post(body, token=token, partition="a", headers=sent)
    receive(call.service, request)

    got = instances.one()
    digest = hashlib.sha256(got.body).hexdigest()
    headers = dict(got.headers)
    arrived = datetime.fromisoformat(headers.pop("ce-time"))
    assert abs((datetime.now(UTC) - arrived).total_seconds()) < 60
    assert headers.pop("host")
    for name in ("user-agent", "accept-encoding", "accept", "connection"):
        headers.pop(name, None)
    assert headers.pop("content-length") == str(len(got.body))
    assert headers == {
        "content-type": "application/json",
        "authorization": f"Bearer {token}",
        "ce-specversion": "1.0",
        "ce-id": f"m-1-{digest[:16]}",
        "ce-source": "https://weu.example/api/calls/a",
        "ce-type": "com.microsoft.graph.commsNotifications",
        "ce-subject": call.call.call_id,
        "ce-partitionkey": call.call.call_id,
        "ce-tenantid": TENANT_ID,
        "x-microsoft-skype-message-id": "m-1",
        "x-microsoft-skype-chain-id": "c-1",
        "scenario-id": "s-1",
        "traceparent": "00-1-2-01",
    }


@pytest.mark.parametrize("message_id", [None, "é", "x" * 257])
def test_without_a_usable_message_id_the_body_alone_makes_the_event_id(
    place: Place,
    instances: Instances,
    neighbours: ScriptedNeighbours,
    message_id: str | None,
) -> None:
    call = place()
    sent = {} if message_id is None else {"x-microsoft-skype-message-id": message_id}
    request = neighbours.post(batch(call.tone()), partition="a", headers=sent)
    receive(call.service, request)

    got = instances.one()
    assert got.headers["ce-id"] == hashlib.sha256(got.body).hexdigest()
    assert "x-microsoft-skype-message-id" not in got.headers


def test_on_the_calling_webhook_each_item_goes_to_the_partition_of_its_call(
    place: Place, instances: Instances
) -> None:
    """In parts, each with its items in order; what cannot be read goes to nobody."""
    call = place()
    others = [Call(tenant_id=TENANT_ID) for _ in range(8)]
    items = [item_about(each, kind) for each in others for kind in ("x", "y")]
    reply = post(call, batch({"no": "call"}, *items), partition=None)

    assert reply.status == 202
    for name in NAMES:
        mine = [i for i in items if choose_partition(call_of(i), NAMES) == name]
        if not mine:
            continue
        [body] = instances.got[name]
        assert body["value"] == mine
        [request] = instances.servers[name].requests
        assert request.headers["ce-id"].endswith(f".{name}")
        assert request.headers["ce-subject"] == call_of(mine[0])
    assert call.line["items"][0]["reason"] == "unreadable-item"


def item_about(call: Call, kind: str) -> dict[str, Any]:
    """Return an item about a call."""
    return {
        "changeType": "updated",
        "resourceUrl": f"/communications/calls/{call.call_id}",
        "resourceData": {"@odata.type": "#microsoft.graph.call", "state": kind},
    }


def call_of(item: dict[str, Any]) -> str:
    """Return the call id of an item."""
    return str(item["resourceUrl"]).rpartition("/")[2]


def test_on_a_callback_route_all_but_incoming_calls_go_to_its_partition(
    place: Place, instances: Instances
) -> None:
    """Whatever their call id is, and also what cannot be read."""
    call = place()
    other = Call(tenant_id=TENANT_ID)
    body = batch({"no": "call"}, call.incoming(), item_about(other, "x"), {})
    post(call, body, partition="c")

    [got] = instances.got["c"]
    assert got["value"] == [body["value"][0], body["value"][2], {}]
    assert list(instances.got) == ["c"]
    reasons = {each["reason"] for each in call.line["items"]}
    assert reasons == {"delivered", "incoming-on-callback"}


@pytest.mark.parametrize("body", [{"value": []}, None])
def test_an_empty_list_and_an_incoming_call_on_a_callback_route_go_to_nobody(
    place: Place, instances: Instances, body: Any
) -> None:
    call = place()
    post(call, body or {"value": [call.incoming()]}, partition="a")
    assert instances.got == {}


def test_an_unlisted_partition_is_delivered_to_nobody(
    place: Place, instances: Instances
) -> None:
    call = place()
    assert call.post(call.established(), partition="gone").status == 202
    assert post(call, call.joining(), partition="gone").status == 202
    assert instances.got == {}
    assert call.reasons == ["partition-unlisted"] * 2
    assert call.records[-1].levelname == "WARNING"
    assert "notes" not in call.line


def test_a_batch_for_an_unlisted_partition_says_so_of_each_item(
    place: Place, instances: Instances
) -> None:
    """An incoming call on a callback route belongs to nobody, listed or not."""
    call = place()
    items = [call.established(), {"no": "call"}, call.incoming()]
    assert post(call, {"value": items}, partition="gone").status == 202
    assert instances.got == {}
    assert [each["reason"] for each in call.line["items"]] == [
        "partition-unlisted",
        "partition-unlisted",
        "incoming-on-callback",
    ]


def test_calls_are_answered_here_and_the_callback_uri_names_the_partition(
    place: Place, instances: Instances
) -> None:
    call = place()
    call.post(call.incoming())
    partition = choose_partition(call.call.call_id, NAMES)
    uri = call.requests[0].json()["callbackUri"]
    assert uri == f"https://weu.example/api/calls/{partition}"
    assert instances.got == {}


def test_with_direct_the_callback_uri_is_the_instances(
    place: Place, instances: Instances
) -> None:
    call = place(CALLING_DELIVERY="direct")
    call.post(call.incoming())
    partition = choose_partition(call.call.call_id, NAMES)
    assert call.requests[0].json()["callbackUri"] == instances.url(partition)
    call.post(call.established(), partition=None)
    assert list(instances.got) == [partition]


def test_a_draining_partition_gets_follow_ups_and_no_new_calls(
    place: Place, instances: Instances
) -> None:
    setting = instances.setting(a=True, b=True)
    call = place(CALLING_PARTITIONS=setting, CALLING_ANSWER="false")
    for _ in range(6):
        post(call, incoming(Call(tenant_id=TENANT_ID), WEBHOOK), partition=None)
    assert list(instances.got) == ["c"]
    call.post(call.established(), partition="a")
    assert set(instances.got) == {"a", "c"}


def test_a_handler_is_told_the_partition_that_the_callback_uri_names(
    place: Place, instances: Instances
) -> None:
    """Not one that drains, though it would be the call's without that."""
    bot, told = Bot(), []
    bot.incoming(lambda event: told.append(event.call.partition))
    call = place(bot, CALLING_PARTITIONS=instances.setting(a=True, b=True))
    for _ in range(6):
        post(call, incoming(Call(tenant_id=TENANT_ID), WEBHOOK), partition=None)
    assert told == ["c"] * 6


def test_without_answering_the_instance_gets_incoming_calls(
    place: Place, instances: Instances
) -> None:
    call = place(CALLING_ANSWER="false")
    body = batch(call.incoming())
    assert post(call, body, partition=None).status == 202
    request = instances.one()
    assert request.body == json.dumps(body).encode()
    assert (call.asked, call.reasons) == ([], ["delivered"])


def test_handlers_but_those_of_incoming_calls_are_not_called(
    place: Place, instances: Instances
) -> None:
    bot = Bot()
    bot.established(fail_at)
    bot.participant_joining(fail_at)

    @bot.incoming
    def take(_event: Incoming) -> Any:
        return reject("busy")

    call = place(bot)
    call.post(call.incoming())
    call.post(call.established(), partition="a")
    post(call, call.joining(), partition="a")
    assert call.asked == ["POST /reject"]
    assert call.reasons == ["call-rejected", "delivered", "delivered"]
    assert len(instances.servers["a"].requests) == 2


def test_a_mixed_post_is_answered_and_delivered(
    place: Place, instances: Instances
) -> None:
    call = place()
    other = item_about(Call(tenant_id=TENANT_ID), "x")
    assert post(call, batch(call.incoming(), other), partition=None).status == 202
    assert call.asked == ["POST /answer"]
    [bodies] = instances.got.values()
    assert bodies[0]["value"] == [other]
    assert re.search(r"\.[abc]$", instances.one().headers["ce-id"])


@pytest.mark.parametrize("call_id", [None, "", "../x", "x" * 129, 7])
def test_who_joins_no_call_goes_where_the_route_says_or_to_nobody(
    place: Place, instances: Instances, call_id: object
) -> None:
    call = place()
    joining = {**call.joining(), "call": {"id": call_id}}
    assert post(call, joining, partition=None).status == 202
    assert instances.got == {}
    assert call.reasons == ["unreadable-item"]

    assert post(call, joining, partition="a").status == 202
    headers = instances.one().headers
    assert not {"ce-subject", "ce-partitionkey"} & {name.lower() for name in headers}


def test_a_joining_participant_goes_to_the_instance_of_the_call(
    place: Place, instances: Instances
) -> None:
    call = place()
    assert post(call, call.joining(), partition=None).status == 202
    request = instances.one()
    assert request.headers["ce-type"] == (
        "com.microsoft.graph.participantJoiningNotification"
    )
    assert request.headers["ce-subject"] == call.call.call_id
    assert request.json() == call.joining()
