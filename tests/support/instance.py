"""One scripted instance, and calls of services that deliver to it."""

import json

from shared.core.webhook import WebhookReply
from tests.support.bot_calls import BotCall, PlaceCall
from tests.support.servers import Script, ScriptedServer


class Instance:
    """One instance, and calls that belong to it."""

    reply: WebhookReply

    def __init__(self, server: ScriptedServer, place_call: PlaceCall) -> None:
        self.server = server
        self._place_call = place_call
        self.setting = json.dumps({"a": f"{server.url}/x", "b": "https://127.0.0.1:1"})

    def place(self, **changes: str) -> BotCall:
        """Place a call of a service of its own."""
        return self._place_call(**{"CALLING_PARTITIONS": self.setting, **changes})

    def one(
        self, script: Script, *, seconds_ago: float = 0.0, **changes: str
    ) -> BotCall:
        """Deliver one follow-up; of its four seconds some have passed."""
        self.server.script = script
        call = self.place(**changes)
        self.reply = call.post(
            call.established(), partition="a", seconds_ago=seconds_ago
        )
        return call
