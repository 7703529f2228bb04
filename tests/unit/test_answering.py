"""shared.edge.answering: every row of the contract's table of what Graph says."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from shared.core.answers import AnswerOutcome
from shared.core.partitions import choose_partition
from shared.core.reasons import Reason
from shared.edge.entra import CredentialError
from tests.support.answering import (
    HOST,
    ORDINARY_SECONDS,
    POLICY_SECONDS,
    TENANT_ID,
    AnsweringWorld,
    make_call,
    status,
)
from tests.support.servers import (
    Certificates,
    Peer,
    Request,
    Script,
    hang,
    hang_up,
    json_reply,
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return an authority of our own."""
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def world(certificates: Certificates) -> Iterator[AnsweringWorld]:
    """Start a Graph."""
    with AnsweringWorld(certificates) as started:
        yield started


def test_an_accepted_answer_ends_it(world: AnsweringWorld) -> None:
    """One request, with the callbackUri of the call's partition."""
    call = make_call()
    outcome = world.answer(call)

    assert outcome == AnswerOutcome(Reason.ANSWERED, attempts=1, graph_status=202)
    assert not outcome.is_unavailable
    [(_at, request)] = world.requests
    partition = choose_partition(call.call_id, ("p0", "p1"))
    uri = f"https://{HOST}/api/calls/{partition}"
    assert request.json()["callbackUri"] == uri


@pytest.mark.parametrize("code", [200, 201, 204])
def test_any_success_is_an_answer(world: AnsweringWorld, code: int) -> None:
    """Whatever Graph calls it."""
    world.scripts = [status(code)]
    assert world.answer(make_call()).reason is Reason.ANSWERED


def test_a_call_that_is_over_is_taken(world: AnsweringWorld) -> None:
    """404: nobody is there to be answered."""
    error = {"error": {"code": "8522", "message": "Call not found."}}
    world.scripts = [lambda *_: json_reply(error, 404)]
    outcome = world.answer(make_call())

    assert outcome == AnswerOutcome(Reason.CALL_OVER, 1, 404, "8522")
    assert not outcome.is_unavailable


@pytest.mark.parametrize("code", [400, 403, 404, 409, 412])
def test_a_refusal_after_a_lost_reply_means_answered(
    world: AnsweringWorld, code: int
) -> None:
    """Graph has probably taken the first answer; the call is remembered."""
    call = make_call()
    world.scripts = [hang_up, status(code)]

    assert world.answer(call) == AnswerOutcome(Reason.ANSWER_PRESUMED, 2, code)
    assert world.answer(call).reason is Reason.ALREADY_ANSWERED
    assert len(world.requests) == 2


def test_a_refused_token_is_replaced_once(world: AnsweringWorld) -> None:
    """The second request has a new one."""
    world.scripts = [status(401), status(202)]

    assert world.answer(make_call()) == AnswerOutcome(Reason.ANSWERED, 2, 202)
    assert world.tokens() == ["Bearer token-1", "Bearer token-2"]


def test_a_second_refused_token_is_like_other_refusals(world: AnsweringWorld) -> None:
    """A third token would not help."""
    world.scripts = [status(401)]
    outcome = world.answer(make_call())

    assert outcome == AnswerOutcome(Reason.ANSWER_REFUSED, 2, 401)
    assert not outcome.is_unavailable


@pytest.mark.parametrize("code", [400, 402, 403, 405, 408, 409, 415, 418, 422, 451])
def test_a_refusal_is_not_repeated(world: AnsweringWorld, code: int) -> None:
    """Graph's code goes to the log."""
    error = {"error": {"code": "7504", "message": "no permission"}}
    world.scripts = [lambda *_: json_reply(error, code)]

    assert world.answer(make_call()) == AnswerOutcome(
        Reason.ANSWER_REFUSED, 1, code, "7504"
    )


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
def test_a_passing_failure_is_repeated(world: AnsweringWorld, script: Script) -> None:
    """The caller never notices."""
    world.scripts = [script, status(202)]
    assert world.answer(make_call()) == AnswerOutcome(Reason.ANSWERED, 2, 202)


@pytest.mark.parametrize("script", [*UNAVAILABLE, pytest.param(hang, id="hangs")])
def test_a_lasting_failure_ends_with_the_budget(
    world: AnsweringWorld, script: Script
) -> None:
    """The platform is told to come again, in time."""
    world.scripts = [script]
    started = time.monotonic()
    outcome = world.answer(make_call(), left=1.2)

    assert outcome.reason is Reason.ANSWER_UNAVAILABLE
    assert outcome.is_unavailable
    assert outcome.attempts > 1
    assert time.monotonic() - started < 3.6


def test_entra_is_not_asked_again_before_it_says(world: AnsweringWorld) -> None:
    """Where the budget is shorter than that, the call comes again."""
    world.credentials.error = CredentialError("none", retry_after_seconds=60)
    started = time.monotonic()
    outcome = world.answer(make_call(), left=9)

    assert outcome == AnswerOutcome(Reason.CREDENTIAL_UNAVAILABLE, 1)
    assert time.monotonic() - started < 3


def test_no_credential_is_told_apart_and_nothing_is_sent(world: AnsweringWorld) -> None:
    """Graph is not the one to blame."""
    world.credentials.error = CredentialError("none")
    outcome = world.answer(make_call(), left=0.6)

    assert outcome.reason is Reason.CREDENTIAL_UNAVAILABLE
    assert outcome.is_unavailable
    assert world.requests == []


def test_a_credential_that_comes_back_is_used(world: AnsweringWorld) -> None:
    """Within the budget."""
    world.credentials.error = CredentialError("none")

    async def story() -> AnswerOutcome:
        answering = asyncio.create_task(
            world.answering.answer(
                make_call(), tenant_id=TENANT_ID, received_at=time.monotonic()
            )
        )
        await asyncio.sleep(0.05)
        world.credentials.error = None
        return await answering

    assert asyncio.run(story()).reason is Reason.ANSWERED


def test_retry_after_is_obeyed(world: AnsweringWorld) -> None:
    """Graph says when."""
    world.scripts = [status(429, Retry_After="1"), status(202)]
    assert world.answer(make_call()).reason is Reason.ANSWERED

    (first, _), (second, _) = world.requests
    assert second - first > 0.9


def test_retry_after_beyond_the_budget_ends_it_at_once(world: AnsweringWorld) -> None:
    """Waiting longer than the platform does helps nobody."""
    world.scripts = [status(429, Retry_After="60")]
    started = time.monotonic()
    outcome = world.answer(make_call())

    assert outcome == AnswerOutcome(Reason.ANSWER_UNAVAILABLE, 1, 429)
    assert time.monotonic() - started < 3


@pytest.mark.requirement("R25")
@pytest.mark.parametrize("value", ["0", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_retry_after_of_nothing_does_not_make_us_hammer(
    world: AnsweringWorld, value: str
) -> None:
    """A throttling Graph that says zero gets pauses all the same."""
    world.scripts = [status(429, Retry_After=value)]
    world.answer(make_call(), left=1)
    assert len(world.requests) <= 5


def test_a_policy_recording_has_the_smaller_budget(world: AnsweringWorld) -> None:
    """4 seconds from the arrival of the POST, where an ordinary call has 12."""
    left = ORDINARY_SECONDS - POLICY_SECONDS - 0.5
    ordinary = world.answer(make_call(), left=left)
    policy = world.answer(make_call(is_policy_recording=True), left=left)

    assert ordinary.reason is Reason.ANSWERED
    assert policy == AnswerOutcome(Reason.ANSWER_UNAVAILABLE)
    assert len(world.requests) == 1


def test_a_policy_recording_is_answered_within_its_budget(
    world: AnsweringWorld,
) -> None:
    """A second and a half is left of its four."""
    call = make_call(is_policy_recording=True)
    left = ORDINARY_SECONDS - POLICY_SECONDS + 1.5
    assert world.answer(call, left=left).reason is Reason.ANSWERED


def test_a_post_that_arrived_too_long_ago_is_not_answered(
    world: AnsweringWorld,
) -> None:
    """The caller has hung up: an answer now would be a surprise."""
    outcome = world.answer(make_call(), left=-0.1)
    assert outcome == AnswerOutcome(Reason.ANSWER_UNAVAILABLE, attempts=0)
    assert world.requests == []


def test_a_hanging_attempt_leaves_time_for_another(world: AnsweringWorld) -> None:
    """A lost packet must not cost the whole budget."""
    world.scripts = [hang, status(202)]
    assert world.answer(make_call(), left=2).reason is Reason.ANSWERED


def test_a_slow_but_living_graph_is_waited_for(world: AnsweringWorld) -> None:
    """An attempt has most of what remains."""

    def answer_late(_request: Request, peer: Peer) -> bytes:
        peer.hang(0.8)
        return json_reply({}, 202)

    world.scripts = [answer_late]
    assert world.answer(make_call(), left=6) == AnswerOutcome(Reason.ANSWERED, 1, 202)
