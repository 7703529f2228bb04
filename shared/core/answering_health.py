"""Whether this process can answer calls at all: learnt from how its calls end.

Passive: nobody is asked. Three calls in a row that ended for a reason of this region
make it ``failing``, and then its health is 503 and its calls go to other regions. After
60 s without another such end it is ``unknown``, and the next call is a trial: if that
fails, too, the pause doubles, up to 480 s. One success makes it ``ok``.
"""

from typing import Literal

from shared.core.ports import Clock

type Answering = Literal["ok", "failing", "unknown"]

CALLS_IN_A_ROW = 3
FIRST_SECONDS = 60.0
LONGEST_SECONDS = 480.0


class AnsweringHealth:
    """Judges how calls ended; times are in seconds of ``clock``."""

    def __init__(self, clock: Clock) -> None:
        """Know nothing yet."""
        self._clock = clock
        self._was_ok = False
        self._failures = 0
        self._pause_seconds = FIRST_SECONDS
        self._fails_until: float | None = None

    def current(self) -> Answering:
        """Tell the state of now."""
        if self._fails_until is not None:
            return "failing" if self._clock() < self._fails_until else "unknown"
        return "ok" if self._was_ok else "unknown"

    @property
    def has_failed(self) -> bool:
        """Tell whether it was ``failing`` and nothing has succeeded since."""
        return self._fails_until is not None

    def note_success(self) -> None:
        """Take in that Graph took an answer, a reject or a redirect."""
        self._was_ok = True
        self._failures = 0
        self._fails_until = None
        self._pause_seconds = FIRST_SECONDS

    def note_failure(self) -> None:
        """Take in that a call ended for a reason of this region."""
        now = self._clock()
        if self._fails_until is None:
            self._failures += 1
            if self._failures < CALLS_IN_A_ROW:
                return
        elif now >= self._fails_until:
            # The trial has failed, too.
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_SECONDS)
        self._fails_until = now + self._pause_seconds
