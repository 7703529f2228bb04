"""Another file in the place of ``shared/bot.py``, for this process."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

# A bot as delivered, for what must not depend on the checkout's own.
NO_HANDLERS = Path(__file__).with_name("no_handlers.py")
_MODULE = "shared.bot"


class _Finder:
    """Finds the module of the bot in a file of the caller's choosing."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def find_spec(
        self,
        name: str,
        _path: Sequence[str] | None = None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return where the module is; None for every other one."""
        return spec_from_file_location(name, self._file) if name == _MODULE else None


def load_bot_from(file: Path) -> None:
    """Let ``import shared.bot`` load a file, before anything has imported it.

    The file is imported as the checkout's own would be, whatever is wrong with it.

    Raises:
        ValueError: there is no such file.
    """
    if not file.is_file():
        message = f"{file}: there is no such file."
        raise ValueError(message)
    sys.meta_path.insert(0, _Finder(file.resolve()))
