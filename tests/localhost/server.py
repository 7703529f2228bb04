"""The listening socket, the log and the end of the process."""

import asyncio
import contextlib
import logging
import os
import signal
import ssl
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from tests.localhost.connection import Connection
from tests.localhost.host import FunctionsHost
from tests.localhost.settings import apply_local_settings, max_body_bytes

logger = logging.getLogger("localhost")

_GRACE_SECONDS = 2.0
_BACKLOG = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """What the command line says; port 0 is any free port."""

    app_directory: Path
    host: str
    port: int
    certificate: tuple[Path, Path] | None
    warms_up: bool


async def serve(options: ServerOptions) -> None:
    """Listen, say so in one line, and serve until SIGTERM or SIGINT."""
    if not ip_address(options.host).is_loopback:
        message = f"{options.host} is not a loopback address"
        raise ValueError(message)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    front = _Front()
    server = await asyncio.start_server(
        front.accept,
        options.host,
        options.port,
        ssl=_tls(options),
        backlog=_BACKLOG,
        limit=1024 * 1024,
    )
    port = server.sockets[0].getsockname()[1]
    apply_local_settings(options.app_directory, os.environ, port=port)
    front.host = await FunctionsHost.start(options.app_directory)
    front.is_ready.set()
    if options.warms_up:
        await front.host.warm_up()
    scheme = "http" if options.certificate is None else "https"
    print(f"Listening on {scheme}://{options.host}:{port}", flush=True)
    await stopping.wait()
    server.close()
    await front.finish()
    # A thread of the app may hang in the network: nobody waits for it.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


class _Front:
    """Accepts connections, and knows those that are open."""

    def __init__(self) -> None:
        self.host: FunctionsHost | None = None
        self.is_ready = asyncio.Event()
        self._open: dict[asyncio.Task[None], Connection | None] = {}

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection; whatever goes wrong ends that connection only."""
        task = asyncio.current_task()
        if task is not None:
            self._open[task] = None
            task.add_done_callback(self._open.pop)
        try:
            await self.is_ready.wait()
            if self.host is not None:
                connection = Connection(
                    reader,
                    writer,
                    self.host.handle,
                    max_body_bytes=max_body_bytes(os.environ),
                )
                if task is not None:
                    self._open[task] = connection
                await connection.serve()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the client went away, was too slow, or the host ends
        except Exception:
            logger.exception("connection failed")
        finally:
            with contextlib.suppress(Exception):
                writer.close()

    async def finish(self) -> None:
        """End idle connections, as Kestrel does, and give requests a little time."""
        for task, connection in self._open.items():
            if connection is not None and connection.is_idle:
                task.cancel()
        if self._open:
            await asyncio.wait(self._open, timeout=_GRACE_SECONDS)


def _tls(options: ServerOptions) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*options.certificate)
    return context
