"""Whether the lines of a drill's log say what the drill itself has counted.

Only calls that the drill counted are looked at: others were placed while a world came
to rest. A region that is killed takes lines with it, and calls that never reached a
region have none: so lines may tell of fewer lost calls than the drill. They may tell of
more redirects: of those whose reply came too late for the platform.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.simulator.report.lines import LogLine
from tests.simulator.report.queries import Traces, read_queries


class Comparison(NamedTuple):
    """A figure, as the drill has it and as the lines have it."""

    name: str
    drill: int
    lines: int
    is_right: bool


def compare(
    report: Mapping[str, Any], lines: Iterable[LogLine]
) -> Sequence[Comparison]:
    """Compare a drill's JSON with its log lines."""
    figures = [scenario["figures"] for scenario in report["scenarios"]]
    answered = sum(one["answered"] for one in figures)
    rejected = sum(one["rejected"] for one in figures)
    lost = sum(len(one["lost"]) for one in figures)
    redirects = sum(one["redirects"] for one in figures)
    counted = {call["call_id"] for one in figures for call in one["calls"]}
    with Traces(line for line in lines if _call_of(line) in counted) as traces:
        found = _found(traces)
    return [
        Comparison("answered", answered, found[0], answered == found[0]),
        Comparison("rejected", rejected, found[1], rejected == found[1]),
        Comparison("lost", lost, found[2], lost >= found[2]),
        Comparison("redirects", redirects, found[3], redirects <= found[3]),
    ]


def _call_of(line: LogLine) -> object:
    return json.loads(line.text).get("call_id")


def _found(traces: Traces) -> tuple[int, int, int, int]:
    queries = read_queries()
    calls = traces.ask(queries["calls"].text).members
    redirects = traces.ask(queries["redirects"].text).members
    answered, rejected, lost = (
        sum(row[name] for row in calls) for name in ("answered", "rejected", "lost")
    )
    return answered, rejected, lost, sum(row["redirects"] for row in redirects)
