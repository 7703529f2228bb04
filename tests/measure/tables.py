"""Write measured figures into the documents: ``python -m tests.measure.tables``.

``make bench``, ``make load``, ``make soak`` and ``make mutants`` leave their figures in
the checkout as JSON. Each table of a document that is made from one of these files
stands between two marks, ``<!-- figures: NAME -->`` and ``<!-- end of NAME -->``. This
command makes the tables anew; where a file is missing, its tables stay as they are.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.measure.bench.rows import Row
from tests.measure.load.__main__ import CONNECTIONS
from tests.measure.load.batches import MAX_MULTIPLE
from tests.measure.load.flood import (
    AT_ONCE,
    MAX_COSTLY_MULTIPLE,
    MAX_MEDIAN_MS,
    MAX_P99_MS,
)
from tests.measure.load.handlers import HUNG
from tests.measure.load.handlers import MAX_MULTIPLE as MAX_HANDLERS_MULTIPLE
from tests.measure.load.instances import MAX_MULTIPLE as MAX_INSTANCES_MULTIPLE
from tests.measure.load.soak import MAX_GROWTH, growth
from tests.measure.load.traffic import ALL
from tests.measure.mutants import settings
from tests.support.checkout import CHECKOUT

# Floods whose tokens arrive at random, from the lowest share of a row to the highest.
RANDOM_FLOODS = ((0.5, 0.8), (0.9, 0.95))


class Figure(str):
    """A cell that is measured; other cells come from the code."""

    __slots__ = ()


NOT_MEASURED = Figure("-")
NOT_WANTED = "-"
_WHEN = ("alone", "beside")
TROUBLES = "wrong replies and failed connections"


class Table(NamedTuple):
    """A table of a document; ``str()`` writes it in Markdown."""

    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def __str__(self) -> str:
        lines = [self.headings, ("---",) * len(self.headings), *self.rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Block:
    """Where a table is, the file that its figures are in, and how it is made."""

    name: str
    document: str
    file: str
    make: Callable[[Any], Table]

    def split(self, text: str) -> tuple[str, str, str]:
        """Return the text of the document before the table, the table, and the rest.

        Raises:
            ValueError: the marks are missing, or there is more than one of them.
        """
        begin = f"<!-- figures: {self.name} -->\n"
        end = f"<!-- end of {self.name} -->\n"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"{self.document} has no {begin.strip()} with its end")
        before, _, rest = text.partition(begin)
        table, _, after = rest.partition(end)
        return before + begin, table, end + after


def bench_table(data: Mapping[str, Any]) -> Table:
    """Return what a request costs; a row that was not measured gets a dash."""
    ratios = {one["name"]: Figure(f"{one['ratio']:.2f}") for one in data["bench"]}
    rows: list[tuple[str, ...]] = []
    for row in Row:
        wanted = NOT_WANTED if row.target is None else f"≤ {row.target}"
        rows.append((row.what, ratios.get(row.what, NOT_MEASURED), wanted))
    return Table(("what", "ratio", "wanted"), rows)


def load_table(data: Mapping[str, Any]) -> Table:
    """Return throughput and latency of each kind of traffic."""

    def row(traffic: str) -> tuple[str, ...]:
        seen = [figures for figures in data["load"] if figures["traffic"] == traffic]
        rates = Figure(" / ".join(f"{figures['rate']:,.0f}" for figures in seen))
        median, p99 = (
            Figure(" / ".join(_milliseconds(figures[name]) for figures in seen) + " ms")
            for name in ("p50", "p99")
        )
        return traffic, " / ".join(map(str, CONNECTIONS)), rates, median, p99

    headings = ("traffic", "at once", "replies a second", "median", "p99")
    return Table(headings, [row(traffic.name) for traffic in ALL])


def load_in_all_table(data: Mapping[str, Any]) -> Table:
    """Return what all kinds of traffic together did to the process."""
    seen = data["load"]
    first, last = seen[0]["memory_before"], seen[-1]["memory_after"]
    return Table(
        ("what", "seen", "wanted"),
        [
            (TROUBLES, Figure(f"{_troubles(seen):,}"), "0"),
            ("memory at the start", Figure(f"{first:.1f} MiB"), NOT_WANTED),
            ("memory at the end", Figure(f"{last:.1f} MiB"), NOT_WANTED),
        ],
    )


def flood_table(data: Mapping[str, Any]) -> Table:
    """Return how long honest calls take during a flood."""
    steady = [flood for flood in data["flood"] if flood["share"] is None]
    random = [flood for flood in data["flood"] if flood["share"] is not None]
    rows: list[tuple[str, ...]] = []
    for count in AT_ONCE:
        at_once = [flood for flood in steady if flood["connections"] == count]
        plain = [flood for flood in at_once if not flood["has_costly_headers"]]
        costly = [flood for flood in at_once if flood["has_costly_headers"]]
        what = f"{count} always under way"
        rows.append((what, *_flood_figures(plain), NOT_WANTED))
        medians = [flood["beside"]["median"] for flood in (*costly, *plain)]
        multiple = Figure(f"{medians[0] / medians[1]:.1f} times")
        rows.append((f"{what}, costly headers", *_flood_figures(costly), multiple))
    for low, high in RANDOM_FLOODS:
        what = f"at random, {low:.0%} to {high:.0%} of the highest rate"
        between = [flood for flood in random if low <= flood["share"] <= high]
        rows.append((what.replace("%", " %"), *_flood_figures(between), NOT_WANTED))
    limits = (f"≤ {MAX_MEDIAN_MS} ms", f"≤ {MAX_P99_MS} ms", NOT_WANTED)
    costly_limit = f"≤ {MAX_COSTLY_MULTIPLE} times"
    rows.append(("wanted while they are always under way", "-", *limits, costly_limit))
    headings = ("forged tokens", "a second", "honest median", "honest p99")
    return Table((*headings, "median against alone", "against plain tokens"), rows)


def _flood_figures(floods: Sequence[Any]) -> tuple[Figure, ...]:
    """Return rate, median and p99 of honest calls, and the median against alone."""
    beside = [flood["beside"] for flood in floods]
    multiples = sorted(f["beside"]["median"] / f["alone"]["median"] for f in floods)
    medians, longest = (
        _range([_milliseconds(time) for time in sorted(seen[name] for seen in beside)])
        for name in ("median", "p99")
    )
    return (
        Figure(_range([f"{flood['rate']:,.0f}" for flood in floods])),
        Figure(f"{medians} ms"),
        Figure(f"{longest} ms"),
        Figure(f"{_range([f'{multiple:.1f}' for multiple in multiples])} times"),
    )


def _beside(alone: float, beside: float, *, digits: int = 2) -> tuple[Figure, ...]:
    """Return the median alone, that beside something, and how many times it is."""
    times = (Figure(f"{_milliseconds(median)} ms") for median in (alone, beside))
    return (*times, Figure(f"{beside / alone:.{digits}f} times"))


def batches_table(data: Mapping[str, Any]) -> Table:
    """Return how long others wait beside the batches of one tenant."""
    seen = data["batches"]
    rows: list[tuple[str, ...]] = []
    for what, name in (
        ("an honest call of another tenant", "calls"),
        ("the health report", "health"),
    ):
        medians = (seen[f"{name}_{when}"]["median"] for when in _WHEN)
        rows.append((what, *_beside(*medians, digits=1), f"≤ {MAX_MULTIPLE:.0f} times"))
    headings = ("median of", "alone", "beside batches", "against alone", "wanted")
    return Table(headings, rows)


def handlers_table(data: Mapping[str, Any]) -> Table:
    """Return how long calls take beside handlers that wait or hang."""
    medians = (data["handlers"][when]["median"] for when in _WHEN)
    wanted = f"≤ {MAX_HANDLERS_MULTIPLE} times"
    what = f"an answer, beside {HUNG} hung handlers and one that waits"
    headings = ("median of", "alone", "beside them", "against alone", "wanted")
    return Table(headings, [(what, *_beside(*medians), wanted)])


def instances_table(data: Mapping[str, Any]) -> Table:
    """Return how long others wait beside an instance that hangs."""
    seen = data["instances"]
    rows: list[tuple[str, ...]] = []
    for what, name in (
        ("an answer", "answers"),
        ("a delivery to another instance", "deliveries"),
    ):
        medians = (seen[f"{name}_{when}"]["median"] for when in _WHEN)
        rows.append((what, *_beside(*medians), f"≤ {MAX_INSTANCES_MULTIPLE} times"))
    headings = ("median of", "alone", "beside it", "against alone", "wanted")
    return Table(headings, rows)


def soak_table(data: Mapping[str, Any]) -> Table:
    """Return what a long time of failing neighbours did."""
    segments = data["soak"]
    replies = sum(sum(segment["statuses"].values()) for segment in segments)
    warm, end = data["highest"]["memory_before"], segments[-1]["memory_after"]
    grown = growth([segment["memory_after"] for segment in segments])
    against = "memory of the last round of failures, against the first"
    return Table(
        ("what", "seen", "wanted"),
        [
            ("replies", Figure(f"{replies:,}"), NOT_WANTED),
            (TROUBLES, Figure(f"{_troubles(segments):,}"), "0"),
            ("memory after warming up", Figure(f"{warm:.1f} MiB"), NOT_WANTED),
            ("memory at the end", Figure(f"{end:.1f} MiB"), NOT_WANTED),
            (against, Figure(f"{grown:.3f}"), f"≤ {MAX_GROWTH}"),
        ],
    )


def mutants_table(data: Mapping[str, Any]) -> Table:
    """Return what became of the mutants of each module."""
    names = ("killed", "equivalent", "survived")
    scores = {score["module"]: score for score in data["mutants"]}
    rows: list[tuple[str, ...]] = []
    for module in settings.modules():
        counts = killed, equivalent, _ = [scores[module][name] for name in names]
        shares = (killed / sum(counts), killed / (sum(counts) - equivalent))
        figures = (sum(counts), *counts, *map(_percent, shares))
        rows.append((f"`{module}`", *map(Figure, figures)))
    further = ("killed, of all", "killed, of those that differ")
    return Table(("module", "mutants", *names, *further), rows)


def _troubles(runs: Iterable[Mapping[str, Any]]) -> int:
    return sum(run["wrong"] + run["errors"] for run in runs)


def _range(figures: list[str]) -> str:
    """Return the first and the last figure, or one where they are the same."""
    return " to ".join(dict.fromkeys((figures[0], figures[-1])))


def _milliseconds(time: float) -> str:
    return f"{time:.1f}" if time < 10 else f"{time:.0f}"


def _percent(share: float) -> str:
    return "100 %" if share == 1 else f"{share * 100:.1f} %"


PERFORMANCE = "docs/performance.md"
BLOCKS = (
    Block("bench", PERFORMANCE, "bench.json", bench_table),
    Block("load", PERFORMANCE, "load.json", load_table),
    Block("load in all", PERFORMANCE, "load.json", load_in_all_table),
    Block("flood", PERFORMANCE, "load.json", flood_table),
    Block("batches", PERFORMANCE, "load.json", batches_table),
    Block("handlers", PERFORMANCE, "load.json", handlers_table),
    Block("instances", PERFORMANCE, "load.json", instances_table),
    Block("soak", PERFORMANCE, "soak.json", soak_table),
    Block("soak with instances", PERFORMANCE, "soak_instances.json", soak_table),
    Block("mutants", "docs/mutants.md", "mutants.json", mutants_table),
)


def write_tables(checkout: Path) -> list[str]:
    """Make every table anew that has its figures; return the names of these."""
    written = []
    for block in BLOCKS:
        file, document = checkout / block.file, checkout / block.document
        if file.exists():
            before, _old, after = block.split(document.read_text("utf-8"))
            table = block.make(json.loads(file.read_text("utf-8")))
            document.write_text(f"{before}{table}{after}", "utf-8")
            written.append(block.name)
    return written


def main() -> int:
    """Write the tables and name them; return 1 if there are no figures at all."""
    written = write_tables(CHECKOUT)
    print(f"tables: wrote {', '.join(written) or 'nothing: no figures are here'}.")
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main())
