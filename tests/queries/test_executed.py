"""Every query finds what really happened: its figures are our own."""

import json

import pytest

from tests.queries.asking import ask_of
from tests.queries.checks import CHECKS
from tests.queries.conftest import TracesOf
from tests.queries.played import Played
from tests.simulator.report.lines import guess_level
from tests.simulator.report.queries import read_queries

QUERIES = read_queries()


@pytest.mark.parametrize("name", CHECKS)
def test_a_query_finds_our_own_figures(
    name: str, traces_of: TracesOf, played: Played
) -> None:
    CHECKS[name](ask_of(traces_of(name), QUERIES[name]), played.own)


def test_the_level_that_nobody_prints_is_guessed_right(played: Played) -> None:
    """Lines of this process have a real one."""
    lines = [line for line in played.lines if line.app in {"func-neu", "func-cold"}]

    assert {line.level for line in lines} == {20, 30, 40}
    guessed = [guess_level(json.loads(line.text)) for line in lines]
    assert guessed == [line.level for line in lines]
