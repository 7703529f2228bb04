"""shared.edge.answering: an attempt that never left has taken no effect."""

import threading

import pytest

from shared.core.reasons import Reason
from tests.support.answering import AnsweringHarness, make_call
from tests.support.clock import at_most
from tests.support.servers import hang, in_turn, status
from tests.support.threads import let_no_thread_start


def test_a_name_that_does_not_resolve_is_no_lost_reply(
    harness: AnsweringHarness, unresolved: threading.Event
) -> None:
    """What Graph refuses after it was never asked before, and it is asked again."""
    call = make_call()
    harness.graph.script = status(403)
    release = threading.Timer(2.0, unresolved.set)
    release.start()

    # The first attempt gives up after 1.8 s.
    outcome = harness.answer(call, left=3)
    assert outcome.actions[0].attempts == 1

    assert outcome.reason is Reason.ANSWER_REFUSED
    asked = len(harness.graph.requests)
    assert harness.answer(call).reason is Reason.ANSWER_REFUSED
    assert len(harness.graph.requests) == asked + 1


def test_what_was_not_sent_in_time_is_not_sent_later(
    harness: AnsweringHarness, unresolved: threading.Event
) -> None:
    """An answer to a caller who has hung up would surprise everybody."""
    outcome = harness.answer(make_call(), left=0.5)
    unresolved.set()
    harness.control.close()

    assert outcome.reason is Reason.ANSWER_UNAVAILABLE
    assert harness.graph.requests == []


def test_a_lost_reply_is_presumed_to_have_taken_effect(
    harness: AnsweringHarness,
) -> None:
    """It was sent: Graph's 403 says that the call is answered already."""
    harness.graph.script = in_turn(hang, status(403))
    call = make_call()

    assert harness.answer(call, left=2).reason is Reason.ANSWER_PRESUMED
    assert harness.answer(call).reason is Reason.ALREADY_ANSWERED


def test_without_a_thread_graph_is_not_asked_later(
    harness: AnsweringHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The executor keeps work that it could not start."""
    with monkeypatch.context() as exhausted:
        let_no_thread_start(exhausted)
        with at_most(4):
            outcome = harness.answer(make_call(), left=1)
    assert outcome.reason is Reason.ANSWER_UNAVAILABLE

    call = make_call()
    assert harness.answer(call).reason is Reason.ANSWERED
    harness.control.close()
    targets = [request.target for request in harness.graph.requests]
    assert targets == [f"/v1.0/communications/calls/{call.call_id}/answer"]
