"""A stateful bot behind the front door, as one on Microsoft's calling SDK would be.

It trusts nobody: it validates the platform's token itself, whether the platform posts
or the front door passes the notification on. It answers what rings with a callbackUri
of its own, and says 404 to what is not about one of its calls:
https://microsoftgraph.github.io/microsoft-graph-comms-samples/docs/articles/index.html
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulator.instances.own_graph import OwnGraph
from tests.simulator.instances.platform_tokens import PlatformTokens

PATH = "/api/calling"
_OVER = ("terminated", None)


class Received(NamedTuple):
    """A POST that a bot got.

    Attributes:
        at_seconds: when it came, by the bot's clock.
        event_id: its ``ce-id``; empty where the platform posted it.
        status: of the reply.
    """

    at_seconds: float
    body: bytes
    call_ids: tuple[str, ...]
    event_id: str
    status: int

    @property
    def is_forwarded(self) -> bool:
        """Whether the front door delivered it."""
        return bool(self.event_id)


class StatefulBot:
    """A bot, and its memory.

    Attributes:
        app: to be served over TLS.
        url: where it is; notifications of the calls that it answers come there.
        calls: those that it holds. Nothing else remembers them.
        received: every POST, in order, or the latest of them.
        taken: how many it took in all.
        delay_seconds: how long each reply takes.
    """

    def __init__(
        self,
        *,
        url: str,
        tokens: PlatformTokens,
        graph: OwnGraph | None,
        clock: Callable[[], float],
        keeps: int | None = None,
        on_taken: Callable[[], object] = lambda: None,
    ) -> None:
        """Answer calls through ``graph``; ``None``: somebody else answers them.

        Then a call is new to it when it is established. ``keeps``: how many POSTs of
        the latest are kept; ``on_taken`` is called after each.
        """
        self.app = Starlette(
            routes=[Route("/{rest:path}", self._take, methods=["POST"])]
        )
        self.url = url
        self.calls: set[str] = set()
        self.received: deque[Received] = deque(maxlen=keeps)
        self.taken = 0
        self.delay_seconds = 0.0
        self._tokens = tokens
        self._graph = graph
        self._clock = clock
        self._on_taken = on_taken

    async def _take(self, request: Request) -> Response:
        """Take a notification, and keep it whatever becomes of it."""
        at_seconds, body = self._clock(), await request.body()
        await asyncio.sleep(self.delay_seconds)
        authorization = request.headers.get("authorization", "")
        items: list[Any] = []
        if not await asyncio.to_thread(self._tokens.accepts, authorization):
            status = 401
        else:
            items = json.loads(body)["value"]
            statuses = [await self._take_item(item) for item in items]
            status = max(statuses, default=202)
        event_id = request.headers.get("ce-id", "")
        ids = tuple(map(_call_id, items))
        self.received.append(Received(at_seconds, body, ids, event_id, status))
        self.taken += status == 202
        self._on_taken()
        return Response(status_code=status)

    async def _take_item(self, item: Any) -> int:
        call_id, data = _call_id(item), item.get("resourceData")
        state = data.get("state") if isinstance(data, dict) else "other"
        if state == "incoming":
            return await self._answer(call_id, data)
        if self._graph is None and state == "establishing":
            self.calls.add(call_id)
        if call_id not in self.calls:
            return 404
        if item["changeType"] == "deleted" and state in _OVER:
            self.calls.discard(call_id)
        return 202

    async def _answer(self, call_id: str, data: Any) -> int:
        """Answer a call and hold it; what rings again is answered once."""
        if self._graph is None:
            return 404
        if call_id in self.calls:
            return 202
        self.calls.add(call_id)
        tenant_id = data["tenantId"]
        answer = self._graph.answer
        if await asyncio.to_thread(answer, call_id, tenant_id, self.url):
            return 202
        self.calls.discard(call_id)
        return 503


def _call_id(item: Any) -> str:
    """Return the call that an item is about."""
    return str(item["resourceUrl"]).split("/")[3]
