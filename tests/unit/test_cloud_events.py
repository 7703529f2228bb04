"""Deliveries as a program that nobody here wrote reads them: the CloudEvents SDK.

docs/behaviour.md section 9; https://github.com/cloudevents/sdk-python
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event

from tests.simulator.platform.notifications import batch
from tests.simulator.services.signing import TENANT_ID
from tests.support.bot_calls import BotCall
from tests.support.instance import Instance
from tests.support.service import ScriptedNeighbours, receive

GRAPH_TYPE = "com.microsoft.graph.commsNotifications"
JOINING_TYPE = "com.microsoft.graph.participantJoiningNotification"


def read(instance: Instance) -> BaseCloudEvent:
    """Read the only delivery with the SDK, which refuses what is no CloudEvent."""
    [request] = instance.server.requests
    headers = dict(request.headers)
    return from_http_event(HTTPMessage(headers=headers, body=request.body))


def expect_event_of(event: BaseCloudEvent, call: BotCall, kind: str) -> None:
    assert event.get_specversion() == "1.0"
    assert event.get_type() == kind
    assert event.get_source() == "https://weu.example/api/calls/a"
    assert event.get_subject() == call.call.call_id
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("partitionkey") == call.call.call_id
    assert event.get_extension("tenantid") == TENANT_ID
    time = event.get_time()
    assert time is not None
    assert abs(datetime.now(UTC) - time) < timedelta(minutes=1)


@pytest.mark.parametrize("kind", ["established", "tone", "operation", "terminated"])
def test_a_follow_up_is_a_cloud_event(instance: Instance, kind: str) -> None:
    call = instance.place()
    body = batch(getattr(call, kind)())
    call.post(body=body, partition="a")

    event = read(instance)
    expect_event_of(event, call, GRAPH_TYPE)
    assert event.get_data() == body


def test_an_incoming_call_is_a_cloud_event(instance: Instance) -> None:
    only = json.dumps({"a": f"{instance.server.url}/x"})
    call = instance.place(CALLING_ANSWER="false", CALLING_PARTITIONS=only)
    body = batch(call.incoming())
    call.post(body=body, partition=None)

    event = read(instance)
    expect_event_of(event, call, GRAPH_TYPE)
    assert event.get_data() == body


def test_a_part_of_a_post_is_a_cloud_event(instance: Instance) -> None:
    """What cannot be read on the calling webhook goes to nobody."""
    only = json.dumps({"a": f"{instance.server.url}/x"})
    call = instance.place(CALLING_PARTITIONS=only)
    call.post(body=batch({"no": "call"}, call.tone()), partition=None)

    event = read(instance)
    expect_event_of(event, call, GRAPH_TYPE)
    assert event.get_data() == batch(call.tone())
    assert event.get_id().endswith(".a")


def test_a_participant_who_joins_is_a_cloud_event(instance: Instance) -> None:
    call = instance.place()
    body = call.joining()
    call.post(body=body, partition="a")

    event = read(instance)
    expect_event_of(event, call, JOINING_TYPE)
    assert event.get_data() == body


def test_a_notification_about_no_call_is_a_cloud_event(instance: Instance) -> None:
    call = instance.place()
    call.post(body=batch({"no": "call"}), partition="a")

    event = read(instance)
    assert event.get_subject() is None
    assert event.get_extension("partitionkey") is None


@pytest.mark.parametrize("message_id", ["m-1", "100%41", "a b", 'say "x"', "x" * 256])
def test_the_id_begins_with_the_message_id_whatever_that_is(
    instance: Instance, neighbours: ScriptedNeighbours, message_id: str
) -> None:
    """Readers undo the escaping that the HTTP binding wants."""
    call = instance.place()
    headers: dict[str, Any] = {"x-microsoft-skype-message-id": message_id}
    request = neighbours.post(batch(call.tone()), partition="a", headers=headers)
    receive(call.service, request)

    assert read(instance).get_id().startswith(f"{message_id}-")
