"""``python -m tests.simulator drill``: run scenarios and report."""

import argparse
import json
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from tests.simulator.drill.html_report import to_html
from tests.simulator.drill.json_report import to_json
from tests.simulator.drill.runner import Drill, Progress
from tests.simulator.drill.scenarios import SCENARIOS
from tests.simulator.drill.text_report import outcome_text, print_report
from tests.simulator.options import (
    UNUSABLE,
    add_environment_option,
    read_environment_option,
)
from tests.support.running import Running

INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("name", nargs="*", help="scenarios (default: all of them)")
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write log lines")
    parser.add_argument("--calls", action="store_true", help="print every call")
    add_environment_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run; 0 if all scenarios passed, 1 if not, 2 if an argument cannot be used."""
    console = Console()
    if arguments.list:
        for name, scenario in SCENARIOS.items():
            console.print(f"[bold]{name}[/]  {escape(scenario.explanation)}")
        return 0
    unknown = [name for name in arguments.name if name not in SCENARIOS]
    if unknown:
        print(f"drill: there is no scenario {', '.join(unknown)}", file=sys.stderr)
        return UNUSABLE
    if read_environment_option(arguments) is None:
        return UNUSABLE
    names = list(dict.fromkeys(arguments.name)) or list(SCENARIOS)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started_at = time.monotonic()
    with _Board(console, names) as board:
        drill = Drill(names, arguments.environment, board.show, arguments.log)
        try:
            results = drill.run()
        except KeyboardInterrupt:
            print("drill: interrupted", file=sys.stderr)
            return INTERRUPTED
    print_report(console, results, shows_calls=arguments.calls)
    report = to_json(
        results,
        environment=arguments.environment.stem,
        seconds=time.monotonic() - started_at,
    )
    if arguments.json:
        text = json.dumps(report, separators=(",", ":"))
        arguments.json.write_text(f"{text}\n", "utf-8")
    if arguments.html:
        arguments.html.write_text(to_html(report), "utf-8")
    return 0 if report["isPassed"] else 1


class _Board(Running):
    """Shows what each scenario is doing: a live table on a terminal, else lines."""

    def __init__(self, console: Console, names: list[str]) -> None:
        self._console = console
        self._states = dict.fromkeys(names, "waiting")
        self._live = Live(console=console, transient=True, auto_refresh=False)

    def start(self, stack: ExitStack) -> None:
        if self._console.is_terminal:
            stack.enter_context(self._live)

    def show(self, progress: Progress) -> None:
        state, result = progress.state, progress.result
        if result is not None:
            state = f"{outcome_text(result)} in {result.seconds:.0f} s"
        self._states[progress.name] = state
        if self._console.is_terminal:
            table = Table("scenario", "state", box=None)
            for name, text in self._states.items():
                table.add_row(name, text)
            self._live.update(table, refresh=True)
        else:
            self._console.print(f"{progress.name}: {state}", highlight=False)
