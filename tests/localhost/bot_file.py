"""Another file in the place of ``shared/bot.py``, for this process."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

# A bot as delivered, for what must not depend on the checkout's own.
NO_HANDLERS = Path(__file__).with_name("no_handlers.py")
_MODULE = "shared.bot"


class _WatchedLoader(SourceFileLoader):
    """Loads the file, and tells from then on what its handlers do."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the file."""
        super().exec_module(module)
        from tests.localhost.bot_watch import watch  # noqa: PLC0415 - needs the app

        watch(getattr(module, "bot", None))


class _Finder:
    """Finds the module of the bot in a file of the caller's choosing."""

    def __init__(self, file: Path, *, is_watched: bool) -> None:
        self._file = file
        self._is_watched = is_watched

    def find_spec(
        self,
        name: str,
        _path: Sequence[str] | None = None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return where the module is; None for every other one."""
        if name != _MODULE:
            return None
        kind = _WatchedLoader if self._is_watched else SourceFileLoader
        loader = kind(name, str(self._file))
        return spec_from_file_location(name, self._file, loader=loader)


def load_bot_from(file: Path, *, is_watched: bool = False) -> None:
    """Let ``import shared.bot`` load a file, before anything has imported it.

    The file is imported as the checkout's own would be, whatever is wrong with it.
    ``is_watched``: ``bot_watch`` tells what its handlers do.

    Raises:
        ValueError: there is no such file.
    """
    if not file.is_file():
        message = f"{file}: there is no such file."
        raise ValueError(message)
    sys.meta_path.insert(0, _Finder(file.resolve(), is_watched=is_watched))
