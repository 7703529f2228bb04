"""Few lines for many refusals, so that a flood of strangers does not fill the log.

Of each reason ten refusals a second have a line each. What comes beyond them waits, and
is logged in one line a second, with ``count``. ``unexpected-error``, a defect of ours
that any token may meet, has ten lines a minute.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from shared.core.reasons import Reason

MAX_LINES = 10
_PERIOD_SECONDS = 1.0
_PERIODS_SECONDS = {Reason.UNEXPECTED_ERROR: 60.0}


class RefusalLine(NamedTuple):
    """What is logged about one refusal, or about all that waited with it."""

    level: int
    fields: Mapping[str, object]


class _Limit:
    """How many lines refusals of one reason may have."""

    def __init__(self, period_seconds: float) -> None:
        self._period_seconds = period_seconds
        self._logged_at: deque[float] = deque(maxlen=MAX_LINES)
        self._is_flood = False
        self.waiting = 0

    def take(self, now: float) -> int:
        """Return how many refusals a line stands for now; 0: none may be logged yet."""
        if not self._may_log(now):
            return 0
        count, self.waiting = self.waiting, 0
        self._is_flood = count > MAX_LINES
        self._logged_at.append(now)
        return count

    def _may_log(self, now: float) -> bool:
        logged_at, period = self._logged_at, self._period_seconds
        if self._is_flood or self.waiting > 1:
            return now - logged_at[-1] >= period
        return len(logged_at) < MAX_LINES or now - logged_at[0] >= period


class RefusalLines:
    """The refusals that have no line yet. For one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Limit by ``clock`` (monotonic seconds)."""
        self._clock = clock
        self._limits: dict[Reason, _Limit] = {}
        self._waiting: dict[Reason, RefusalLine] = {}

    def add(self, reason: Reason, line: RefusalLine) -> None:
        """Add a refusal. Where several wait, the line of the last is logged."""
        if reason not in self._limits:
            period_seconds = _PERIODS_SECONDS.get(reason, _PERIOD_SECONDS)
            self._limits[reason] = _Limit(period_seconds)
        self._limits[reason].waiting += 1
        self._waiting[reason] = line

    def due(self) -> Iterator[RefusalLine]:
        """Yield the lines that are to be logged now."""
        if not self._waiting:
            return
        now = self._clock()
        for reason, (level, fields) in list(self._waiting.items()):
            count = self._limits[reason].take(now)
            if count:
                del self._waiting[reason]
                counted = {**fields, "count": count} if count > 1 else fields
                yield RefusalLine(level, counted)
