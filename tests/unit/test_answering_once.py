"""shared.edge.answering: once per call and process, however often it comes."""

import asyncio
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from shared.core.answers import AnswerOutcome
from shared.core.bounded import BoundedDict
from shared.core.reasons import Reason
from shared.edge import answering as module
from shared.edge.answering import REMEMBERED_CALLS, REMEMBERED_SECONDS
from tests.support.answering import TENANT_ID, AnsweringWorld, make_call, status
from tests.support.servers import Certificates, Peer, Request, json_reply


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return an authority of our own."""
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def world(certificates: Certificates) -> Iterator[AnsweringWorld]:
    """Start a Graph."""
    with AnsweringWorld(certificates) as started:
        yield started


def answer_late(_request: Request, peer: Peer) -> bytes:
    """Accept after a while."""
    peer.hang(0.3)
    return json_reply({}, 202)


@pytest.mark.requirement("R25")
def test_a_call_that_comes_again_is_not_answered_again(world: AnsweringWorld) -> None:
    """Its second POST is taken without asking Graph."""
    call = make_call()
    assert world.answer(call).reason is Reason.ANSWERED
    assert world.answer(call) == AnswerOutcome(Reason.ALREADY_ANSWERED)
    assert len(world.requests) == 1


@pytest.mark.requirement("R25")
def test_a_call_that_comes_twice_at_once_is_answered_once(
    world: AnsweringWorld,
) -> None:
    """The second one waits for the first and gets its outcome."""
    world.scripts = [answer_late]
    outcomes = world.answer_all([make_call()] * 20)

    assert outcomes == [AnswerOutcome(Reason.ANSWERED, 1, 202)] * 20
    assert len(world.requests) == 1


@pytest.mark.requirement("R25")
def test_two_at_once_share_a_failure_and_the_third_tries_again(
    world: AnsweringWorld,
) -> None:
    """A failure is not remembered."""
    call = make_call()
    world.scripts = [status(503)]
    outcomes = world.answer_all([call, call], left=0.3)
    assert {outcome.reason for outcome in outcomes} == {Reason.ANSWER_UNAVAILABLE}
    assert outcomes[0] == outcomes[1]

    world.scripts = [status(202)]
    assert world.answer(call).reason is Reason.ANSWERED


@pytest.mark.parametrize("code", [404, 403])
def test_a_call_that_graph_refused_may_be_tried_again(
    world: AnsweringWorld, code: int
) -> None:
    """Only an answer that was given, or presumed, is remembered."""
    call = make_call()
    world.scripts = [status(code)]
    first, second = world.answer(call), world.answer(call)
    assert first == second
    assert len(world.requests) == 2


def test_different_calls_do_not_wait_for_each_other(world: AnsweringWorld) -> None:
    """Sixteen calls take as long as one, and a bit."""
    world.scripts = [answer_late]
    started = time.monotonic()
    outcomes = world.answer_all([make_call() for _ in range(16)])

    assert {outcome.reason for outcome in outcomes} == {Reason.ANSWERED}
    assert time.monotonic() - started < 4


def test_a_vanished_client_does_not_stop_the_answer(world: AnsweringWorld) -> None:
    """Cancelling one waiter leaves the answer to the others."""
    call = make_call()
    world.scripts = [answer_late]

    async def story() -> AnswerOutcome:
        first, second = (
            asyncio.create_task(
                world.answering.answer(
                    call, tenant_id=TENANT_ID, received_at=time.monotonic()
                )
            )
            for _ in range(2)
        )
        await asyncio.sleep(0.05)
        first.cancel()
        return await second

    assert asyncio.run(story()).reason is Reason.ANSWERED


def test_a_shutdown_in_the_middle_is_not_remembered_as_an_answer(
    world: AnsweringWorld,
) -> None:
    """The loop's end cancels what runs."""
    call = make_call()
    world.scripts = [answer_late]

    async def leave() -> None:
        answering = asyncio.create_task(
            world.answering.answer(
                call, tenant_id=TENANT_ID, received_at=time.monotonic()
            )
        )
        await asyncio.sleep(0.05)
        assert not answering.done()

    asyncio.run(leave())
    assert not world.answering._was_answered(call.call_id)


def test_answers_are_remembered_for_an_hour(
    world: AnsweringWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the same id is a new call."""
    assert REMEMBERED_SECONDS == 3600
    call = make_call()
    world.answer(call)
    real = time.monotonic

    for shift, reason in ((3590, Reason.ALREADY_ANSWERED), (3610, Reason.ANSWERED)):
        clock = SimpleNamespace(monotonic=lambda shift=shift: real() + shift)
        monkeypatch.setattr(module, "time", clock)
        # The clock of the module is ahead of ours, and so is the arrival.
        assert world.answer(call, left=12 + shift).reason is reason


@pytest.mark.requirement("R25")
def test_a_bounded_number_of_answers_is_remembered(
    world: AnsweringWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest goes first."""
    assert REMEMBERED_CALLS == 10_000
    monkeypatch.setattr(world.answering, "_answered", BoundedDict(3))
    calls = [make_call() for _ in range(4)]
    for call in calls:
        world.answer(call)

    assert set(world.answering._answered) == {call.call_id for call in calls[1:]}
    assert world.answer(calls[0]).reason is Reason.ANSWERED


@pytest.mark.requirement("R25")
def test_nothing_is_kept_about_calls_that_are_done(world: AnsweringWorld) -> None:
    """Failures leave no trace in memory."""
    world.scripts = [status(403)]
    world.answer_all([make_call() for _ in range(10)])
    assert not world.answering._answers._running
    assert not world.answering._answered


@pytest.mark.requirement("R25")
def test_a_full_executor_ends_with_the_budget_and_nothing_is_sent_late(
    certificates: Certificates,
) -> None:
    """An answer that waited too long for a thread is taken out of the queue."""
    release = threading.Event()
    with AnsweringWorld(certificates, threads=1) as world:
        world.executor.submit(release.wait, 10)
        started = time.monotonic()
        outcome = world.answer(make_call(), left=0.6)
        seconds = time.monotonic() - started
        release.set()
        world.executor.submit(int).result(10)

        assert outcome.reason is Reason.ANSWER_UNAVAILABLE
        assert seconds < 1.8
        assert world.requests == []


def test_a_thread_that_becomes_free_in_time_is_used(
    certificates: Certificates,
) -> None:
    """A short queue costs nothing but time."""
    with AnsweringWorld(certificates, threads=1) as world:
        world.executor.submit(time.sleep, 0.2)
        assert world.answer(make_call(), left=6).reason is Reason.ANSWERED


def test_a_defect_reaches_all_who_wait_and_is_not_remembered(
    world: AnsweringWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service turns it into 503; the call may come again."""

    def fail(*_args: object, **_kwargs: object) -> None:
        message = "defect"
        raise RuntimeError(message)

    monkeypatch.setattr(world.graph, "answer", fail)
    call = make_call()
    with pytest.raises(RuntimeError, match="defect"):
        world.answer_all([call, call])
    assert not world.answering._answers._running

    monkeypatch.undo()
    assert world.answer(call).reason is Reason.ANSWERED
