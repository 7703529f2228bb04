"""The machine of a bot: it starts, stops, forgets, and moves."""

from contextlib import ExitStack
from pathlib import Path

from tests.simulator.instances.stateful_bot import StatefulBot
from tests.simulator.services.web import WebServer
from tests.support.running import Running

HANGING_SECONDS = 30.0


class Instance(Running):
    """Serves a bot at an address, on one port.

    Attributes:
        name: of the partition.
        bot: what is served.
        address: where.
        is_up: whether anybody listens there.
    """

    def __init__(
        self,
        name: str,
        bot: StatefulBot,
        *,
        certificate: tuple[Path, Path],
        address: str,
        port: int,
    ) -> None:
        """Serve ``bot``; it starts with the ``with`` block."""
        self.name = name
        self.bot = bot
        self.address = address
        self.is_up = False
        self._certificate = certificate
        self._port = port
        self._server: WebServer

    def start(self, stack: ExitStack) -> None:
        """Listen."""
        self.start_machine()
        stack.callback(self.stop_machine)

    def start_machine(self) -> None:
        """Listen again, with the memory as it is."""
        self._server = WebServer(
            self.bot.app, self._certificate, port=self._port, address=self.address
        )
        self._server.__enter__()
        self.is_up = True

    def stop_machine(self) -> None:
        """Stop at once; connections are refused from now on."""
        if self.is_up:
            self._server.close()
            self.is_up = False

    def restart(self) -> None:
        """Stop and start; the calls are forgotten."""
        self.stop_machine()
        self.bot.calls.clear()
        self.start_machine()

    def hang(self, seconds: float = HANGING_SECONDS) -> None:
        """Reply to nobody in time."""
        self.bot.delay_seconds = seconds

    def move(self, address: str) -> None:
        """Go on at another address, with the calls; the old one is gone."""
        self.stop_machine()
        self.address = address
        self.start_machine()
