"""Clocks that a test moves, and waiting for another thread."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SETTLE_SECONDS = 10.0


class FakeClock:
    """Monotonic seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class ShiftedTime:
    """Stands in for the module ``time``; ``shift`` seconds ahead of the real clock."""

    def __init__(self) -> None:
        self.shift = 0.0

    def time(self) -> float:
        return time.time() + self.shift

    def monotonic(self) -> float:
        return time.monotonic()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail if the block takes longer."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


def wait_until(is_true: Callable[[], bool]) -> None:
    """Wait for something that another thread or process does."""
    ends_at = time.monotonic() + SETTLE_SECONDS
    while not is_true():
        assert time.monotonic() < ends_at
        time.sleep(0.001)
