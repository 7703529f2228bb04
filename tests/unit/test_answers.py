"""What Graph's reply to an answer means."""

import pytest

from shared.core.answers import (
    Attempt,
    GraphReply,
    NoCredential,
    Verdict,
    answer_body,
    attempt_seconds,
    budget_seconds,
    failure_of,
    judge,
    pause_seconds,
)
from shared.core.notifications import read_notification
from shared.core.reasons import Reason
from tests.simulator.platform.notifications import Call, incoming


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
        (401, Verdict.RENEW_TOKEN, Verdict.RENEW_TOKEN, Reason.ANSWER_REFUSED),
        (429, Verdict.RETRY, Verdict.RETRY, Verdict.RETRY),
        (500, Verdict.RETRY, Verdict.RETRY, Verdict.RETRY),
        (503, Verdict.RETRY, Verdict.RETRY, Verdict.RETRY),
        (302, Verdict.RETRY, Verdict.RETRY, Verdict.RETRY),
        (307, Verdict.RETRY, Verdict.RETRY, Verdict.RETRY),
        (100, Verdict.RETRY, Verdict.RETRY, Verdict.RETRY),
    ],
)
def test_each_status_has_one_meaning(
    status: int,
    fresh: Reason | Verdict,
    after_lost_reply: Reason | Verdict,
    after_new_token: Reason | Verdict,
) -> None:
    """Contract section 2, the answering table."""
    reply = GraphReply(status=status)

    assert judge(reply, was_reply_lost=False, was_token_renewed=False) is fresh
    assert (
        judge(reply, was_reply_lost=True, was_token_renewed=False) is after_lost_reply
    )
    assert judge(reply, was_reply_lost=False, was_token_renewed=True) is after_new_token


@pytest.mark.parametrize("attempt", list(Attempt))
def test_an_attempt_without_a_status_is_repeated(attempt: Attempt) -> None:
    """Timeout, no connection, no credential."""
    assert (
        judge(attempt, was_reply_lost=False, was_token_renewed=False) is Verdict.RETRY
    )


def test_policy_recording_has_four_seconds_and_others_twelve() -> None:
    """The platform waits 5 and 15."""
    for is_recording, seconds in ((True, 4.0), (False, 12.0)):
        call = Call(tenant_id="t", is_policy_recording=is_recording)
        found = read_notification(incoming(call, "https://b")["value"][0])
        assert found is not None
        assert budget_seconds(found) == seconds


def test_pauses_obey_retry_after_and_grow_otherwise() -> None:
    """Up to two seconds."""
    asked = GraphReply(status=429, retry_after_seconds=3.0)

    assert pause_seconds(0, asked) == 3.0
    assert [pause_seconds(n, Attempt.NO_REPLY) for n in range(5)] == [
        0.25,
        0.5,
        1.0,
        2.0,
        2.0,
    ]


def test_an_attempt_leaves_time_for_another() -> None:
    """A hanging Graph must not use the whole budget up."""
    assert 0.5 <= attempt_seconds(1.0) < 0.75


def test_the_last_attempt_names_the_failure() -> None:
    """A missing credential is a matter of its own."""
    assert failure_of(NoCredential()) is Reason.CREDENTIAL_UNAVAILABLE
    assert failure_of(GraphReply(status=503)) is Reason.ANSWER_UNAVAILABLE
    assert failure_of(None) is Reason.ANSWER_UNAVAILABLE


def test_the_answer_is_the_contracts() -> None:
    """Word for word."""
    assert answer_body("https://h/api/calls/p") == {
        "callbackUri": "https://h/api/calls/p",
        "acceptedModalities": ["audio"],
        "mediaConfig": {
            "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
            "preFetchMedia": [],
        },
    }
