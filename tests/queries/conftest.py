"""What the tests of queries share: the lines of calls that were really placed."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.queries.play_bots import play_bots
from tests.queries.play_regions import play_regions
from tests.queries.played import Own, Played
from tests.queries.to_come import deliveries_of
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
    return Played(lines, own)


@pytest.fixture(scope="session")
def lines_of(played: Played) -> LinesOf:
    """Return the lines that a query runs over.

    Those of deliveries are not the product's yet, so only their own query sees them.
    """
    deliveries = list(deliveries_of(played.lines))

    def lines_of(name: str) -> list[LogLine]:
        return deliveries if name == "instances" else played.lines

    return lines_of


@pytest.fixture(scope="session")
def traces_of(lines_of: LinesOf) -> Iterator[TracesOf]:
    """Return the table that a query runs over."""
    with Traces(lines_of("")) as real, Traces(lines_of("instances")) as to_come:
        yield lambda name: to_come if name == "instances" else real
