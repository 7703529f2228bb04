"""Load and soak: ``python -m tests.measure.load WHAT``, as ``--help`` says."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.measure.load import report, wrk
from tests.measure.load import soak_instances as instances_soak
from tests.measure.load.batches import BatchFigures, beside_batches
from tests.measure.load.flood import FloodFigures, flood
from tests.measure.load.handlers import BOT, HandlerFigures, beside_handlers
from tests.measure.load.instances import INSTANCES, InstanceFigures, beside_hanging
from tests.measure.load.soak import (
    MAX_GROWTH,
    ROUND,
    growth,
    highest_rate,
    soak,
    warm_up,
)
from tests.measure.load.target import LoadTarget, open_target
from tests.measure.load.traffic import ALL, MAX_SECONDS
from tests.measure.load.wrk import Figures, WrkMissingError
from tests.support.checkout import CHECKOUT

CONNECTIONS = (1, 4, 16, 64)
_WARMING_SECONDS = 90.0
_PROBE_SECONDS = 30.0


def main() -> int:
    """Run what is wanted; return 0 if every reply was right and memory held."""
    arguments = _read_arguments()
    try:
        wrk.require_wrk()
    except WrkMissingError as error:
        print(f"{arguments.what}: {error}", file=sys.stderr)
        return 1
    name = f"{arguments.what}_instances" if arguments.instances else arguments.what
    file: Path = arguments.json or CHECKOUT / f"{name}.json"
    report.show_heading()
    if arguments.what == "soak":
        names = instances_soak.INSTANCES if arguments.instances else ()
        with open_target(answers=True, instances=names) as target:
            return _soak(target, arguments.minutes, file)
    rows, floods, batches, handlers, instances = [], [], None, None, None
    if arguments.what in {"load", "flood"}:
        with open_target(answers=False) as target:
            if arguments.what == "load":
                rows = list(_load(target, arguments.seconds))
            floods = list(_flood(target, arguments.seconds))
    if arguments.what in {"load", "batches"}:
        batches = _batches(arguments.seconds)
    if arguments.what in {"load", "handlers"}:
        handlers = _handlers(arguments.seconds)
    if arguments.what in {"load", "instances"}:
        instances = _instances(arguments.seconds)
    report.write_load(file, rows, floods, batches, handlers, instances)
    is_right = all(figures.is_right for _name, figures in rows)
    is_right = is_right and all(row.is_right for row in floods)
    others = (batches, handlers, instances)
    is_right = is_right and all(one.is_right for one in others if one)
    return 0 if is_right else 1


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.measure.load")
    parser.add_argument(
        "what",
        choices=("load", "flood", "batches", "handlers", "instances", "soak"),
    )
    parser.add_argument("--seconds", type=float, default=60, help="of each row")
    parser.add_argument("--minutes", type=float, default=30, help="length of the soak")
    parser.add_argument(
        "--instances", action="store_true", help="that fail in turn, in the soak"
    )
    parser.add_argument("--json", type=Path, help="for figures, by default WHAT.json")
    arguments = parser.parse_args()
    if not 0 < arguments.seconds <= MAX_SECONDS:
        parser.error(f"--seconds must be at most {MAX_SECONDS:.0f}: tokens expire")
    if arguments.minutes <= 0:
        parser.error("--minutes must be more than 0")
    return arguments


def _load(target: LoadTarget, seconds: float) -> Iterator[tuple[str, Figures]]:
    """Send each kind of traffic with 1, 4, 16 and 64 requests at once."""
    for traffic in ALL:
        for connections in CONNECTIONS:
            traffic.write(target)
            figures = wrk.run(target, connections=connections, seconds=seconds)
            report.show(traffic.name, figures)
            yield traffic.name, figures


def _flood(target: LoadTarget, seconds: float) -> Iterator[FloodFigures]:
    for figures in flood(target, seconds=seconds):
        report.show_flood(figures)
        yield figures


def _batches(seconds: float) -> BatchFigures:
    with open_target(answers=True) as target:
        seen = beside_batches(target, seconds=seconds)
    report.show_batches(seen)
    return seen


def _handlers(seconds: float) -> HandlerFigures:
    with (
        open_target(answers=True, bot=BOT) as alone,
        open_target(answers=True, bot=BOT) as beside,
    ):
        seen = beside_handlers(alone, beside, seconds=seconds)
    report.show_handlers(seen)
    return seen


def _instances(seconds: float) -> InstanceFigures:
    with (
        open_target(answers=True, instances=INSTANCES) as alone,
        open_target(answers=True, instances=INSTANCES) as beside,
    ):
        seen = beside_hanging(alone, beside, seconds=seconds)
    report.show_instances(seen)
    return seen


def _soak(target: LoadTarget, minutes: float, report_to: Path) -> int:
    warming = warm_up(target, seconds=min(_WARMING_SECONDS, minutes * 60))
    report.show("warming up", warming)
    is_warm = warming.is_right
    situations = ROUND
    if target.instances:
        situations = instances_soak.ROUND
        warming = instances_soak.warm_up_deliveries(
            target, seconds=min(_PROBE_SECONDS, minutes * 60)
        )
        report.show("warming up deliveries", warming)
        is_warm = is_warm and warming.is_right
    highest = highest_rate(
        target, situations[0].traffic, seconds=min(_PROBE_SECONDS, minutes * 60)
    )
    report.show("highest rate", highest)
    segments = []
    for segment in soak(target, situations, rate=highest.rate / 2, minutes=minutes):
        report.show(segment.situation, segment.figures, health=segment.health)
        segments.append(segment)
    report.write_soak(report_to, highest, segments)
    grown = growth([segment.figures.memory_after for segment in segments])
    print(f"memory of the last round: {grown:.3f} of the first")
    is_right = is_warm and highest.is_right
    is_right = is_right and all(segment.is_right for segment in segments)
    return 0 if is_right and grown <= MAX_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
