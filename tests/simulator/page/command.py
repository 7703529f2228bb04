"""``python -m tests.simulator world``: an environment that runs until it is stopped."""

import argparse
import signal
import socket
import sys
import threading
from typing import NoReturn

from tests.simulator.environment import World
from tests.simulator.options import (
    UNUSABLE,
    add_environment_option,
    read_environment_option,
)
from tests.simulator.page.server import PageServer

_LAST_PORT = 65535
_ENDING = (signal.SIGTERM, signal.SIGINT)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_environment_option(parser)
    parser.add_argument("--port", type=int, default=0, help="of the page; 0: any")
    parser.add_argument(
        "--traffic",
        type=float,
        default=0.0,
        metavar="N",
        help="calls per second from the start",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the world and its page until the process is stopped."""
    for number in _ENDING:
        signal.signal(number, _end)
    port = arguments.port
    if not 0 <= port <= _LAST_PORT or not _is_free(port):
        print(f"world: port {port} is not available; try another.", file=sys.stderr)
        return UNUSABLE
    file = read_environment_option(arguments)
    if file is None:
        return UNUSABLE
    codes = ", ".join(region.code for region in file.regions)
    print(f"Starting the regions of {file.name}: {codes} …", file=sys.stderr)
    with World(file) as world, PageServer(world, port=port) as page:
        if arguments.traffic > 0:
            world.start_traffic(arguments.traffic)
        print(f"The page: {page.url}  (Ctrl+C stops it)", flush=True)
        threading.Event().wait()
    return 0


def _end(*_signal: object) -> NoReturn:
    """End the process, even while regions start: their processes must not stay."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
