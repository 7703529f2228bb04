"""docs/behaviour.md section 9: actions that an instance asks for in its reply."""

import json
from typing import Any

import pytest

from tests.support.bot_calls import PlaceCall
from tests.support.instance import Instance
from tests.support.servers import Script, json_reply, status
from tests.support.service import ScriptedNeighbours


def acting(*actions: Any) -> Script:
    """Script an instance that asks for actions."""
    return lambda *_: json_reply({"actions": list(actions)}, 200)


PROMPT = {
    "action": "playPrompt",
    "clientContext": "menu",
    "prompts": [
        {
            "@odata.type": "#microsoft.graph.mediaPrompt",
            "mediaInfo": {
                "@odata.type": "#microsoft.graph.mediaInfo",
                "uri": "https://cdn.example/a.wav",
                "resourceId": "1b5a5f9c-0a68-4f5c-9d62-5b4b1a7a0b1e",
            },
        }
    ],
}


def test_actions_in_a_reply_are_carried_out(instance: Instance) -> None:
    instance.server.script = acting({"action": "subscribeToTone"}, PROMPT)
    call = instance.place()
    assert call.post(call.established(), partition="a").status == 202

    assert call.asked == ["POST /subscribeToTone", "POST /playPrompt"]
    body = {name: value for name, value in PROMPT.items() if name != "action"}
    assert call.requests[1].json() == body
    assert call.reasons == ["delivered"]
    names = [each["name"] for each in call.line["actions"]]
    assert names == ["subscribeToTone", "playPrompt"]


def test_actions_without_a_body_need_none(instance: Instance) -> None:
    names = ("keepAlive", "mute", "unmute", "cancelMediaProcessing", "delete")
    instance.server.script = acting(*({"action": name} for name in names))
    call = instance.place()
    call.post(call.established(), partition="a")
    assert call.asked == [
        "POST /keepAlive",
        "POST /mute",
        "POST /unmute",
        "POST /cancelMediaProcessing",
        "DELETE ",
    ]


def test_an_action_that_fails_is_the_reason_and_the_reply_stays_202(
    instance: Instance, neighbours: ScriptedNeighbours
) -> None:
    instance.server.script = acting({"action": "mute"}, {"action": "unmute"})
    for code, reason in ((403, "action-refused"), (404, "call-over")):
        neighbours.graph.script = status(code)
        call = instance.place()
        assert call.post(call.established(), partition="a").status == 202
        assert call.asked == ["POST /mute"]
        assert call.reasons[-1] == reason


ILL_FORMED: list[Any] = [
    {"action": "sing"},
    {"action": "answer"},
    {"action": "acceptJoinResponse"},
    {"action": 1},
    {},
    7,
    {"action": "playPrompt"},
    {"action": "transfer", "transferTarget": {}},
    {"action": "delete", "x": 1},
    {**PROMPT, "extra": 1},
]


@pytest.mark.parametrize("action", ILL_FORMED)
def test_of_ill_formed_actions_none_is_carried_out(
    instance: Instance, action: Any
) -> None:
    instance.server.script = acting({"action": "mute"}, action)
    call = instance.place()
    assert call.post(call.established(), partition="a").status == 202
    assert (call.asked, call.reasons) == ([], ["bot-failed"])


def test_actions_are_for_one_call_that_is_up(
    instance: Instance, place_call: PlaceCall
) -> None:
    """Not for several, not for who joins, and not where Graph is asked for nothing."""
    instance.server.script = acting({"action": "mute"})
    call = instance.place()
    other = place_call(service=call.service)
    call.post(call.established(), other.established(), partition="a")
    assert {each["reason"] for each in call.line["items"]} == {"bot-failed"}
    call.post(body=call.joining(), partition="a")
    assert call.reasons[-1] == "bot-failed"

    off = instance.place(CALLING_ANSWER="false")
    off.post(off.established(), partition="a")
    assert off.reasons[-1] == "bot-failed"
    only = json.dumps({"a": f"{instance.server.url}/x"})
    incoming = instance.place(CALLING_ANSWER="false", CALLING_PARTITIONS=only)
    incoming.post(incoming.incoming())
    assert incoming.reasons[-1] == "bot-failed"
    assert call.asked == off.asked == incoming.asked == []


def test_a_call_in_capitals_is_not_another_one(instance: Instance) -> None:
    instance.server.script = acting({"action": "mute"})
    call = instance.place()
    shouted = call.established()
    shouted["resourceUrl"] = f"/communications/calls/{call.call.call_id.upper()}"
    call.post(call.established(), shouted, partition="a")
    assert call.asked == ["POST /mute"]
