"""The load tests run, and notice a wrong reply."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.edge.instances import PLACES
from tests.measure.load import soak_instances, wrk
from tests.measure.load.batches import ITEMS, beside_batches
from tests.measure.load.callers import Address, exchange, post
from tests.measure.load.flood import honest_caller
from tests.measure.load.handlers import BOT, HUNG, beside_handlers
from tests.measure.load.instances import INSTANCES, WORKING, beside_hanging
from tests.measure.load.soak import ROUND, Situation, ask_health, growth, heal
from tests.measure.load.target import LoadTarget, open_target
from tests.measure.load.traffic import (
    COSTLY,
    FORGED,
    HONEST,
    MIXED,
    REDIRECTED,
    Kind,
    Traffic,
)
from tests.measure.load.wrk import Figures
from tests.measure.two_regions import HEALTHY
from tests.support.processes import run

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
    taken_here=0,
    was_other_region_unhealthy=False,
    tracebacks=0,
    statuses={"202": 1},
    cores=1.0,
    memory_before=50.0,
    memory_after=50.0,
)

LOAD = (sys.executable, "-m", "tests.measure.load", "load")

needs_wrk = pytest.mark.skipif(
    shutil.which("wrk") is None, reason="needs the load generator wrk"
)


@pytest.fixture(scope="module")
def target() -> Iterator[LoadTarget]:
    """A warm deployment that accepts calls without answering them."""
    with open_target(answers=False) as opened:
        yield opened


def send(target: LoadTarget, traffic: Traffic, *, rate: float | None = None) -> Figures:
    traffic.write(target, tokens=250)
    return wrk.run(target, connections=4, seconds=1, rate=rate)


@needs_wrk
def test_every_kind_of_traffic_gets_its_own_reply(target: LoadTarget) -> None:
    figures = send(target, MIXED)

    assert figures.is_right, figures
    assert figures.statuses.keys() == {"202", "204", "302", "401"}
    assert min(figures.statuses.values()) > 0
    assert 0 < figures.p50 <= figures.p95 <= figures.p99 <= figures.longest
    assert 0 < figures.cores < 3
    assert min(figures.memory_before, figures.memory_after) > 10


@needs_wrk
def test_a_rate_is_kept(target: LoadTarget) -> None:
    """Requests arrive at random, and on average as often as asked for."""
    figures = send(target, MIXED, rate=40)

    assert figures.is_right, figures
    assert figures.rate < 120


@needs_wrk
@pytest.mark.parametrize("status", [204, 401, 503])
def test_a_reply_with_another_status_is_noticed(
    target: LoadTarget, status: int
) -> None:
    expecting = Traffic("expecting", ((replace(HONEST, status=status), 1),))

    figures = send(target, expecting)

    assert figures.wrong == sum(figures.statuses.values()) > 0
    assert figures.example == f"202: status instead of {status}"
    assert not figures.is_right


@needs_wrk
def test_a_redirect_to_another_place_is_noticed(target: LoadTarget) -> None:
    """The whole Location is compared."""
    REDIRECTED.write(target, tokens=250)
    text = target.file.read_text("utf-8")
    target.file.write_text(text.replace("?hop=1\t", "?hop=2\t"), "utf-8")

    figures = wrk.run(target, connections=4, seconds=1)

    assert figures.wrong == figures.statuses["302"] > 0
    assert figures.example == "302: Location"


def test_honest_callers_notice_a_wrong_reply(target: LoadTarget) -> None:
    """They expect 202, and get nothing where no deployment listens."""
    caller = honest_caller(target)
    with caller.calling():
        pass
    nowhere = honest_caller(target, Address("127.0.0.1", 9))
    with nowhere.calling():
        pass

    assert caller.figures().wrong == 0
    assert caller.figures().calls >= 1
    assert nowhere.figures().wrong == nowhere.figures().calls >= 1


def test_every_situation_can_begin_and_be_healed(target: LoadTarget) -> None:
    for situation in ROUND:
        situation.begin(target)
        heal(target)

    assert target.other_region.script is HEALTHY
    assert not target.world.provider.is_hanging.is_set()
    assert target.world.provider.configuration_script is None
    assert not target.world.graph.faults
    assert ask_health(target) == 200


@pytest.mark.parametrize(
    ("taken_here", "was_unhealthy", "is_right"),
    [(0, False, True), (3, True, True), (3, False, False)],
)
def test_a_call_may_be_taken_here_only_while_its_region_is_unhealthy(
    taken_here: int, was_unhealthy: bool, is_right: bool
) -> None:
    figures = FIGURES._replace(
        taken_here=taken_here, was_other_region_unhealthy=was_unhealthy
    )

    assert figures.is_right is is_right


@pytest.fixture(scope="module")
def target_with_instances() -> Iterator[LoadTarget]:
    with open_target(answers=True, instances=soak_instances.INSTANCES) as opened:
        yield opened


@pytest.mark.parametrize(
    "situation", soak_instances.ROUND, ids=lambda situation: situation.name
)
def test_every_delivery_is_replied_to_as_its_situation_expects(
    target_with_instances: LoadTarget, situation: Situation
) -> None:
    """Also those that work beside one that fails, and that one once it is healed."""
    target = target_with_instances

    def reply_to(kind: Kind) -> int:
        token, body = kind.make(target.world)
        request = post(target.address, token, json.dumps(body), kind.path)
        return int(exchange(target.address, request).split()[1])

    kinds = [kind for kind, _times in situation.traffic.kinds if "/calls/" in kind.path]
    situation.begin(target)
    found = {kind.path: reply_to(kind) for kind in kinds}
    heal(target)
    healed = {reply_to(kind) for kind in kinds}

    assert found == {kind.path: kind.status for kind in kinds}
    assert len(found) == len(soak_instances.INSTANCES)
    assert healed == {202}


@needs_wrk
def test_deliveries_warm_up_without_a_want_of_places(
    target_with_instances: LoadTarget,
) -> None:
    figures = soak_instances.warm_up_deliveries(target_with_instances, seconds=1)

    assert figures.is_right, figures
    assert figures.statuses.keys() == {"202"}


def test_both_soaks_have_rounds_of_one_length() -> None:
    """Their growth is found in the same way."""
    assert len(soak_instances.ROUND) == len(ROUND)


def test_growth_compares_the_last_round_with_the_first() -> None:
    """Neither what happened between them nor the warm-up counts."""
    rounds = [40.0] * (len(ROUND) - 1) + [50.0]
    memory = [*rounds, *([99.0] * len(ROUND)), *([51.0] * len(ROUND))]

    assert growth(memory) == pytest.approx(1.02)


def test_without_wrk_one_sentence_says_what_to_do() -> None:
    finished = run(*LOAD, env={**os.environ, "PATH": "/nonexistent"})

    sentence = "load: wrk is needed: install the package wrk and try again.\n"
    assert (finished.returncode, finished.stderr) == (1, sentence)
    assert finished.stdout == ""


def test_tokens_do_not_expire_before_a_row_has_ended() -> None:
    finished = run(*LOAD, "--seconds", "301")

    assert finished.returncode == 2
    assert "tokens expire" in finished.stderr


@needs_wrk
def test_one_thread_is_enough_where_all_get_the_same_reply(target: LoadTarget) -> None:
    """A flood of forged tokens gets 401 for every request."""
    FORGED.write(target, tokens=250)

    figures = wrk.run(target, connections=8, seconds=1, threads=1)

    assert figures.is_right, figures
    assert figures.statuses.keys() == {"401"}


@needs_wrk
def test_a_token_with_a_costly_header_is_refused(target: LoadTarget) -> None:
    """Its header part has about 12 KB, and the token is not too large as a whole."""
    COSTLY.write(target, tokens=50)
    token = target.file.read_text("utf-8").split("\t")[-2]

    figures = wrk.run(target, connections=4, seconds=1, threads=1)

    assert 11_000 < len(token.partition(".")[0]) < 12_288
    assert len(token) < 16 * 1024
    assert figures.is_right, figures
    assert figures.statuses.keys() == {"401"}


def test_others_are_served_beside_the_batches_of_one_tenant() -> None:
    """Every call of a batch is answered, one after the other batch."""
    with open_target(answers=True) as answering:
        seen = beside_batches(answering, seconds=1.5)
        answered = answering.world.graph.answers

    assert seen.is_right, seen
    assert seen.batches.calls >= 1
    assert len(answered) >= seen.batches.calls * ITEMS
    assert {answer.status for answer in answered} == {202}
    assert seen.calls_alone.median >= 200
    assert seen.health_beside.calls >= 1


def test_calls_are_answered_beside_handlers_that_hang_and_wait() -> None:
    """All threads but one hang for good, and the last one answers every call."""
    with (
        open_target(answers=True, bot=BOT) as alone,
        open_target(answers=True, bot=BOT) as beside,
    ):
        seen = beside_handlers(alone, beside, seconds=0.5)
        log = "\n".join(beside.deployment.log_lines())

    assert seen.is_right, seen
    assert log.count('"bot-failed"') >= HUNG
    assert len(beside.world.graph.answers) == seen.beside.calls >= 1
    assert len(alone.world.graph.answers) == seen.alone.calls >= 1


def test_calls_and_others_are_served_beside_an_instance_that_hangs() -> None:
    """All its places are taken; the other instance gets every notification."""
    with (
        open_target(answers=True, instances=INSTANCES) as alone,
        open_target(answers=True, instances=INSTANCES) as beside,
    ):
        seen = beside_hanging(alone, beside, seconds=1.0)
        log = beside.deployment.log_lines()

    assert seen.is_right, seen
    # The platform was told 503 after a try, and not for want of a place.
    tried = [
        line
        for line in log
        if '"delivery_attempts":1' in line and '"status":503' in line
    ]
    assert len(tried) == seen.hanging.calls >= PLACES
    for target, figures in (
        (alone, seen.deliveries_alone),
        (beside, seen.deliveries_beside),
    ):
        assert target.instances[WORKING].taken == figures.calls >= 1
    assert len(beside.world.graph.answers) == seen.answers_beside.calls >= 1
