"""shared.edge.answering: what Graph says, row by row of docs/behaviour.md 2."""

import asyncio

import pytest

from shared.core.outcomes import ItemOutcome
from shared.core.partitions import choose_partition
from shared.core.reasons import Reason
from shared.edge.token_client import CredentialError
from tests.support.answering import (
    HOST,
    ORDINARY_SECONDS,
    POLICY_SECONDS,
    AnsweringHarness,
    ended,
    make_call,
)
from tests.support.clock import at_most
from tests.support.servers import (
    Peer,
    Request,
    Script,
    hang,
    hang_up,
    in_turn,
    json_reply,
    status,
)


def test_an_accepted_answer_ends_it(harness: AnsweringHarness) -> None:
    """One request is sent, with the callbackUri of the call's partition."""
    call = make_call()
    outcome = harness.answer(call)

    assert outcome == ended(Reason.ANSWERED, attempts=1, status=202)
    assert not outcome.is_unavailable
    [request] = harness.graph.requests
    partition = choose_partition(call.call_id, ("p0", "p1"))
    uri = f"https://{HOST}/api/calls/{partition}"
    assert request.json()["callbackUri"] == uri


@pytest.mark.parametrize("code", [200, 201, 204])
def test_any_success_is_an_answer(harness: AnsweringHarness, code: int) -> None:
    harness.graph.script = status(code)
    assert harness.answer(make_call()).reason is Reason.ANSWERED


def test_a_call_that_is_over_is_taken(harness: AnsweringHarness) -> None:
    """A 404 means that nobody is there to be answered."""
    error = {"error": {"code": "8522", "message": "Call not found."}}
    harness.graph.script = lambda *_: json_reply(error, 404)
    outcome = harness.answer(make_call())

    assert outcome == ended(Reason.CALL_OVER, 1, 404, "8522")
    assert not outcome.is_unavailable


@pytest.mark.parametrize("code", [400, 403, 404, 409, 412])
def test_a_refusal_after_a_lost_reply_means_answered(
    harness: AnsweringHarness, code: int
) -> None:
    """Graph has probably taken the first answer; the call is remembered."""
    call = make_call()
    harness.graph.script = in_turn(hang_up, status(code))

    assert harness.answer(call) == ended(Reason.ANSWER_PRESUMED, 2, code)
    assert harness.answer(call).reason is Reason.ALREADY_ANSWERED
    assert len(harness.graph.requests) == 2


def test_a_reply_that_was_lost_counts_when_the_call_comes_again(
    harness: AnsweringHarness,
) -> None:
    """The platform comes again after 503, when Graph has taken the answer long ago."""
    call = make_call()
    harness.graph.script = hang_up
    assert harness.answer(call, left=0.5).is_unavailable
    harness.graph.script = status(400)

    assert harness.answer(call) == ended(Reason.ANSWER_PRESUMED, 1, 400)
    assert harness.answer(make_call()).reason is Reason.ANSWER_REFUSED


def test_a_refused_token_is_replaced_once(harness: AnsweringHarness) -> None:
    harness.graph.script = in_turn(status(401), status(202))

    assert harness.answer(make_call()) == ended(Reason.ANSWERED, 2, 202)
    assert harness.tokens() == ["Bearer token-1", "Bearer token-2"]


def test_a_second_refused_token_is_like_other_refusals(
    harness: AnsweringHarness,
) -> None:
    harness.graph.script = status(401)
    outcome = harness.answer(make_call())

    assert outcome == ended(Reason.ANSWER_REFUSED, 2, 401)
    assert not outcome.is_unavailable


@pytest.mark.parametrize("code", [400, 402, 403, 405, 408, 409, 415, 418, 422, 451])
def test_a_refusal_is_not_repeated(harness: AnsweringHarness, code: int) -> None:
    """Graph's error code goes to the log."""
    error = {"error": {"code": "7504", "message": "no permission"}}
    harness.graph.script = lambda *_: json_reply(error, code)

    assert harness.answer(make_call()) == ended(Reason.ANSWER_REFUSED, 1, code, "7504")


UNAVAILABLE = [
    pytest.param(status(429), id="429"),
    pytest.param(status(500), id="500"),
    pytest.param(status(503), id="503"),
    pytest.param(status(504), id="504"),
    pytest.param(status(302, Location="https://127.0.0.1:1/"), id="302"),
    pytest.param(status(307, Location="https://127.0.0.1:1/"), id="307"),
    pytest.param(hang_up, id="hangs-up"),
]


@pytest.mark.parametrize("script", UNAVAILABLE)
def test_a_passing_failure_is_repeated(
    harness: AnsweringHarness, script: Script
) -> None:
    harness.graph.script = in_turn(script, status(202))
    assert harness.answer(make_call()) == ended(Reason.ANSWERED, 2, 202)


@pytest.mark.parametrize("script", [*UNAVAILABLE, pytest.param(hang, id="hangs")])
def test_a_lasting_failure_ends_with_the_budget(
    harness: AnsweringHarness, script: Script
) -> None:
    """The platform is told in time to come again."""
    harness.graph.script = script
    with at_most(6):
        outcome = harness.answer(make_call(), left=2)

    assert outcome.reason is Reason.ANSWER_UNAVAILABLE
    assert outcome.is_unavailable
    assert outcome.actions[0].attempts > 1


def test_entra_is_not_asked_again_before_it_says(harness: AnsweringHarness) -> None:
    """If the budget ends before that, the platform has to come again."""
    harness.credentials.error = CredentialError("none", retry_after_seconds=60)
    with at_most(3):
        outcome = harness.answer(make_call(), left=9)

    assert outcome == ended(Reason.CREDENTIAL_UNAVAILABLE)


def test_no_credential_is_told_apart_and_nothing_is_sent(
    harness: AnsweringHarness,
) -> None:
    """Graph is not to blame."""
    harness.credentials.error = CredentialError("none")
    outcome = harness.answer(make_call(), left=0.6)

    assert outcome.reason is Reason.CREDENTIAL_UNAVAILABLE
    assert outcome.is_unavailable
    assert harness.graph.requests == []


def test_a_credential_that_comes_back_is_used(harness: AnsweringHarness) -> None:
    harness.credentials.error = CredentialError("none")

    async def story() -> ItemOutcome:
        answering = harness.begin(make_call())
        await asyncio.sleep(0.05)
        harness.credentials.error = None
        return await answering

    assert asyncio.run(story()).reason is Reason.ANSWERED


def test_retry_after_is_obeyed(harness: AnsweringHarness) -> None:
    harness.graph.script = in_turn(status(429, Retry_After="1"), status(202))
    assert harness.answer(make_call()).reason is Reason.ANSWERED

    first, second = harness.graph.requests
    assert second.received_at - first.received_at > 0.9


def test_retry_after_beyond_the_budget_ends_it_at_once(
    harness: AnsweringHarness,
) -> None:
    """Waiting longer than the platform does helps nobody."""
    harness.graph.script = status(429, Retry_After="60")
    with at_most(3):
        outcome = harness.answer(make_call())

    assert outcome == ended(Reason.ANSWER_UNAVAILABLE, 1, 429)


@pytest.mark.requirement("R25")
@pytest.mark.parametrize("value", ["0", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_retry_after_of_nothing_does_not_make_us_hammer(
    harness: AnsweringHarness, value: str
) -> None:
    """A Graph that throttles and says zero is still given pauses."""
    harness.graph.script = status(429, Retry_After=value)
    harness.answer(make_call(), left=1)
    assert len(harness.graph.requests) <= 5


def test_a_policy_recording_has_the_smaller_budget(harness: AnsweringHarness) -> None:
    """It has 4 s from the arrival of the POST, an ordinary call has 12 s."""
    left = ORDINARY_SECONDS - POLICY_SECONDS - 0.5
    ordinary = harness.answer(make_call(), left=left)
    policy = harness.answer(make_call(is_policy_recording=True), left=left)

    assert ordinary.reason is Reason.ANSWERED
    assert policy.reason is Reason.ANSWER_UNAVAILABLE
    assert policy.notes == {Reason.RECORDING_UNHANDLED}
    assert len(harness.graph.requests) == 1


def test_a_policy_recording_is_rejected_within_its_budget(
    harness: AnsweringHarness,
) -> None:
    """Nobody here can record it; one and a half of its four seconds are left."""
    call = make_call(is_policy_recording=True)
    left = ORDINARY_SECONDS - POLICY_SECONDS + 1.5
    outcome = harness.answer(call, left=left)

    assert (outcome.reason, outcome.notes) == (Reason.RECORDING_UNHANDLED, frozenset())
    [request] = harness.graph.requests
    assert request.target == f"/v1.0/communications/calls/{call.call_id}/reject"
    assert request.json() == {"reason": "none"}
    assert harness.answer(call) == ItemOutcome(Reason.ALREADY_HANDLED)


def test_a_post_that_arrived_too_long_ago_is_not_answered(
    harness: AnsweringHarness,
) -> None:
    """The caller has hung up, and an answer now would be a surprise."""
    outcome = harness.answer(make_call(), left=-0.1)
    assert outcome == ended(Reason.ANSWER_UNAVAILABLE, attempts=0)
    assert harness.graph.requests == []


def test_a_hanging_attempt_leaves_time_for_another(harness: AnsweringHarness) -> None:
    """A lost packet must not cost the whole budget."""
    harness.graph.script = in_turn(hang, status(202))
    assert harness.answer(make_call(), left=2).reason is Reason.ANSWERED


def test_a_slow_but_living_graph_is_waited_for(harness: AnsweringHarness) -> None:
    """One attempt may use most of the time that is left."""

    def answer_late(_request: Request, peer: Peer) -> bytes:
        peer.hang(0.8)
        return json_reply({}, 202)

    harness.graph.script = answer_late
    assert harness.answer(make_call(), left=6) == ended(Reason.ANSWERED, 1, 202)
