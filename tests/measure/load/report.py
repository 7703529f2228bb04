"""Print figures as they come, and write them to a file as JSON."""

from dataclasses import asdict
from pathlib import Path

from tests.measure.load.batches import ITEMS, BatchFigures
from tests.measure.load.callers import CallerFigures
from tests.measure.load.flood import FloodFigures
from tests.measure.load.handlers import HandlerFigures
from tests.measure.load.instances import InstanceFigures
from tests.measure.load.soak import Segment
from tests.measure.load.wrk import Figures
from tests.measure.machine import conditions, write_figures


def show_heading() -> None:
    """Print the conditions and the heading of the rows."""
    print(conditions())
    print(
        f"{'traffic':22}{'at once':>8}{'replies/s':>10}{'cores':>7}"
        f"{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'longest':>9}"
        f"{'MiB':>12}  by status"
    )


def show(name: str, figures: Figures, *, health: int | None = None) -> None:
    """Print a row, with everything that went wrong at its end."""
    statuses = " ".join(
        f"{status}: {count}" for status, count in sorted(figures.statuses.items())
    )
    times = (figures.p50, figures.p95, figures.p99, figures.longest)
    memory = f"{figures.memory_before:.1f}-{figures.memory_after:.1f}"
    print(
        f"{name:22}{figures.connections:8}{figures.rate:10.0f}{figures.cores:7.2f}"
        + "".join(f"{time:9.1f}" for time in times)
        + f"{memory:>12}  {statuses}{_troubles(figures, health)}",
        flush=True,
    )


def show_flood(flood: FloodFigures) -> None:
    """Print honest calls during a flood."""
    kind = f"{flood.connections} at once"
    if flood.has_costly_headers:
        kind += ", costly headers"
    if flood.share is not None:
        kind = f"{flood.share:.0%} of the highest rate"
    print(
        f"{flood.rate:5.0f} forged/s ({kind}; {flood.cores:.2f} cores):"
        f" {_honest(flood.beside)}; alone {_honest(flood.alone)}:"
        f" {flood.multiple:.1f} times{'' if flood.is_right else '  WRONG'}",
        flush=True,
    )


def show_batches(seen: BatchFigures) -> None:
    """Print calls and questions for health beside batches."""
    wrong = "" if seen.is_right else "  WRONG"
    print(f"{seen.batches.calls} batches of {ITEMS}, one always under way:{wrong}")
    for what, alone, beside in (
        ("honest calls", seen.calls_alone, seen.calls_beside),
        ("questions for health", seen.health_alone, seen.health_beside),
    ):
        print(
            f"  {beside.calls} {what}, median {beside.median:.1f} ms, alone"
            f" {alone.median:.1f}: {beside.median / alone.median:.1f} times",
            flush=True,
        )


def show_handlers(seen: HandlerFigures) -> None:
    """Print calls alone, and beside handlers that wait or hang."""
    alone, beside = seen.alone, seen.beside
    print(
        f"{seen.hung.calls} hung handlers and one that waits:"
        f" {beside.calls} calls, median {beside.median:.1f} ms, alone"
        f" {alone.median:.1f}: {beside.median / alone.median:.2f} times"
        f"{'' if seen.is_right else '  WRONG'}",
        flush=True,
    )


def show_instances(seen: InstanceFigures) -> None:
    """Print answers and deliveries alone, and beside an instance that hangs."""
    wrong = "" if seen.is_right else "  WRONG"
    print(f"{seen.hanging.calls} deliveries to an instance that hangs:{wrong}")
    for what, alone, beside in (
        ("answers", seen.answers_alone, seen.answers_beside),
        ("deliveries to another", seen.deliveries_alone, seen.deliveries_beside),
    ):
        print(
            f"  {beside.calls} {what}, median {beside.median:.1f} ms, alone"
            f" {alone.median:.1f}: {beside.median / alone.median:.2f} times",
            flush=True,
        )


def write_load(
    file: Path,
    rows: list[tuple[str, Figures]],
    floods: list[FloodFigures],
    batches: BatchFigures | None = None,
    handlers: HandlerFigures | None = None,
    instances: InstanceFigures | None = None,
) -> None:
    write_figures(
        file,
        load=[{"traffic": name, **figures._asdict()} for name, figures in rows],
        flood=[asdict(flood) for flood in floods],
        batches=None if batches is None else asdict(batches),
        handlers=None if handlers is None else asdict(handlers),
        instances=None if instances is None else asdict(instances),
    )


def write_soak(file: Path, highest: Figures, segments: list[Segment]) -> None:
    soak = [
        {"situation": situation, "health": health, **figures._asdict()}
        for situation, figures, health in segments
    ]
    write_figures(file, highest=highest._asdict(), soak=soak)


def _honest(figures: CallerFigures) -> str:
    median, p99 = f"{figures.median:.1f}", f"{figures.p99:.1f}"
    return f"{figures.calls} honest calls, median {median} ms, p99 {p99}"


def _troubles(figures: Figures, health: int | None) -> str:
    troubles = {
        "errors": figures.errors,
        f"wrong ({figures.example})": figures.wrong,
        "not redirected": figures.not_redirected,
        "tracebacks": figures.tracebacks,
        "unhealthy": health not in (None, 200),
    }
    return "".join(f"  {int(n)} {name.upper()}" for name, n in troubles.items() if n)
