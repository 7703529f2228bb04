"""Somebody else at a region's address: a parked page, or the wrong deployment."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulator.environment.regions import Region
from tests.simulator.services.web import WebServer


class Impostor(WebServer):
    """Listens where a region did that is stopped, with its certificate.

    Attributes:
        health: makes the reply to a question for health.
        looks: the region that asked, for each such question.
        calls: how many notifications came; each got 404.
    """

    def __init__(self, region: Region, health: Callable[[], Response]) -> None:
        """Stand in for ``region``."""
        routes = [
            Route("/api/health", self._health),
            Route("/{rest:path}", self._call, methods=["POST"]),
        ]
        super().__init__(
            Starlette(routes=routes),
            region.certificate,
            port=region.port,
            address=region.address,
        )
        self.health = health
        self.looks: list[str] = []
        self.calls = 0

    async def _health(self, request: Request) -> Response:
        self.looks.append(request.headers.get("x-calling-region", ""))
        return self.health()

    async def _call(self, _request: Request) -> Response:
        self.calls += 1
        return Response(status_code=404)
