"""What Graph's reply to an answer means."""

import pytest

from shared.core.attempts import (
    AttemptResult,
    GraphReply,
    NextStep,
    NoCredential,
    Unanswered,
    attempt_seconds,
    budget_seconds,
    failure_of,
    next_step,
    pause_seconds,
)
from shared.core.call_controls import answer
from shared.core.call_requests import request_for_incoming
from shared.core.notifications import CallNotification, read_notification
from shared.core.reasons import Reason
from tests.simulator.platform.notifications import Call, incoming

ANSWER = request_for_incoming(answer(), "https://h/api/calls/p")


def step_after(
    result: AttemptResult,
    *,
    was_reply_lost: bool = False,
    was_token_renewed: bool = False,
) -> Reason | NextStep:
    """Return what follows an attempt to answer."""
    return next_step(
        result,
        ANSWER,
        was_reply_lost=was_reply_lost,
        was_token_renewed=was_token_renewed,
    )


@pytest.mark.parametrize(
    ("status", "fresh", "after_lost_reply", "after_new_token"),
    [
        (202, Reason.ANSWERED, Reason.ANSWERED, Reason.ANSWERED),
        (200, Reason.ANSWERED, Reason.ANSWERED, Reason.ANSWERED),
        (404, Reason.CALL_OVER, Reason.ANSWER_PRESUMED, Reason.CALL_OVER),
        (400, Reason.ANSWER_REFUSED, Reason.ANSWER_PRESUMED, Reason.ANSWER_REFUSED),
        (403, Reason.ANSWER_REFUSED, Reason.ANSWER_PRESUMED, Reason.ANSWER_REFUSED),
        (408, Reason.ANSWER_REFUSED, Reason.ANSWER_PRESUMED, Reason.ANSWER_REFUSED),
        (409, Reason.ANSWER_REFUSED, Reason.ANSWER_PRESUMED, Reason.ANSWER_REFUSED),
        (401, NextStep.RENEW_TOKEN, NextStep.RENEW_TOKEN, Reason.ANSWER_REFUSED),
        (429, NextStep.RETRY, NextStep.RETRY, NextStep.RETRY),
        (500, NextStep.RETRY, NextStep.RETRY, NextStep.RETRY),
        (503, NextStep.RETRY, NextStep.RETRY, NextStep.RETRY),
        (302, NextStep.RETRY, NextStep.RETRY, NextStep.RETRY),
        (307, NextStep.RETRY, NextStep.RETRY, NextStep.RETRY),
        (100, NextStep.RETRY, NextStep.RETRY, NextStep.RETRY),
    ],
)
def test_each_status_has_one_meaning(
    status: int,
    fresh: Reason | NextStep,
    after_lost_reply: Reason | NextStep,
    after_new_token: Reason | NextStep,
) -> None:
    """docs/behaviour.md section 2 has the same table."""
    reply = GraphReply(status=status)

    assert (
        next_step(reply, ANSWER, was_reply_lost=False, was_token_renewed=False) is fresh
    )
    assert (
        next_step(reply, ANSWER, was_reply_lost=True, was_token_renewed=False)
        is after_lost_reply
    )
    assert (
        next_step(reply, ANSWER, was_reply_lost=False, was_token_renewed=True)
        is after_new_token
    )


def test_a_second_401_is_a_refusal_also_after_a_lost_reply() -> None:
    """A token that Graph refuses says nothing about the call."""
    step = step_after(
        GraphReply(status=401), was_reply_lost=True, was_token_renewed=True
    )

    assert step is Reason.ANSWER_REFUSED


@pytest.mark.parametrize("attempt", list(Unanswered))
def test_an_attempt_without_a_status_is_repeated(attempt: Unanswered) -> None:
    assert (
        next_step(attempt, ANSWER, was_reply_lost=False, was_token_renewed=False)
        is NextStep.RETRY
    )


def test_policy_recording_has_four_seconds_and_others_twelve() -> None:
    """The platform itself waits 5 and 15 seconds."""
    for is_recording, seconds in ((True, 4.0), (False, 12.0)):
        call = notification(is_policy_recording=is_recording)
        assert budget_seconds(call) == seconds


def test_pauses_obey_retry_after_and_grow_otherwise() -> None:
    """They grow to two seconds."""
    asked = GraphReply(status=429, retry_after_seconds=3.0)

    assert pause_seconds(0, asked) == 3.0
    assert [pause_seconds(n, Unanswered.NO_REPLY) for n in range(5)] == [
        0.25,
        0.5,
        1.0,
        2.0,
        2.0,
    ]


def test_an_attempt_leaves_time_for_another() -> None:
    """A hanging Graph must not use up the whole budget."""
    assert 0.5 <= attempt_seconds(1.0, ANSWER) < 0.75


def test_the_last_attempt_names_the_failure() -> None:
    """A missing credential has a reason of its own."""
    assert failure_of(NoCredential(), ANSWER) is Reason.CREDENTIAL_UNAVAILABLE
    assert failure_of(GraphReply(status=503), ANSWER) is Reason.ANSWER_UNAVAILABLE
    assert failure_of(None, ANSWER) is Reason.ANSWER_UNAVAILABLE


def notification(*, is_policy_recording: bool) -> CallNotification:
    """Return an incoming call."""
    call = Call(tenant_id="t", is_policy_recording=is_policy_recording)
    found = read_notification(incoming(call, "https://b")["value"][0])
    assert found is not None
    return found


def test_the_answer_is_the_documented_one() -> None:
    """docs/behaviour.md section 2 shows the same body."""
    assert (ANSWER.name, ANSWER.method, ANSWER.path) == ("answer", "POST", "/answer")
    assert ANSWER.body == {
        "callbackUri": "https://h/api/calls/p",
        "acceptedModalities": ["audio"],
        "mediaConfig": {
            "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
            "preFetchMedia": [],
        },
    }


def test_a_pause_is_never_shorter_than_our_own() -> None:
    """Graph may say ``Retry-After: 0``, or a date in the past, for ever."""
    at_once = GraphReply(status=429, retry_after_seconds=0.0)

    assert [pause_seconds(n, at_once) for n in range(4)] == [0.25, 0.5, 1.0, 2.0]


def test_a_final_refusal_of_entra_is_not_repeated() -> None:
    refused = NoCredential(refused_code="AADSTS65001")
    assert step_after(refused, was_reply_lost=True) is Reason.CREDENTIAL_REFUSED
