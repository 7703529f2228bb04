"""What the commands that run or explain an environment have in common."""

import argparse
import sys
from pathlib import Path

from infra.environment import Environment, EnvironmentFileError
from tests.support.checkout import CHECKOUT

DEFAULT_FILE = CHECKOUT / "infra" / "params" / "prod.json"
# The exit status of a command that got something unusable.
UNUSABLE = 2


def add_environment_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--environment``; ``infra/params/prod.json`` if not given."""
    parser.add_argument(
        "--environment",
        type=Path,
        default=DEFAULT_FILE,
        metavar="FILE",
        help="description of an environment (default: infra/params/prod.json)",
    )


def read_environment_option(arguments: argparse.Namespace) -> Environment | None:
    """Return the environment; None, with a message, if the file cannot be used."""
    try:
        return Environment.read(arguments.environment)
    except EnvironmentFileError as error:
        print(error, file=sys.stderr)
        return None
