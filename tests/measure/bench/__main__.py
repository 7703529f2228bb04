"""Print all figures as a table and write them to bench.json.

Each group runs in its own process, because the worker library holds one app a process.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.measure.bench.timing import Measurement
from tests.measure.machine import write_figures
from tests.support.checkout import CHECKOUT
from tests.support.processes import output_of

GROUPS = (
    *("requests", "rules", "import", "answers", "events", "deliveries", "first_reply"),
)


def main() -> int:
    """Measure everything and write bench.json, or print one group as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.measure.bench")
    parser.add_argument("--group", choices=GROUPS, help="one group, as JSON")
    arguments = parser.parse_args()
    if arguments.group:
        module = importlib.import_module(f"tests.measure.bench.{arguments.group}_cost")
        print(json.dumps([figure._asdict() for figure in module.measure()]))
        return 0
    figures = [figure for group in GROUPS for figure in _run(group)]
    _show(figures)
    write(CHECKOUT / "bench.json", figures)
    return 0


def write(file: Path, figures: list[Measurement]) -> None:
    write_figures(file, bench=[figure._asdict() for figure in figures])


def _run(group: str) -> list[Measurement]:
    command = (sys.executable, "-m", "tests.measure.bench", "--group", group)
    return [Measurement(**figure) for figure in json.loads(output_of(*command))]


def _show(figures: list[Measurement]) -> None:
    table = Table("what", "ratio", "target", box=None)
    for figure in figures:
        target = "" if figure.target is None else f"≤ {figure.target:.2f}"
        is_met = figure.target is None or figure.ratio <= figure.target
        colour = "green" if is_met else "yellow"
        table.add_row(figure.name, f"[{colour}]{figure.ratio:.2f}[/]", target)
    Console(soft_wrap=True).print(table)


if __name__ == "__main__":
    sys.exit(main())
