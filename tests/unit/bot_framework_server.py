"""A bot's server whose tokens are judged by Microsoft's SDK for Python.

It runs in the environment of the tools and imports nothing of this project. Arguments:
the platform's OpenID configuration, the bot's application ID, and files of a chain and
a key. It prints its port, then the status of each reply, and ends with its input.
"""

import asyncio
import importlib
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CONFIGURATION, APP_ID, CHAIN, KEY = sys.argv[1:]
_SDK: Any = importlib.import_module("botframework.connector.auth")


class Bot(BaseHTTPRequestHandler):
    """Accepts what the SDK finds genuine."""

    def do_POST(self) -> None:
        """Read a notification, and reply as a bot on the SDK does."""
        self.rfile.read(int(self.headers["Content-Length"]))
        status = 202 if self._is_genuine() else 401
        print(status, flush=True)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _is_genuine(self) -> bool:
        validated = _SDK.JwtTokenValidation.validate_auth_header(
            self.headers["Authorization"],
            _SDK.SimpleCredentialProvider(APP_ID, ""),
            "",
            "msteams",
        )
        try:
            return bool(asyncio.run(validated))
        except Exception as error:  # noqa: BLE001 - it raises what it likes
            print(type(error).__name__, error, file=sys.stderr, flush=True)
            return False

    def log_message(self, *_arguments: object) -> None:
        """Print nothing else."""


if __name__ == "__main__":
    # The SDK's own setting: the keys of chats are elsewhere.
    _SDK.ChannelValidation.open_id_metadata_endpoint = CONFIGURATION
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bot)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CHAIN, KEY)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
