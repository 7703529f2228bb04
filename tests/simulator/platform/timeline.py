"""Virtual time: what happens later in a call, in order, without waiting for it."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count


@dataclass(slots=True, order=True)
class Planned:
    """Something that will happen; ``cancel`` and it will not."""

    at_seconds: float
    number: int
    happen: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Let it not happen; harmless if it has."""
        self.happen = None


class Timeline:
    """A clock that jumps to the next thing that is planned. Not safe for threads.

    Attributes:
        now_seconds: since the beginning.
    """

    def __init__(self) -> None:
        """Start at 0."""
        self.now_seconds = 0.0
        self._planned: list[Planned] = []
        self._numbers = count()

    def after(self, seconds: float, happen: Callable[[], None]) -> Planned:
        """Plan something; what is planned for the same time keeps its order."""
        at_seconds = self.now_seconds + seconds
        planned = Planned(at_seconds, next(self._numbers), happen)
        heapq.heappush(self._planned, planned)
        return planned

    @property
    def next_seconds(self) -> float | None:
        """When the next thing happens; None: nothing will."""
        while self._planned and self._planned[0].happen is None:
            heapq.heappop(self._planned)
        return self._planned[0].at_seconds if self._planned else None

    @property
    def is_due(self) -> bool:
        """Whether something happens now."""
        next_seconds = self.next_seconds
        return next_seconds is not None and next_seconds <= self.now_seconds

    def run_next(self) -> None:
        """Jump to the next thing and let it happen."""
        if (next_seconds := self.next_seconds) is None:
            return
        self.now_seconds = max(self.now_seconds, next_seconds)
        happen = heapq.heappop(self._planned).happen
        if happen is not None:
            happen()
