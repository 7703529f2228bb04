"""Serves an ASGI app on a loopback port from a thread."""

import asyncio
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.requests import Request

from tests.support.running import Running

_START_SECONDS = 20.0
# Replies carry the date of the last look.
_DATE_SECONDS = 1.0
# As services in front of a load balancer do; uvicorn's own 5 s are short.
_KEEP_ALIVE_SECONDS = 120


class _Server(uvicorn.Server):
    """Sets ``is_listening`` once it accepts connections; ``loop`` is its own then."""

    loop: asyncio.AbstractEventLoop

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_listening = threading.Event()
        self._stopping = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn would look for it ten times a second."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _DATE_SECONDS)

    def stop(self) -> None:
        """Let it end; safe for threads."""
        self.should_exit = True
        if self.is_listening.is_set():
            with suppress(RuntimeError):  # it has ended by itself
                self.loop.call_soon_threadsafe(self._stopping.set)

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.is_listening.set()

    async def shutdown(self, sockets: Any = None) -> None:
        """Abort open connections: TLS would wait for the client to say goodbye."""
        await super().shutdown(sockets)
        loop: Any = asyncio.get_running_loop()
        # The loop also lists closed transports while something refers to them, and a
        # connection that was being accepted appears only now.
        while still_open := [
            transport
            for transport in list(loop._transports.values())
            if transport._sock is not None
        ]:
            for transport in still_open:
                transport.abort()
            await asyncio.sleep(0)


class WebServer(Running):
    """Serves an ASGI app.

    Attributes:
        host: ``address:port``, once started.
    """

    def __init__(
        self,
        app: Any,
        certificate: tuple[Path, Path] | None,
        *,
        port: int = 0,
        address: str = "127.0.0.1",
    ) -> None:
        """Serve ``app``.

        Args:
            app: an ASGI application.
            certificate: files of the chain and the key; ``None`` serves plain HTTP.
            port: 0 takes any free port.
            address: of loopback, where it listens.
        """
        chain, key = certificate or (None, None)
        self._server = _Server(
            uvicorn.Config(
                app,
                host=address,
                port=port,
                ssl_certfile=chain,
                ssl_keyfile=key,
                log_level="critical",
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._scheme = "http" if certificate is None else "https"
        self._address = address
        self.host = ""

    @property
    def url(self) -> str:
        """Scheme and host."""
        return f"{self._scheme}://{self.host}"

    def start(self, stack: ExitStack) -> None:
        """Start, and wait until it listens."""
        self._thread.start()
        stack.callback(self._stop)
        if not self._server.is_listening.wait(_START_SECONDS):
            message = "the server did not start"
            raise RuntimeError(message)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.host = f"{self._address}:{port}"

    def _stop(self) -> None:
        self._server.stop()
        self._thread.join(_START_SECONDS)

    def lose_paths(self) -> int:
        """Say nothing more on the connections that are open, and return how many.

        A load balancer or NAT that forgets a connection tells neither of its ends.
        """
        connections: list[Any] = list(self._server.server_state.connections)
        for protocol in connections:
            self._server.loop.call_soon_threadsafe(_fall_silent, protocol)
        return len(connections)

    def hang_up(self, request: Request) -> None:
        """Abort the connection of a request, so that it gets no reply."""
        client = request.client
        connections: set[Any] = self._server.server_state.connections
        for protocol in list(connections):
            if client is not None and protocol.client == (client.host, client.port):
                protocol.transport.abort()


def _fall_silent(protocol: Any) -> None:
    protocol._unset_keepalive_if_required()  # or it would say goodbye
    protocol.transport.pause_reading()
