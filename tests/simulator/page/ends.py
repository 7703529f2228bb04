"""How calls ended, by result code: what the report's own query says of the log."""

import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.journal import Entry
from tests.simulator.report.lines import LogLine
from tests.simulator.report.queries import Traces, read_queries
from tests.support.running import Running

_QUERY = "call-ends"
# Only these lines tell of an end; the query looks at them closely.
_END = '"terminated"'
# The query does not ask when a line was written, only which one is the last.
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def end_line(entry: Entry) -> LogLine | None:
    """Return the log line of an entry if it may tell how a call ended."""
    event = entry.event
    if not isinstance(event, LogWritten):
        return None
    text = json.dumps(event.line, separators=(",", ":"))
    if _END not in text:
        return None
    at = _BEGINNING + timedelta(seconds=entry.seconds)
    return LogLine(at, logging.INFO, event.region, event.region, text)


class Ends(Running):
    """Counts while its ``with`` block runs. Safe for threads."""

    def __init__(self) -> None:
        """Plan; the tables of the report are there from ``start`` on."""
        self._text = read_queries()[_QUERY].asking()
        self._traces = Traces([])
        # DuckDB would keep memory for every thread that ever asks it.
        self._thread = ThreadPoolExecutor(1, "ends")

    def start(self, stack: ExitStack) -> None:
        """Make the report's table."""
        stack.callback(self._thread.shutdown)
        stack.enter_context(self._traces)

    def count(self, lines: Sequence[LogLine]) -> list[dict[str, Any]]:
        """Return a row for each result code and region, most calls first.

        A row has code, subcode, meaning, region, build, calls and one_call.
        """
        return self._thread.submit(self._count, lines).result()

    def _count(self, lines: Sequence[LogLine]) -> list[dict[str, Any]]:
        self._traces.replace(lines)
        return [dict(row) for row in self._traces.ask(self._text).members]
