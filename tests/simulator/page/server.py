"""The page's server, on loopback, as long as its ``with`` block."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tests.simulator.page.app import Page
from tests.simulator.page.feed import Feed
from tests.simulator.page.port import PageWorld
from tests.simulator.services.web import WebServer


class PageServer:
    """Serves the page of a world in plain HTTP, on 127.0.0.1 and nowhere else."""

    def __init__(self, world: PageWorld, *, port: int = 0) -> None:
        """Show ``world``; ``port`` 0 is any free one."""
        regions = world.snapshot()["regions"]
        hosts = {region["host"]: region["code"] for region in regions}
        askers = {c.address: c.city for c in world.callers.values()}
        askers |= {region["address"]: region["code"] for region in regions}
        self._feed = Feed(world.journal, region_of_host=hosts, name_of_asker=askers)
        self._server = WebServer(Page(world, self._feed).app(), None, port=port)
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self._server.url}/"

    def __enter__(self) -> Self:
        """Start."""
        self._stack.enter_context(self._server)
        self._stack.enter_context(self._feed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop: first the streams, so that none keeps the server."""
        self._stack.close()
