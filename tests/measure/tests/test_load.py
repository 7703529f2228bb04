"""The load harness itself: it runs, and it would notice a wrong reply."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.localhost.process import CHECKOUT
from tests.measure.load import wrk
from tests.measure.load.flood import HonestCaller
from tests.measure.load.site import Site, open_site
from tests.measure.load.soak import ROUND, Segment, ask_health, growth, heal
from tests.measure.load.traffic import FORGED, HONEST, MIXED, REDIRECTED, Traffic
from tests.measure.load.wrk import Figures

FIGURES = Figures(
    connections=1,
    rate=1.0,
    p50=1.0,
    p95=1.0,
    p99=1.0,
    longest=1.0,
    errors=0,
    wrong=0,
    example="",
    stayed=0,
    was_other_region_sick=False,
    tracebacks=0,
    statuses={"202": 1},
    cores=1.0,
    memory_before=50.0,
    memory_after=50.0,
)

needs_wrk = pytest.mark.skipif(
    shutil.which("wrk") is None, reason="needs the load generator wrk"
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One deployment, warm, that answers no calls."""
    with open_site(answers=False) as opened:
        yield opened


def send(site: Site, traffic: Traffic, *, rate: float | None = None) -> Figures:
    """Send traffic for a second."""
    traffic.write(site, tokens=250)
    return wrk.run(site, connections=4, seconds=1, rate=rate)


@needs_wrk
def test_every_kind_of_traffic_gets_its_own_reply(site: Site) -> None:
    """And the figures say how many of each there were."""
    figures = send(site, MIXED)

    assert figures.is_right, figures
    assert figures.statuses.keys() == {"202", "204", "302", "401"}
    assert min(figures.statuses.values()) > 0
    assert 0 < figures.p50 <= figures.p95 <= figures.p99 <= figures.longest
    assert 0 < figures.cores < 3
    assert min(figures.memory_before, figures.memory_after) > 10


@needs_wrk
def test_a_rate_is_kept(site: Site) -> None:
    """Requests arrive at random, on average as often as is wanted."""
    figures = send(site, MIXED, rate=40)

    assert figures.is_right, figures
    assert figures.rate < 120


@needs_wrk
@pytest.mark.parametrize("status", [204, 401, 503])
def test_a_reply_with_another_status_is_noticed(site: Site, status: int) -> None:
    """Every single one: here all are wrong."""
    expecting = Traffic("expecting", ((replace(HONEST, status=status), 1),))

    figures = send(site, expecting)

    assert figures.wrong == sum(figures.statuses.values()) > 0
    assert figures.example == f"202: status instead of {status}"
    assert not figures.is_right


@needs_wrk
def test_a_redirect_to_another_place_is_noticed(site: Site) -> None:
    """The Location is compared as a whole."""
    REDIRECTED.write(site, tokens=250)
    text = site.file.read_text("utf-8")
    site.file.write_text(text.replace("?hop=1\t", "?hop=2\t"), "utf-8")

    figures = wrk.run(site, connections=4, seconds=1)

    assert figures.wrong == figures.statuses["302"] > 0
    assert figures.example == "302: Location"


def test_honest_callers_notice_a_wrong_reply(site: Site) -> None:
    """They expect 202; a deployment that is gone gives none."""
    caller = HonestCaller(site)
    with caller.calling():
        pass
    nowhere = HonestCaller(site)
    nowhere._address = ("127.0.0.1", 9)
    with nowhere.calling():
        pass

    assert caller.figures().wrong == 0
    assert caller.figures().calls >= 1
    assert nowhere.figures().wrong == nowhere.figures().calls >= 1


def test_every_weather_can_begin_and_be_healed(site: Site) -> None:
    """After it, all neighbours are well."""
    for weather in ROUND:
        weather.begin(site)
        heal(site)

    assert site.other_region.is_healthy.is_set()
    assert not site.world.provider.is_hanging.is_set()
    assert site.world.provider.configuration_fault is None
    assert not site.world.graph.faults
    assert ask_health(site) == 200


@pytest.mark.parametrize(
    ("stayed", "was_sick", "is_right"),
    [(0, False, True), (3, True, True), (3, False, False)],
)
def test_a_call_may_stay_only_while_its_region_is_sick(
    stayed: int, was_sick: bool, is_right: bool
) -> None:
    """As the deployment sees it."""
    figures = FIGURES._replace(stayed=stayed, was_other_region_sick=was_sick)

    assert figures.is_right is is_right


def test_growth_compares_the_last_round_with_the_first() -> None:
    """What happened between them does not count, warming up neither."""
    rounds = [40.0] * (len(ROUND) - 1) + [50.0]
    memory = [*rounds, *([99.0] * len(ROUND)), *([51.0] * len(ROUND))]
    segments = [
        Segment("any", FIGURES._replace(memory_after=mebibytes), 200)
        for mebibytes in memory
    ]

    assert growth(segments) == pytest.approx(1.02)


def test_without_wrk_one_sentence_says_what_to_do() -> None:
    """And nothing is started."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.measure.load", "load"],
        cwd=CHECKOUT,
        env={**os.environ, "PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 1
    assert (
        finished.stderr
        == "load: wrk is needed: install the package wrk and try again.\n"
    )
    assert finished.stdout == ""


def test_tokens_do_not_expire_before_a_row_has_ended() -> None:
    """Longer rows are refused."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.measure.load", "load", "--seconds", "301"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 2
    assert "tokens expire" in finished.stderr


@needs_wrk
def test_one_thread_is_enough_where_all_get_the_same_reply(site: Site) -> None:
    """As in a flood of forged tokens."""
    FORGED.write(site, tokens=250)

    figures = wrk.run(site, connections=8, seconds=1, threads=1)

    assert figures.is_right, figures
    assert figures.statuses.keys() == {"401"}
