"""Instances that cost nothing: they accept everything, until they are told to fail."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulator.services.ports import free_port
from tests.simulator.services.web import WebServer
from tests.support.running import Running

_ADDRESS = "127.0.0.1"
# Longer than a delivery may take.
HANGING_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How an instance replies.

    Attributes:
        is_up: whether anybody listens.
        hangs_up: it reads the request and gives no reply.
    """

    status: int = 202
    delay_seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    is_up: bool = True
    hangs_up: bool = False


WORKS = Behaviour()
HANGS = Behaviour(delay_seconds=HANGING_SECONDS)


class LoadInstance(Running):
    """Listens on one port while it is up.

    Attributes:
        taken: how many notifications got the reply of an instance that works.
    """

    def __init__(self, certificate: tuple[Path, Path]) -> None:
        """Plan an instance that works."""
        self.taken = 0
        self._certificate = certificate
        self._port = free_port(_ADDRESS)
        self._behaviour = WORKS
        self._app = Starlette(routes=[Route("/", self._take, methods=["POST"])])
        self._server: WebServer | None = None

    @property
    def url(self) -> str:
        """Where notifications are delivered."""
        return f"https://{_ADDRESS}:{self._port}/"

    def start(self, stack: ExitStack) -> None:
        """Listen."""
        stack.callback(self._stop)
        self._listen()

    def behave(self, behaviour: Behaviour) -> None:
        """Reply like this from now on."""
        self._behaviour = behaviour
        if behaviour.is_up:
            self._listen()
        else:
            self._stop()

    def _listen(self) -> None:
        if self._server is None:
            self._server = WebServer(
                self._app, self._certificate, port=self._port, address=_ADDRESS
            )
            self._server.__enter__()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _take(self, request: Request) -> Response:
        await request.body()
        behaviour = self._behaviour
        await asyncio.sleep(behaviour.delay_seconds)
        if behaviour.hangs_up and self._server is not None:
            self._server.hang_up(request)
        self.taken += behaviour == WORKS
        return Response(status_code=behaviour.status, headers=behaviour.headers)
