"""``python -m tests.simulator world``: an environment that runs until it is stopped."""

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from tests.simulator.environment import World, WorldOptions
from tests.simulator.environment.own_variables import own_variables
from tests.simulator.instances.regional import RegionalInstances
from tests.simulator.instances.ways import Way, way_of
from tests.simulator.options import (
    UNUSABLE,
    add_environment_option,
    read_environment_option,
)
from tests.simulator.page.server import PageServer
from tests.simulator.phone.bot_check import check_bot
from tests.simulator.phone.bot_watch import shown
from tests.simulator.phone.phone import Phone
from tests.support.checkout import CHECKOUT

OWN_BOT = CHECKOUT / "shared" / "bot.py"
_LAST_PORT = 65535
_ENDING = (signal.SIGTERM, signal.SIGINT)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_environment_option(parser)
    parser.add_argument(
        "--bot",
        type=Path,
        default=OWN_BOT,
        help="file with the bot that takes the calls (default: shared/bot.py)",
    )
    parser.add_argument("--port", type=int, default=0, help="of the page; 0: any")
    parser.add_argument(
        "--traffic",
        type=float,
        default=0.0,
        metavar="N",
        help="calls per second from the start",
    )
    parser.add_argument(
        "--instances",
        choices=[*Way],
        type=Way,
        help="stateful instances in each region, and how events reach them "
        "(default: as the environment file says); the page can change it",
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
    bot = arguments.bot.resolve()
    variables = own_variables(os.environ)
    if (problem := _problem_of(bot, variables)) is not None:
        print(f"world: {problem}", file=sys.stderr)
        return UNUSABLE
    codes = ", ".join(region.code for region in file.regions)
    print(f"Starting the regions of {file.name}: {codes} …", file=sys.stderr)
    way = arguments.instances or way_of(file)
    with (
        World(file, WorldOptions(bot=bot, variables=variables)) as world,
        RegionalInstances(world, way) as instances,
        Phone(world, bot) as phone,
        PageServer(world, port=port, phone=phone, instances=instances) as page,
    ):
        if arguments.traffic > 0:
            world.start_traffic(arguments.traffic)
        print(f"The page: {page.url}  (Ctrl+C stops it)", flush=True)
        threading.Event().wait()
    return 0


def _problem_of(bot: Path, variables: Mapping[str, str]) -> str | None:
    """Say in a sentence why a bot's file cannot be used; None: it can."""
    if not bot.is_file():
        return f"{bot}: there is no such file."
    problem = check_bot(bot, variables)
    if problem is None:
        return None
    line = "" if problem.line is None else f", line {problem.line}"
    return f"{shown(bot)}{line}: {problem.type}: {problem.message}"


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
