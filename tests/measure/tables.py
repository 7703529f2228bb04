"""Write measured figures into the documents: ``python -m tests.measure.tables``.

``make bench``, ``make load``, ``make soak`` and ``make mutants`` leave their figures in
the checkout as JSON. Each table of a document that is made from one of these files
stands between two marks, ``<!-- figures: NAME -->`` and ``<!-- end of NAME -->``. This
command makes the tables anew; where a file is missing, its tables stay as they are.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.measure.bench import rows
from tests.measure.load.__main__ import CONNECTIONS
from tests.measure.load.flood import AT_ONCE
from tests.measure.load.soak import MAX_GROWTH, growth_of
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
TROUBLES = "wrong replies and failed connections"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a document."""

    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def __str__(self) -> str:
        """Return the table in Markdown."""
        lines = [self.headings, ("---",) * len(self.headings), *self.rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Block:
    """Where a table is, the file that its figures are in, and how it is made."""

    name: str
    document: str
    file: str
    make: Callable[[Any], Table]

    @property
    def marks(self) -> tuple[str, str]:
        """The lines before and after the table."""
        return f"<!-- figures: {self.name} -->\n", f"<!-- end of {self.name} -->\n"

    def find(self, text: str) -> tuple[int, int]:
        """Return where the table begins and ends in the text of the document.

        Raises:
            ValueError: the marks are missing, or there is more than one of them.
        """
        begin, end = self.marks
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"{self.document} has no {begin.strip()} with its end")
        return text.index(begin) + len(begin), text.index(end)

    def rewrite(self, text: str, data: object) -> str:
        """Return the text of the document with its table made anew."""
        begin, end = self.find(text)
        return text[:begin] + str(self.make(data)) + text[end:]


def bench_table(data: Mapping[str, Any]) -> Table:
    """Return what a request costs; a row that was not measured gets a dash."""
    ratios = {figure["name"]: figure["ratio"] for figure in data["bench"]}
    return Table(
        ("what", "ratio", "wanted"),
        [
            (
                row.name,
                Figure(f"{ratios[row.name]:.2f}")
                if row.name in ratios
                else NOT_MEASURED,
                NOT_WANTED if row.target is None else f"≤ {row.target}",
            )
            for row in rows.ALL
        ],
    )


def load_table(data: Mapping[str, Any]) -> Table:
    """Return throughput and latency of each kind of traffic."""

    def row(traffic: str) -> tuple[str, ...]:
        seen = [figures for figures in data["load"] if figures["traffic"] == traffic]
        return (
            traffic,
            " / ".join(map(str, CONNECTIONS)),
            Figure(_several(f"{figures['rate']:,.0f}" for figures in seen)),
            Figure(_several(_milliseconds(figures["p50"]) for figures in seen) + " ms"),
            Figure(_several(_milliseconds(figures["p99"]) for figures in seen) + " ms"),
        )

    return Table(
        ("traffic", "at once", "replies a second", "median", "p99"),
        [row(traffic.name) for traffic in ALL],
    )


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
    """Return how much longer honest calls take during a flood."""

    def row(what: str, floods: list[Any]) -> tuple[str, ...]:
        multiples = [
            flood["beside"]["median"] / flood["alone"]["median"] for flood in floods
        ]
        return (
            what,
            Figure(_range([f"{flood['rate']:,.0f}" for flood in floods])),
            Figure(
                _range([f"{multiple:.1f}" for multiple in sorted(multiples)]) + " times"
            ),
        )

    floods = data["flood"]
    steady = [
        row(
            f"{connections} always under way",
            [
                flood
                for flood in floods
                if flood["share"] is None and flood["connections"] == connections
            ],
        )
        for connections in AT_ONCE
    ]
    random = [
        row(
            f"at random, {low:.0%} to {high:.0%} of the highest rate".replace(
                "%", " %"
            ),
            [flood for flood in floods if low <= (flood["share"] or 0) <= high],
        )
        for low, high in RANDOM_FLOODS
    ]
    headings = ("forged tokens", "a second", "honest median, against alone")
    return Table(headings, [*steady, *random])


def soak_table(data: Mapping[str, Any]) -> Table:
    """Return what a long time of failing neighbours did."""
    segments = data["soak"]
    replies = sum(sum(segment["statuses"].values()) for segment in segments)
    warm, end = data["highest"]["memory_before"], segments[-1]["memory_after"]
    grown = growth_of([segment["memory_after"] for segment in segments])
    return Table(
        ("what", "seen", "wanted"),
        [
            ("replies", Figure(f"{replies:,}"), NOT_WANTED),
            (TROUBLES, Figure(f"{_troubles(segments):,}"), "0"),
            ("memory after warming up", Figure(f"{warm:.1f} MiB"), NOT_WANTED),
            ("memory at the end", Figure(f"{end:.1f} MiB"), NOT_WANTED),
            (
                "memory of the last round of failures, against the first",
                Figure(f"{grown:.3f}"),
                f"≤ {MAX_GROWTH}",
            ),
        ],
    )


def mutants_table(data: Mapping[str, Any]) -> Table:
    """Return what became of the mutants of each module."""
    scores = {score["module"]: score for score in data["mutants"]}

    def row(module: str) -> tuple[str, ...]:
        score = scores[module]
        killed, equivalent = score["killed"], score["equivalent"]
        count = killed + equivalent + score["survived"]
        counts = (count, killed, equivalent, score["survived"])
        return (
            f"`{module}`",
            *(Figure(number) for number in counts),
            Figure(_percent(killed / count)),
            Figure(_percent(killed / (count - equivalent))),
        )

    return Table(
        (
            "module",
            "mutants",
            "killed",
            "equivalent",
            "survived",
            "killed, of all",
            "killed, of those that differ",
        ),
        [row(module) for module in settings.modules()],
    )


def _troubles(runs: Iterable[Mapping[str, Any]]) -> int:
    return sum(run["wrong"] + run["errors"] for run in runs)


def _several(figures: Iterable[str]) -> str:
    return " / ".join(figures)


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
    Block("soak", PERFORMANCE, "soak.json", soak_table),
    Block("mutants", "docs/mutants.md", "mutants.json", mutants_table),
)


def write_tables(checkout: Path) -> list[str]:
    """Make every table anew that has its figures; return the names of these."""
    written = []
    for block in BLOCKS:
        file, document = checkout / block.file, checkout / block.document
        if file.exists():
            data = json.loads(file.read_text("utf-8"))
            text = document.read_text("utf-8")
            document.write_text(block.rewrite(text, data), "utf-8")
            written.append(block.name)
    return written


def main() -> int:
    """Write the tables and name them; return 1 if there are no figures at all."""
    written = write_tables(CHECKOUT)
    print(f"tables: wrote {', '.join(written) or 'nothing: no figures are here'}.")
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main())
