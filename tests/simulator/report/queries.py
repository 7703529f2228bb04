"""The queries of infra/queries, and a table of log lines to run them over.

duckdb-kql runs Kusto queries on DuckDB. It refuses what it cannot translate.
"""

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import duckdb_kql

from tests.simulator.report.lines import LogLine
from tests.support.checkout import CHECKOUT
from tests.support.running import Running

QUERIES = CHECKOUT / "infra" / "queries"
# Of the table, as Application Insights has it; the columns that queries need.
# https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces
_COLUMNS = """timestamp TIMESTAMP, message VARCHAR, severityLevel INTEGER,
  itemCount INTEGER, cloud_RoleName VARCHAR, cloud_RoleInstance VARCHAR"""
_SEVERITIES = {logging.INFO: 1, logging.WARNING: 2, logging.ERROR: 3}


class Query(NamedTuple):
    """A query: its name (the file without suffix), its question, its text."""

    name: str
    question: str
    text: str

    def asking(self, **values: str) -> str:
        """Return its text with values for ``let wanted_… = "";``."""
        text = self.text
        for name, value in values.items():
            declared = f'let wanted_{name} = "";'
            text = text.replace(declared, f"let wanted_{name} = {json.dumps(value)};")
        return text


class Answer(NamedTuple):
    """What a query found."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    @property
    def members(self) -> list[Mapping[str, Any]]:
        """The rows, by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def read_queries(folder: Path = QUERIES) -> dict[str, Query]:
    """Return the queries of a folder by name, in the order of their names."""
    return {
        path.stem: read_query(path.stem, path.read_text("utf-8"))
        for path in sorted(folder.glob("*.kql"))
    }


def read_query(name: str, text: str) -> Query:
    """Return a query; its first line is a comment that says the question."""
    first = re.match(r"// (.+)\n", text)
    return Query(name, first[1] if first else "", text)


class Traces(Running):
    """The table ``traces`` with some log lines."""

    def __init__(self, lines: Iterable[LogLine]) -> None:
        """Put ``lines`` into the table."""
        self._lines = list(lines)

    def start(self, stack: ExitStack) -> None:
        """Make the table."""
        self._connection = stack.enter_context(duckdb_kql.connect())
        self._connection.execute("SET TimeZone = 'UTC'")
        # Threads cost more here than they save.
        self._connection.execute("SET threads = 1")
        self.replace(self._lines)

    def replace(self, lines: Sequence[LogLine]) -> None:
        """Put other lines into the table: cheaper than a table anew."""
        self._connection.execute(f"CREATE OR REPLACE TABLE traces ({_COLUMNS})")
        if lines:
            columns = list(map(list, zip(*map(_row, lines), strict=True)))
            values = ", ".join(["unnest(?)"] * len(columns))
            self._connection.execute(f"INSERT INTO traces SELECT {values}", columns)

    def ask(self, text: str) -> Answer:
        """Run a query. Raises ``duckdb_kql.KqlError`` if it cannot be run."""
        found = self._connection.sql(_translate(text))
        return Answer(found.columns, found.fetchall())


@cache
def _translate(text: str) -> str:
    columns = [column.split()[0] for column in _COLUMNS.split(",")]
    return str(duckdb_kql.to_sql(text, schema={"traces": columns}))


def _row(line: LogLine) -> tuple[object, ...]:
    at = line.at.astimezone(UTC).replace(tzinfo=None)
    return (at, line.text, _SEVERITIES[line.level], 1, line.app, line.process)
