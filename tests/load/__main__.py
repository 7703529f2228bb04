"""``python -m tests.load load | flood | soak``: see ``make load`` and ``make soak``."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.load import report, wrk
from tests.load.flood import FloodFigures, flood
from tests.load.soak import MAX_GROWTH, growth, highest_rate, soak
from tests.load.traffic import ALL, MAX_SECONDS, settings
from tests.load.wrk import Figures, WrkMissingError
from tests.localhost.process import CHECKOUT, LocalHost
from tests.simulator.world import OutsideWorld

CONNECTIONS = (1, 4, 16, 64)
_PROBE_SECONDS = 30.0


def main() -> int:
    """Run one of the three; 0 if every reply was right and memory did not grow."""
    arguments = _read_arguments()
    try:
        wrk.require_wrk()
    except WrkMissingError as error:
        print(f"{arguments.what}: {error}", file=sys.stderr)
        return 1
    file: Path = arguments.json or CHECKOUT / f"{arguments.what}.json"
    with _deployment(answers=arguments.what == "soak") as (world, deployment, traffic):
        report.show_heading()
        if arguments.what == "soak":
            return _soak(world, deployment, traffic, arguments.minutes, file)
        rows = []
        if arguments.what == "load":
            rows = list(_load(world, deployment, traffic, arguments.seconds))
        floods = list(_flood(world, deployment, traffic, arguments.seconds))
    report.write_load(file, rows, floods)
    is_right = all(figures.is_right for _name, figures in rows)
    return 0 if is_right and all(row.is_right for row in floods) else 1


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load")
    parser.add_argument("what", choices=("load", "flood", "soak"))
    parser.add_argument("--seconds", type=float, default=60, help="of each row")
    parser.add_argument("--minutes", type=float, default=30, help="of soak")
    parser.add_argument("--json", type=Path, help="figures, by default WHAT.json")
    arguments = parser.parse_args()
    if not 0 < arguments.seconds <= MAX_SECONDS:
        parser.error(f"--seconds must be at most {MAX_SECONDS:.0f}: tokens expire")
    if arguments.minutes <= 0:
        parser.error("--minutes must be more than 0")
    return arguments


@contextmanager
def _deployment(*, answers: bool) -> Iterator[tuple[OutsideWorld, LocalHost, Path]]:
    """Start the world and one deployment; there is room for a traffic file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        OutsideWorld() as world,
        LocalHost(settings(world, answers=answers), warms_up=True) as deployment,
    ):
        yield world, deployment, Path(folder) / "traffic"


def _load(
    world: OutsideWorld, deployment: LocalHost, file: Path, seconds: float
) -> Iterator[tuple[str, Figures]]:
    """Send each kind of traffic at rising concurrency."""
    for traffic in ALL:
        for connections in CONNECTIONS:
            traffic.write(world, file)
            figures = wrk.run(
                deployment, file, connections=connections, seconds=seconds
            )
            report.show(traffic.name, figures)
            yield traffic.name, figures


def _flood(
    world: OutsideWorld, deployment: LocalHost, file: Path, seconds: float
) -> Iterator[FloodFigures]:
    for figures in flood(world, deployment, file, seconds=seconds):
        report.show_flood(figures)
        yield figures


def _soak(
    world: OutsideWorld,
    deployment: LocalHost,
    file: Path,
    minutes: float,
    report_to: Path,
) -> int:
    probe_seconds = min(_PROBE_SECONDS, minutes * 60)
    highest = highest_rate(world, deployment, file, seconds=probe_seconds)
    report.show("highest rate", highest)
    segments = []
    for segment in soak(
        world, deployment, file, rate=highest.rate / 2, minutes=minutes
    ):
        report.show(segment.weather, segment.figures, health=segment.health)
        segments.append(segment)
    report.write_soak(report_to, highest, segments)
    grown = growth(segments)
    print(f"memory of the last round: {grown:.3f} of the first")
    is_right = highest.is_right and all(segment.is_right for segment in segments)
    return 0 if is_right and grown <= MAX_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
