"""A relay in front of a server that can lose the path of open connections silently."""

import socket
import threading
from contextlib import ExitStack, suppress

from tests.support.running import Running


class Relay(Running):
    """Passes bytes on, both ways, on a port of its own.

    Attributes:
        connections: how many were opened.
        to_refuse: how many of the next are closed before anything passes.
    """

    def __init__(self, host: str) -> None:
        """Pass on to ``host`` (``127.0.0.1:<port>``)."""
        address, _, port = host.partition(":")
        self._target = (address, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._swallowing: set[socket.socket] = set()
        self.connections = self.to_refuse = 0
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self, stack: ExitStack) -> None:
        stack.callback(self._stop)
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self) -> None:
        """Say nothing more on the open connections, as a NAT that forgot them."""
        self._swallowing |= set(self._open)

    def _stop(self) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self.connections += 1
                if self.to_refuse:
                    self.to_refuse -= 1
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                self._open += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(
                        target=self._pass, args=(one, other), daemon=True
                    ).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if source not in self._swallowing:
                    target.sendall(data)
            if source not in self._swallowing:
                target.shutdown(socket.SHUT_WR)
