"""The page's server, on loopback, for as long as its ``with`` block."""

from contextlib import ExitStack

from tests.simulator.instances.regional import RegionalInstances
from tests.simulator.page.app import Page
from tests.simulator.page.feed import Feed
from tests.simulator.page.port import ShownEnvironment
from tests.simulator.phone.phone import Phone
from tests.simulator.services.web import WebServer
from tests.support.running import Running


class PageServer(Running):
    """Serves the page of an environment in plain HTTP, on 127.0.0.1 only."""

    def __init__(
        self,
        environment: ShownEnvironment,
        *,
        port: int = 0,
        phone: Phone | None = None,
        instances: RegionalInstances | None = None,
    ) -> None:
        """Show ``environment``, and a phone and instances if there are any.

        ``port`` 0 is any free one.
        """
        regions = environment.snapshot()["regions"]
        hosts = {region["host"]: region["code"] for region in regions}
        clients = {c.address: c.city for c in environment.callers.values()}
        clients |= {region["address"]: region["code"] for region in regions}
        self._feed = Feed(
            environment.journal, region_of_host=hosts, name_of_client=clients
        )
        self._page = Page(environment, self._feed, phone, instances)
        self._server = WebServer(self._page.app(), None, port=port)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"{self._server.url}/"

    def start(self, stack: ExitStack) -> None:
        """Start the server and the feed.

        The feed stops first, which ends the event streams; the server would wait for
        them.
        """
        stack.enter_context(self._page.ends)
        stack.enter_context(self._server)
        stack.enter_context(self._feed)
