"""What the tests of queries share: the lines of calls that were really placed."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.queries.play_bots import play_bots
from tests.queries.play_instances import play_deliveries, play_failing_process
from tests.queries.play_regions import play_regions
from tests.queries.played import Own, Played
from tests.simulator.report.lines import LogLine
from tests.simulator.report.queries import Traces
from tests.simulator.services.authority import Authority

# Its assertions shall say what they found.
pytest.register_assert_rewrite("tests.queries.checks")

type LinesOf = Callable[[str], list[LogLine]]
type TracesOf = Callable[[str], Traces]


@pytest.fixture(scope="session")
def played(authority: Authority) -> Played:
    """Calls in three regions, and our figures of them."""
    own, began_at = Own(), time.monotonic()
    lines = play_regions(own) + play_bots(authority, own)
    own.note_first_answers(lines)
    own.most_ms = (time.monotonic() - began_at) * 1000
    deliveries = play_deliveries(authority, own)
    return Played(lines, deliveries, play_failing_process(authority), own)


@pytest.fixture(scope="session")
def lines_of(played: Played) -> LinesOf:
    """Return the lines that a query runs over.

    Those of deliveries belong to a bot without handlers, which no other query counts.
    """
    return lambda name: played.deliveries if name == "instances" else played.lines


@pytest.fixture(scope="session")
def traces_of(lines_of: LinesOf) -> Iterator[TracesOf]:
    """Return the table that a query runs over."""
    with Traces(lines_of("")) as calls, Traces(lines_of("instances")) as deliveries:
        yield lambda name: deliveries if name == "instances" else calls
