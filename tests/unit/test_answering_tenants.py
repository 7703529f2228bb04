"""shared.edge.answering: calls of several tenants, and calls that others answered."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.core.notifications import CallNotification
from shared.core.outcomes import ItemOutcome
from shared.core.reasons import Reason
from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import TENANT_ID
from tests.support.answering import AnsweringHarness, make_call
from tests.support.servers import Peer, Request, in_turn, json_reply, status

OTHER = "99999999-9999-4999-8999-999999999999"


def answer_in(
    harness: AnsweringHarness, calls: Sequence[tuple[str, CallNotification]]
) -> list[ItemOutcome]:
    """Answer calls of tenants that come at the same time."""

    async def run() -> list[ItemOutcome]:
        begun = [harness.begin(call, tenant_id=tenant) for tenant, call in calls]
        return await asyncio.gather(*begun)

    return asyncio.run(run())


def test_another_tenants_token_does_not_meet_a_call(
    harness: AnsweringHarness,
) -> None:
    """A call id is known only together with the tenant of the token."""
    call = make_call()
    harness.credentials.tenants = {TENANT_ID, OTHER}
    harness.graph.script = in_turn(status(403), status(202))

    outcomes = answer_in(harness, [(OTHER, call), (TENANT_ID, call)])
    again = answer_in(harness, [(OTHER, call), (TENANT_ID, call)])

    assert {o.reason for o in outcomes} == {Reason.ANSWER_REFUSED, Reason.ANSWERED}
    assert len(harness.graph.requests) == 3
    assert Reason.ALREADY_ANSWERED in {o.reason for o in again}


def test_one_tenants_batch_leaves_places_for_others(authority: Authority) -> None:
    """The other tenant's call does not wait for the whole batch."""

    def answer_late(_request: Request, peer: Peer) -> bytes:
        peer.hang(0.3)
        return json_reply({}, 202)

    with AnsweringHarness(authority, threads=8, places_per_tenant=4) as harness:
        harness.credentials.tenants = {TENANT_ID, OTHER}
        harness.graph.script = answer_late
        batch = [make_call() for _ in range(24)]
        other = make_call()

        async def run() -> int:
            begun = [harness.begin(call) for call in batch]
            await harness.begin(other, tenant_id=OTHER)
            ended = sum(task.done() for task in begun)
            await asyncio.gather(*begun)
            return ended

        assert asyncio.run(run()) <= 8


@pytest.mark.parametrize(
    ("token_age", "has_follow_up", "was_expected"),
    [(0, False, False), (6, False, False), (13, False, True), (0, True, True)],
)
def test_a_refusal_of_a_call_that_another_process_answered_is_expected(
    harness: AnsweringHarness,
    token_age: float,
    *,
    has_follow_up: bool,
    was_expected: bool,
) -> None:
    """A follow-up was seen here, or the call was placed longer ago than its budget."""
    call = make_call()
    harness.graph.script = status(403)
    if has_follow_up:
        harness.answering.note_follow_ups(TENANT_ID, [call.call_id])
        harness.answering.note_follow_ups(OTHER, ["another-call"])

    async def run() -> ItemOutcome:
        return await harness.begin(call, token_age=token_age)

    outcome = asyncio.run(run())
    assert outcome.reason is Reason.ANSWER_REFUSED
    assert outcome.was_expected is was_expected
