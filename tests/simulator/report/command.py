"""``python -m tests.simulator report``: the operators' tables, from a log."""

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from tests.simulator.options import UNUSABLE
from tests.simulator.report.agreement import compare
from tests.simulator.report.lines import LogLine, read_lines
from tests.simulator.report.queries import Answer, Query, Traces, read_queries

_ONE_CALL = "one-call"
_MAX_COLUMNS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("log", type=Path, help="a file of log lines; - reads stdin")
    parser.add_argument("name", nargs="*", help="queries (default: all of them)")
    parser.add_argument("--build", default="", help="only lines of this build")
    parser.add_argument("--call", default="", metavar="ID", help="of a call or chain")
    parser.add_argument(
        "--drill", type=Path, metavar="FILE", help="compare with the JSON of a drill"
    )
    parser.add_argument("--list", action="store_true", help="list the queries")


def run(arguments: argparse.Namespace) -> int:
    """Print the tables; 2 if an argument cannot be used, 1 if a drill disagrees."""
    console, queries = Console(), read_queries()
    if arguments.list:
        for query in queries.values():
            console.print(f"[bold]{query.name}[/]  {query.question}", highlight=False)
        return 0
    names = _names(arguments, queries)
    unknown = [name for name in names if name not in queries]
    if unknown:
        print(f"report: there is no query {', '.join(unknown)}", file=sys.stderr)
        return UNUSABLE
    try:
        lines = list(read_lines(_read(arguments.log).splitlines()))
    except OSError as error:
        print(f"report: {arguments.log}: {error.strerror}", file=sys.stderr)
        return UNUSABLE
    console.print(f"{len(lines)} lines of the log.\n", highlight=False)
    if arguments.drill:
        return _agree(console, arguments.drill, lines)
    with Traces(lines) as traces:
        for name in names:
            text = queries[name].asking(build=arguments.build, call=arguments.call)
            show(console, queries[name], traces.ask(text))
    return 0


def _agree(console: Console, drill: Path, lines: list[LogLine]) -> int:
    """Print a drill's figures beside those of the lines; 1 if they disagree."""
    found = compare(json.loads(drill.read_text("utf-8")), lines)
    table = Table("figure", "drill", "lines", "", box=None)
    for one in found:
        verdict = "agree" if one.is_right else "DISAGREE"
        table.add_row(one.name, str(one.drill), str(one.lines), verdict)
    console.print(table)
    return 0 if all(one.is_right for one in found) else 1


def _names(arguments: argparse.Namespace, queries: dict[str, Query]) -> list[str]:
    if arguments.name:
        return list(dict.fromkeys(arguments.name))
    if arguments.call:
        return [_ONE_CALL]
    return [name for name in queries if name != _ONE_CALL]


def _read(path: Path) -> str:
    if str(path) == "-":
        return sys.stdin.read()
    return path.read_text("utf-8", errors="replace")


def show(console: Console, query: Query, answer: Answer) -> None:
    """Print a query's question and what it found; columns without a value go."""
    console.print(
        f"[bold]{query.question}[/]  {query.name}.kql", highlight=False, soft_wrap=True
    )
    if not answer.rows:
        console.print("  nothing\n")
        return
    filled = [
        place
        for place in range(len(answer.columns))
        if any(row[place] not in {None, "", "[]"} for row in answer.rows)
    ]
    table = Table(*(answer.columns[place] for place in filled), box=None)
    for row in answer.rows:
        table.add_row(*(_text(row[place]) for place in filled))
    _print_wide(console, table)
    console.print()


def _print_wide(console: Console, table: Table) -> None:
    """Print each row as one line, however long: the terminal may wrap it."""
    unlimited = console.options.update(width=_MAX_COLUMNS)
    width = Measurement.get(console, unlimited, table).maximum
    Console(width=max(console.width, width)).print(table)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%m-%d %H:%M:%S.%f")[:-3]
    return "" if value is None else str(value)
