"""docs/behaviour.md section 9: what instances reply to a participant who joins."""

import json
from typing import Any

import pytest

from tests.support.instance import Instance
from tests.support.servers import json_reply, reply

JOINS: list[tuple[Any, int]] = [
    ({"@odata.type": "#microsoft.graph.acceptJoinResponse"}, 200),
    ({"@odata.type": "#microsoft.graph.rejectJoinResponse", "reason": "busy"}, 200),
    (
        {
            "@odata.type": "#microsoft.graph.inviteNewBotResponse",
            "inviteUri": "https://o.example/",
        },
        200,
    ),
    ({"@odata.type": "#microsoft.graph.acceptJoinResponse", "actions": []}, 202),
    ({"@odata.type": "#microsoft.graph.call"}, 202),
    ({"actions": []}, 202),
    ({"@odata.type": "#microsoft.graph.inviteNewBotResponse"}, 202),
    ({}, 202),
]


@pytest.mark.parametrize(("body", "answer"), JOINS)
def test_a_joining_participant_gets_one_of_graphs_three_replies(
    instance: Instance, body: Any, answer: int
) -> None:
    instance.server.script = lambda *_: json_reply(body, 200)
    call = instance.place()
    got = call.post(body=call.joining(), partition="a")
    assert (got.status, call.reasons) == (answer, ["delivered"])
    if answer == 200:
        assert json.loads(got.body or b"") == body


def test_the_reply_to_who_joins_needs_no_content_type(instance: Instance) -> None:
    """Only actions do: an instance's page for people must not become one."""
    body = b'{"@odata.type": "#microsoft.graph.acceptJoinResponse"}'
    instance.server.script = lambda *_: reply(200, body, Content_Type="text/plain")
    call = instance.place()
    got = call.post(body=call.joining(), partition="a")
    assert (got.status, json.loads(got.body or b"")) == (200, json.loads(body))


def test_actions_in_the_reply_to_who_joins_are_not_carried_out(
    instance: Instance,
) -> None:
    body = {"actions": [{"action": "mute"}]}
    instance.server.script = lambda *_: json_reply(body, 200)
    call = instance.place()
    got = call.post(body=call.joining(), partition="a")
    assert (got.status, call.reasons, call.asked) == (202, ["bot-failed"], [])
