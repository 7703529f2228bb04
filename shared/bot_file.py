"""Loading ``shared/bot.py``: the user's file, which may be wrong in any way."""

import importlib
import importlib.util
import traceback
from typing import NamedTuple

from shared.core.bot import Bot

NAME = "shared.bot"
_FILE = "shared/bot.py"
# Of the end of a traceback, for the log.
_MAX_TRACEBACK = 4_000


class BotFile(NamedTuple):
    """What was found in the user's file.

    Attributes:
        bot: ``None`` if the file is not usable.
        problem: why not, for the health report; empty if it is.
        traceback: of the import, for the log.
    """

    bot: Bot | None
    problem: str = ""
    traceback: str = ""


def load_bot() -> BotFile:
    """Import the user's file; whatever that does, nothing escapes."""
    try:
        module = importlib.import_module(NAME)
    except BaseException as error:  # noqa: BLE001 - SystemExit, too
        line = _line_of(error)
        where = type(error).__name__ + (f", line {line}" if line else "")
        problem = f"{_FILE}: cannot be imported ({where}): see the traceback in the log"
        return BotFile(None, problem, _traceback_of(error))
    bot = getattr(module, "bot", None)
    if not isinstance(bot, Bot):
        return BotFile(None, f"{_FILE}: must define bot = Bot().")
    return BotFile(bot)


def _line_of(error: BaseException) -> int | None:
    """Return the line of the user's file at which its import failed."""
    spec = importlib.util.find_spec(NAME)
    path = spec.origin if spec else None
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == path]
    return lines[-1] if lines else None


def _traceback_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-_MAX_TRACEBACK:]
