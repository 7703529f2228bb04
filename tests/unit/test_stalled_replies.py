"""Replies whose status comes, and whose body does not: the status counts."""

import pytest

from shared.calls import Action, Bot, mute, play_prompt
from tests.support.bot_calls import PlaceCall
from tests.support.instance import Instance
from tests.support.servers import Peer, Request
from tests.support.service import ScriptedNeighbours


def stall(_request: Request, peer: Peer) -> None:
    """Send a status, and then nothing."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
    peer.hang()


@pytest.mark.parametrize("action", [mute(), play_prompt("https://cdn.example/a.wav")])
def test_an_action_that_graph_took_is_done_though_the_body_stalls(
    place_call: PlaceCall, neighbours: ScriptedNeighbours, action: Action
) -> None:
    """It is neither repeated nor told as a failure."""
    neighbours.graph.script = stall
    bot = Bot()
    bot.tone(lambda _event: action)
    call = place_call(bot)
    call.post(call.tone(), seconds_ago=8.0)
    assert call.line["reason"] == "handled"
    assert call.line["actions"] == [{"name": action.name, "status": 200, "attempts": 1}]


def test_a_delivery_that_an_instance_took_is_delivered_though_the_body_stalls(
    instance: Instance,
) -> None:
    call = instance.one(stall)
    assert instance.reply.status == 202
    assert (call.line["reason"], call.line["delivery_status"]) == ("delivered", 200)
    assert len(instance.server.requests) == 1
