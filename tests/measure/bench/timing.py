"""Interleaved rounds and their medians."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Self

from tests.measure.bench.rows import Row


class Measurement(NamedTuple):
    """The figure of one row: a ratio to the floor of the same rounds."""

    name: str
    ratio: float
    target: float | None
    microseconds: float
    floor_microseconds: float

    @classmethod
    def of(cls, row: Row, *, piece: list[float], floor: list[float]) -> Self:
        """Take the median of the rounds' ratios; times are in microseconds."""
        ratios = [mine / theirs for mine, theirs in zip(piece, floor, strict=True)]
        return cls(
            name=row.what,
            ratio=statistics.median(ratios),
            target=row.target,
            microseconds=statistics.median(piece),
            floor_microseconds=statistics.median(floor),
        )


def interleaved(
    rounds: int, calls: int, pieces: Mapping[str, Callable[[], object]]
) -> dict[str, list[float]]:
    """Time each piece once a round, in turn; return microseconds per call by piece."""
    times: dict[str, list[float]] = {name: [] for name in pieces}
    for _ in range(rounds):
        for name, piece in pieces.items():
            gc.collect()
            started_at = time.perf_counter()
            piece()
            times[name].append((time.perf_counter() - started_at) / calls * 1e6)
    return times
