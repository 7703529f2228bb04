"""An ASGI app on a free loopback port, in a thread, ended with its ``with`` block."""

import asyncio
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.requests import Request

_START_SECONDS = 20.0


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_listening.set()

    async def shutdown(self, sockets: Any = None) -> None:
        """Leave no connection behind: TLS would wait for the client's farewell."""
        await super().shutdown(sockets)
        loop: Any = asyncio.get_running_loop()
        # The loop knows closed ones, too, as long as anything else does; one that was
        # being accepted appears only now.
        while still_open := [
            transport
            for transport in list(loop._transports.values())
            if transport._sock is not None
        ]:
            for transport in still_open:
                transport.abort()
            await asyncio.sleep(0)


class WebServer:
    """Serves an ASGI app.

    Attributes:
        host: ``127.0.0.1:port``, once started.
    """

    def __init__(
        self, app: Any, certificate: tuple[Path, Path] | None, *, port: int = 0
    ) -> None:
        """Serve ``app``; with a certificate over TLS, else in plain HTTP.

        Args:
            app: ASGI.
            certificate: chain and key.
            port: 0 is any free one.
        """
        chain, key = certificate or (None, None)
        self._server = _Server(
            uvicorn.Config(
                app,
                host="127.0.0.1",
                port=port,
                ssl_certfile=chain,
                ssl_keyfile=key,
                log_level="critical",
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._scheme = "http" if certificate is None else "https"
        self.host = ""

    @property
    def url(self) -> str:
        """Scheme and host."""
        return f"{self._scheme}://{self.host}"

    def __enter__(self) -> Self:
        """Start and wait until it listens."""
        self._thread.start()
        if not self._server.is_listening.wait(_START_SECONDS):
            message = "the server did not start"
            raise RuntimeError(message)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.host = f"127.0.0.1:{port}"
        return self

    def hang_up(self, request: Request) -> None:
        """Break off the connection of a request, so that it gets no reply."""
        client = request.client
        connections: set[Any] = self._server.server_state.connections
        for protocol in list(connections):
            if client is not None and protocol.client == (client.host, client.port):
                protocol.transport.abort()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.should_exit = True
        self._thread.join(_START_SECONDS)
