"""A whole service with a bot, and one call of it: what comes in, and what goes out."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from shared.calls import Event
from shared.core.webhook import WebhookReply
from shared.service import Service
from tests.simulator.platform.notifications import (
    Call,
    batch,
    established,
    incoming,
    item,
    terminated,
)
from tests.simulator.services.signing import TENANT_ID
from tests.support.servers import Request
from tests.support.service import WEBHOOK, ScriptedNeighbours

type Json = dict[str, Any]

PATH = "/v1.0/communications/calls/"


class BotCall:
    """One call of a service with a bot.

    Attributes:
        graph: what Graph was asked, as far as this call goes.
    """

    def __init__(
        self,
        neighbours: ScriptedNeighbours,
        service: Service,
        caplog: pytest.LogCaptureFixture,
        *,
        is_policy_recording: bool = False,
    ) -> None:
        self.call = Call(tenant_id=TENANT_ID, is_policy_recording=is_policy_recording)
        self.service = service
        self._neighbours = neighbours
        self._caplog = caplog
        caplog.set_level(logging.INFO, "calling")

    # --- items ------------------------------------------------------------------

    def incoming(self) -> Json:
        """An incoming call."""
        found: Json = incoming(self.call, WEBHOOK)["value"][0]
        return found

    def established(self) -> Json:
        """The call is up, with audio."""
        found: Json = established(self.call, is_audio_active=True)["value"][0]
        return found

    def tone(self, key: str = "tone1", sequence_id: int | None = 1) -> Json:
        """A key was pressed."""
        info = {"tone": key, "sequenceId": sequence_id}
        return item(self.call, "updated", "established", {"toneInfo": info})

    def transfer_failed(self) -> Json:
        """The call is back from a transfer."""
        result = {"resultInfo": {"code": 500, "subcode": 7700}}
        return item(self.call, "updated", "established", result)

    def operation(self, number: str | None = "op-1", **data: Any) -> Json:
        """An operation has ended."""
        members = {
            "@odata.type": "#microsoft.graph.playPromptOperation",
            "status": "completed",
            **({} if number is None else {"id": number}),
            **data,
        }
        path = f"/communications/calls/{self.call.call_id}/operations/"
        path += "participants" if number is None else number
        return {"changeType": "deleted", "resourceUrl": path, "resourceData": members}

    def terminated(self) -> Json:
        """The call is over."""
        found: Json = terminated(self.call)["value"][0]
        return found

    def joining(self) -> Json:
        """A participant joins (the whole body of a POST)."""
        return {
            "@odata.type": "#microsoft.graph.participantJoiningNotification",
            "call": {"@odata.type": "#microsoft.graph.call", "id": self.call.call_id},
        }

    # --- posts --------------------------------------------------------------------

    def post(self, *items: Json, **parts: Any) -> WebhookReply:
        """Post items to the callback route, or an incoming call to the webhook."""
        return asyncio.run(self.posting(*items, **parts))

    async def posting(
        self,
        *items: Json,
        body: Json | None = None,
        partition: str | None = "default",
        seconds_ago: float = 0.0,
        tenant_id: str = TENANT_ID,
    ) -> WebhookReply:
        """Do the same on the running loop; ``tenant_id`` is the token's."""
        if any(
            each.get("resourceData", {}).get("state") == "incoming" for each in items
        ):
            partition = None
        request = self._neighbours.post(
            body or batch(*items),
            token=self._neighbours.tokens.mint(tid=tenant_id),
            partition=partition,
            received_at=time.monotonic() - seconds_ago,
        )
        return await self.service.receive(request)

    @property
    def records(self) -> list[logging.LogRecord]:
        """All that was logged so far."""
        return self._caplog.records

    @property
    def line(self) -> Json:
        """The line of the last POST."""
        found: Json = json.loads(self._caplog.records[-1].message)
        return found

    @property
    def reasons(self) -> list[str]:
        """The reasons of all POSTs so far."""
        lines = [json.loads(record.message) for record in self._caplog.records]
        return [
            line["reason"] for line in lines if line["event"] == "notification.handled"
        ]

    @property
    def requests(self) -> list[Request]:
        """What Graph got about this call."""
        prefix = f"{PATH}{self.call.call_id}"
        return [
            request
            for request in self._neighbours.graph.requests
            if request.target.startswith(prefix)
        ]

    @property
    def asked(self) -> list[str]:
        """The same, as method and path below the call."""
        prefix = len(f"{PATH}{self.call.call_id}")
        return [f"{each.method} {each.target[prefix:]}" for each in self.requests]


def fail_at(_event: Event) -> None:
    """Fail, as a handler."""
    raise ValueError


def waits_for(release: threading.Event) -> Callable[[Event], None]:
    """Return a handler that hangs until something happens."""

    def wait(_event: Event) -> None:
        release.wait(60)

    return wait


type PlaceCall = Callable[..., BotCall]


def by_path(replies: Mapping[str, Any], otherwise: Any) -> Any:
    """Script a Graph that replies by the last part of the path.

    Args:
        replies: scripts by last part; that of hang_up is ``DELETE``.
        otherwise: the script for all others.
    """

    def reply(request: Request, peer: Any) -> Any:
        name = request.target.rpartition("/")[2]
        key = "DELETE" if request.method == "DELETE" else name
        return replies.get(key, otherwise)(request, peer)

    return reply
