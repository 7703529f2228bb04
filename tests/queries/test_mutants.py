"""Mistakes in log fields and in queries turn the checks red."""

import pytest

from tests.queries import mutants
from tests.queries.asking import ask_of
from tests.queries.checks import CHECKS
from tests.queries.conftest import LinesOf, TracesOf
from tests.queries.mutants import LineMutant, QueryMutant
from tests.queries.played import Played
from tests.simulator.report.queries import Traces, read_queries

QUERIES = read_queries()


@pytest.mark.parametrize("mutant", mutants.LINES, ids=str)
def test_a_mistake_in_the_lines_is_noticed(
    mutant: LineMutant, lines_of: LinesOf, played: Played
) -> None:
    lines = lines_of(mutant.query)
    mutated = [line._replace(text=mutant.mutate(line.text)) for line in lines]
    assert mutated != lines
    with Traces(mutated) as traces, pytest.raises((AssertionError, LookupError)):
        CHECKS[mutant.query](ask_of(traces, QUERIES[mutant.query]), played.own)


@pytest.mark.parametrize("mutant", mutants.QUERIES, ids=str)
def test_a_mistake_in_a_query_is_noticed(
    mutant: QueryMutant, traces_of: TracesOf, played: Played
) -> None:
    query = QUERIES[mutant.query]
    assert query.text.count(mutant.old) == 1
    mutated = query._replace(text=query.text.replace(mutant.old, mutant.new))
    with pytest.raises((AssertionError, LookupError)):
        CHECKS[mutant.query](ask_of(traces_of(mutant.query), mutated), played.own)


def test_there_are_enough_mistakes_of_every_query() -> None:
    everything: list[LineMutant | QueryMutant] = [*mutants.LINES, *mutants.QUERIES]
    assert len(everything) >= 30
    assert {mutant.query for mutant in everything} == CHECKS.keys()
