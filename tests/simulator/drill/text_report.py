"""The report as text: a line for each scenario, then failed checks and lost calls."""

from collections import Counter
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.simulator.drill.figures import CallPath, Detection, Figures, figures_of
from tests.simulator.drill.scenario import ScenarioResult

_MAX_LOST = 5


def print_report(
    console: Console, results: Sequence[ScenarioResult], *, shows_calls: bool = False
) -> None:
    """Print what a person wants to know first, and every call if ``shows_calls``."""
    console.print(_overview(results))
    console.print(_latencies(results))
    for result in results:
        figures = figures_of(result)
        _print_details(console, result, figures)
        if shows_calls:
            console.print(_calls_table("Calls", figures.calls))
    failed = [result.name for result in results if not result.is_passed]
    if failed:
        names = ", ".join(failed)
        console.print(f"[bold red]Failed: {escape(names)}.[/]")
    else:
        console.print(f"[bold green]All {len(results)} scenarios passed.[/]")


def outcome_text(result: ScenarioResult) -> str:
    """Return whether a scenario has passed, coloured for a terminal."""
    return "[green]passed[/]" if result.is_passed else "[bold red]FAILED[/]"


def _overview(results: Sequence[ScenarioResult]) -> Table:
    # Without lines between them, the columns fit into 80 characters.
    table = Table(
        title="The drill", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.add_column("scenario", no_wrap=True)
    table.add_column("result", no_wrap=True)
    for name in ("s", "calls", "rejected", "lost", "refused", "302", "hops ≤"):
        table.add_column(name, justify="right")
    for result in results:
        figures = figures_of(result)
        table.add_row(
            escape(result.name),
            outcome_text(result),
            f"{result.seconds:.0f}",
            str(len(figures.calls)),
            str(figures.rejected),
            str(len(figures.lost)),
            str(figures.refused),
            str(figures.redirects),
            str(figures.max_hops),
        )
    return table


def _latencies(results: Sequence[ScenarioResult]) -> Table:
    table = Table(title="\nLatency of answered calls, ms", title_justify="left")
    table.add_column("scenario", no_wrap=True)
    table.add_column("region")
    for name in ("calls", "median", "p95", "p99", "longest"):
        table.add_column(name, justify="right")
    for result in results:
        for latency in figures_of(result).latencies:
            seconds = (latency.median, latency.p95, latency.p99, latency.longest)
            table.add_row(
                escape(result.name),
                latency.region,
                str(latency.calls),
                *(f"{value * 1000:.0f}" for value in seconds),
            )
    return table


def _print_details(console: Console, result: ScenarioResult, figures: Figures) -> None:
    missed = [check for check in result.checks if not check.is_met]
    if not missed and not result.notes and not figures.detections:
        return
    console.print(f"\n[bold]{escape(result.title)}[/] ({escape(result.name)})")
    for check in missed:
        text = f"{check.sentence}: {check.found}"
        console.print(f"  [red]failed:[/] {escape(text)}", soft_wrap=True)
    for found in figures.detections:
        console.print(f"  {escape(detection_text(found))}", highlight=False)
    for name, value in result.notes.items():
        console.print(f"  {escape(name)}: {value}", highlight=False)
    if figures.lost:
        whys = Counter(call.why or "" for call in figures.lost)
        reasons = ", ".join(f"{why} {count}" for why, count in whys.most_common())
        title = f"{len(figures.lost)} lost ({reasons}), the last ones"
        console.print(_calls_table(title, figures.lost[-_MAX_LOST:]))


def detection_text(found: Detection) -> str:
    """Say in a sentence when a fault was noticed."""
    at = after(found.traffic_manager)
    parts = [f"{found.fault} {found.region}: Traffic Manager {at}"]
    parts += [f"{code} {after(seconds)}" for code, seconds in found.peers.items()]
    if found.last_lost is not None:
        parts.append(f"the last call lost was placed {after(found.last_lost)}")
    return ", ".join(parts)


def after(seconds: float | None) -> str:
    """Return how long after a fault something happened, in words."""
    return "never" if seconds is None else f"after {seconds:.1f} s"


def _calls_table(title: str, calls: Sequence[CallPath]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1))
    for name in ("at s", "caller", "outcome", "why", "region", "path"):
        table.add_column(name)
    for call in calls:
        table.add_row(
            f"{call.placed_at_seconds:.1f}",
            escape(call.caller),
            call.outcome,
            escape(call.why or ""),
            call.region or "",
            escape(path_text(call)),
        )
    return table


def path_text(call: CallPath) -> str:
    """Return a call's POSTs in one line: what, where, the reply, and the time taken."""
    return " → ".join(
        f"{step['what']} {step['region'] or '?'} {step['status'] or step['error']} "
        f"{step['took_seconds'] * 1000:.0f} ms"
        for step in call.steps
    )
