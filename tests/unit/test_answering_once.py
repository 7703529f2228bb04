"""shared.edge.answering: once per call and process, however often it comes."""

import asyncio
import threading
import time
from types import SimpleNamespace

import pytest

from shared.core.bounded import BoundedDict
from shared.core.outcomes import ItemOutcome
from shared.core.reasons import Reason
from shared.edge import answering as module
from shared.edge.answering import REMEMBERED_CALLS, REMEMBERED_SECONDS
from tests.simulator.services.authority import Authority
from tests.support.answering import AnsweringHarness, ended, make_call
from tests.support.clock import at_most
from tests.support.servers import Peer, Request, json_reply, status


def answer_late(_request: Request, peer: Peer) -> bytes:
    """Accept after a while."""
    peer.hang(0.3)
    return json_reply({}, 202)


@pytest.mark.requirement("R25")
def test_a_call_that_comes_again_is_not_answered_again(
    harness: AnsweringHarness,
) -> None:
    call = make_call()
    assert harness.answer(call).reason is Reason.ANSWERED
    assert harness.answer(call) == ItemOutcome(Reason.ALREADY_ANSWERED)
    assert len(harness.graph.requests) == 1


def test_a_call_that_comes_again_in_capitals_is_the_same(
    harness: AnsweringHarness,
) -> None:
    """As it is for what the bot remembers of a call."""
    call = make_call()
    again = call._replace(call_id=call.call_id.upper())
    reasons = {each.reason for each in harness.answer_all([call, again])}
    assert reasons == {Reason.ANSWERED}
    assert harness.answer(again) == ItemOutcome(Reason.ALREADY_ANSWERED)
    assert len(harness.graph.requests) == 1


@pytest.mark.requirement("R25")
def test_a_call_that_comes_twice_at_once_is_answered_once(
    harness: AnsweringHarness,
) -> None:
    """The second one waits for the first and gets its outcome."""
    harness.graph.script = answer_late
    outcomes = harness.answer_all([make_call()] * 20)

    assert outcomes == [ended(Reason.ANSWERED, 1, 202)] * 20
    assert len(harness.graph.requests) == 1


@pytest.mark.requirement("R25")
def test_two_at_once_share_a_failure_and_the_third_tries_again(
    harness: AnsweringHarness,
) -> None:
    call = make_call()
    harness.graph.script = status(503)
    outcomes = harness.answer_all([call, call], left=0.3)
    assert {outcome.reason for outcome in outcomes} == {Reason.ANSWER_UNAVAILABLE}
    assert outcomes[0] == outcomes[1]

    harness.graph.script = status(202)
    assert harness.answer(call).reason is Reason.ANSWERED


@pytest.mark.parametrize("code", [404, 403])
def test_a_call_that_graph_refused_may_be_tried_again(
    harness: AnsweringHarness, code: int
) -> None:
    """Only an answer that was given, or presumed, is remembered."""
    call = make_call()
    harness.graph.script = status(code)
    first, second = harness.answer(call), harness.answer(call)
    assert first == second
    assert len(harness.graph.requests) == 2


def test_different_calls_do_not_wait_for_each_other(harness: AnsweringHarness) -> None:
    """Sixteen calls take little longer than one."""
    harness.graph.script = answer_late
    with at_most(4):
        outcomes = harness.answer_all([make_call() for _ in range(16)])

    assert {outcome.reason for outcome in outcomes} == {Reason.ANSWERED}


def test_a_vanished_client_does_not_stop_the_answer(harness: AnsweringHarness) -> None:
    """Cancelling one waiter leaves the answer to the others."""
    call = make_call()
    harness.graph.script = answer_late

    async def story() -> ItemOutcome:
        first, second = harness.begin(call), harness.begin(call)
        await asyncio.sleep(0.05)
        first.cancel()
        return await second

    assert asyncio.run(story()).reason is Reason.ANSWERED


def test_a_shutdown_in_the_middle_is_not_remembered_as_an_answer(
    harness: AnsweringHarness,
) -> None:
    """When the loop ends, it cancels what is running."""
    call = make_call()
    harness.graph.script = answer_late

    async def leave() -> None:
        answering = harness.begin(call)
        await asyncio.sleep(0.05)
        assert not answering.done()

    asyncio.run(leave())
    assert harness.answer(call).reason is Reason.ANSWERED


def test_answers_are_remembered_for_an_hour(
    harness: AnsweringHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that the same id is a new call."""
    assert REMEMBERED_SECONDS == 3600
    call = make_call()
    harness.answer(call)
    real = time.monotonic

    for shift, reason in ((3590, Reason.ALREADY_ANSWERED), (3610, Reason.ANSWERED)):
        clock = SimpleNamespace(
            monotonic=lambda shift=shift: real() + shift, time=time.time
        )
        monkeypatch.setattr(module, "time", clock)
        # The clock of the module is ahead of ours, and so is the arrival.
        assert harness.answer(call, left=12 + shift).reason is reason


@pytest.mark.requirement("R25")
def test_a_bounded_number_of_answers_is_remembered(
    harness: AnsweringHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is forgotten first."""
    assert REMEMBERED_CALLS == 10_000
    monkeypatch.setattr(harness.answering, "_done", BoundedDict(3))
    calls = [make_call() for _ in range(4)]
    for call in calls:
        harness.answer(call)

    again = [harness.answer(call).reason for call in (*calls[1:], calls[0])]
    assert again == [*[Reason.ALREADY_ANSWERED] * 3, Reason.ANSWERED]


@pytest.mark.requirement("R25")
def test_nothing_is_kept_about_calls_that_are_done(harness: AnsweringHarness) -> None:
    harness.graph.script = status(403)
    harness.answer_all([make_call() for _ in range(10)])
    assert not harness.answering._answers._running
    assert not harness.answering._done


@pytest.mark.requirement("R25")
def test_a_full_executor_ends_with_the_budget_and_nothing_is_sent_late(
    authority: Authority,
) -> None:
    """An answer that waited too long for a thread is removed from the queue."""
    release = threading.Event()
    with AnsweringHarness(authority, threads=1) as harness:
        harness.control._executor.submit(release.wait, 10)
        with at_most(1.8):
            outcome = harness.answer(make_call(), left=0.6)
        release.set()
        harness.control._executor.submit(int).result(10)

        assert outcome.reason is Reason.ANSWER_UNAVAILABLE
        assert harness.graph.requests == []


def test_a_thread_that_becomes_free_in_time_is_used(authority: Authority) -> None:
    with AnsweringHarness(authority, threads=1) as harness:
        harness.control._executor.submit(time.sleep, 0.2)
        assert harness.answer(make_call(), left=6).reason is Reason.ANSWERED


def test_a_defect_reaches_all_who_wait_and_is_not_remembered(
    harness: AnsweringHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service turns it into 503, and the call may come again."""

    def fail(*_args: object, **_kwargs: object) -> None:
        message = "defect"
        raise RuntimeError(message)

    monkeypatch.setattr(harness.client, "send", fail)
    call = make_call()
    with pytest.raises(RuntimeError, match="defect"):
        harness.answer_all([call, call])
    assert not harness.answering._answers._running

    monkeypatch.undo()
    assert harness.answer(call).reason is Reason.ANSWERED
