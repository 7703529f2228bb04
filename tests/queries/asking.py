"""Asks a query for its rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.queries.checks import Ask
from tests.simulator.report.queries import Query, Traces


def ask_of(traces: Traces, query: Query) -> Ask:
    """Return what asks ``query``, and remembers what it was told."""
    known: dict[str, Sequence[Mapping[str, Any]]] = {}

    def ask(**values: str) -> Sequence[Mapping[str, Any]]:
        text = query.asking(**values)
        if text not in known:
            known[text] = traces.ask(text).members
        return known[text]

    return ask
