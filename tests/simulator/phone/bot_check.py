"""Whether a bot's file can be imported, tried in a process of its own.

``python -m tests.simulator.phone.bot_check FILE`` prints what is wrong, or ``null``.
"""

import importlib
import json
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shared.bot_file import NAME, load_bot
from tests.localhost.bot_file import load_bot_from
from tests.localhost.process import bare_environment
from tests.support.checkout import CHECKOUT

_SECONDS = 20.0


class Problem(NamedTuple):
    """What is wrong with a bot's file, and at which line of it, if one is to blame."""

    type: str
    message: str
    line: int | None


def check_bot(file: Path, settings: Mapping[str, str]) -> Problem | None:
    """Import a file as the regions would, with their settings; ``None``: it is fine."""
    try:
        finished = subprocess.run(
            [sys.executable, "-m", __name__, str(file)],
            cwd=CHECKOUT,
            env={**bare_environment(), **settings},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        found = json.loads(finished.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return Problem("TimeoutError", f"no end after {_SECONDS:.0f} s", None)
    except (IndexError, ValueError):
        return Problem("SystemExit", "the import ended the process", None)
    return None if found is None else Problem(*found)


def _problem_of(file: Path) -> Problem | None:
    """Import the file in this process."""
    load_bot_from(file)
    try:
        importlib.import_module(NAME)
    except BaseException as error:  # noqa: BLE001 - whatever the file does
        return Problem(type(error).__name__, str(error), _line_of(error, file))
    problem = load_bot().problem
    return Problem("TypeError", problem, None) if problem else None


def _line_of(error: BaseException, file: Path) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno
    frames: Any = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    return lines[-1] if lines else None


if __name__ == "__main__":
    print()  # what the file prints stays on lines of its own
    print(json.dumps(_problem_of(Path(sys.argv[1]).resolve())))
