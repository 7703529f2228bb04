"""Looks whether somebody saves the bot's file, and restarts the regions with it."""

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.simulator.phone.bot_check import check_bot
from tests.simulator.phone.events import BotFileChanged
from tests.simulator.platform.journal import Event
from tests.support.checkout import CHECKOUT
from tests.support.running import Running

_LOOK_SECONDS = 0.3


class BotWatch(Running):
    """Watches one file, from a thread, while its ``with`` block runs.

    Attributes:
        last: what was told of the file last.
    """

    def __init__(
        self,
        file: Path,
        *,
        settings: Callable[[], Mapping[str, str]],
        restart: Callable[[], object],
        tell: Callable[[Event], object],
    ) -> None:
        """Check the file with ``settings``, then ``restart`` the regions."""
        self.file = file
        self.last = BotFileChanged(file=shown(file), state="running")
        self._settings = settings
        self._restart = restart
        self._tell = tell
        self._stamp = _stamp_of(file)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self, stack: ExitStack) -> None:
        """Start to look."""
        self._thread.start()
        stack.callback(self._thread.join)
        stack.callback(self._stopping.set)

    def _look(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            stamp = _stamp_of(self.file)
            if stamp is not None and stamp != self._stamp:
                self._stamp = stamp
                self._load()

    def _load(self) -> None:
        problem = check_bot(self.file, self._settings())
        if problem is not None:
            self._say("broken", problem._asdict())
            return
        self._say("restarting")
        self._restart()
        self._say("running")

    def _say(self, state: str, problem: Mapping[str, object] | None = None) -> None:
        self.last = BotFileChanged(file=shown(self.file), state=state, problem=problem)
        self._tell(self.last)


def shown(file: Path) -> str:
    """Return a path as people know it: below the checkout, if it is there."""
    try:
        return file.resolve().relative_to(CHECKOUT).as_posix()
    except ValueError:
        return str(file)


def _stamp_of(file: Path) -> tuple[int, int] | None:
    """Return what changes when a file is saved; ``None``: it is not there now."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
