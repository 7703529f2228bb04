"""``python -m tests.localhost --port N``: serve function_app.py on loopback."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from tests.localhost.bot_file import load_bot_from
from tests.localhost.server import ServerOptions, serve
from tests.localhost.settings import LocalSettingsError
from tests.localhost.worker import INVOCATIONS
from tests.support.checkout import CHECKOUT


def main() -> int:
    """Read the command line and serve."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(INVOCATIONS.lets_through)
    logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(message)s")
    try:
        asyncio.run(serve(_read_options()))
    except (LocalSettingsError, OSError, ValueError, OverflowError) as error:
        print(f"localhost: {error}", file=sys.stderr)
        return 1
    return 0


def _read_options() -> ServerOptions:
    parser = argparse.ArgumentParser(prog="python -m tests.localhost")
    parser.add_argument("--port", type=int, required=True, help="0: any free port")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--certfile", type=Path, help="PEM certificate: serve TLS")
    parser.add_argument("--keyfile", type=Path, help="PEM key of the certificate")
    parser.add_argument("--app", type=Path, default=CHECKOUT, help="directory")
    parser.add_argument("--bot", type=Path, help="file in place of shared/bot.py")
    parser.add_argument(
        "--watch-bot", action="store_true", help="tell what its handlers do"
    )
    parser.add_argument("--dns", help="ask this server for names, address:port")
    parser.add_argument("--warmup", action="store_true", help="run warmup first")
    arguments = parser.parse_args()
    if (arguments.certfile is None) != (arguments.keyfile is None):
        parser.error("--certfile and --keyfile go together")
    if arguments.bot is not None:
        load_bot_from(arguments.bot, is_watched=arguments.watch_bot)
    if arguments.dns is not None:
        # It imports a whole name server's worth of modules, which few hosts need.
        from tests.localhost.names import resolve_through  # noqa: PLC0415

        resolve_through(arguments.dns)
    certificate = None
    if arguments.certfile is not None:
        certificate = (arguments.certfile, arguments.keyfile)
    return ServerOptions(
        app_directory=arguments.app.resolve(),
        host=arguments.host,
        port=arguments.port,
        certificate=certificate,
        warms_up=arguments.warmup,
    )


if __name__ == "__main__":
    sys.exit(main())
