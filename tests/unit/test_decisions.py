"""The order of work, and what is decided at each step."""

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.core import rules
from shared.core.answers import AnswerCalls
from shared.core.context import LogFacts, RuleContext
from shared.core.decisions import (
    Accept,
    AskForGraph,
    Decision,
    decide,
    refuse_without_settings,
)
from shared.core.errors import WebhookError
from shared.core.key_sets import KeySet
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.core.webhook import MAX_BODY_BYTES, WebhookRequest
from tests.simulator.platform.notifications import (
    Call,
    established,
    incoming,
    legacy_incoming,
)
from tests.simulator.services.signing import TENANT_ID, TokenFactory
from tests.support.rules import (
    FakeKeys,
    build_deployment,
    build_request,
    call_from,
    graph,
)

TO_SEA = {"countryCode": ["SG"], "regions": ["sea"]}


def run(
    request: WebhookRequest,
    deployment: RuleContext | None,
    trail: LogFacts | None = None,
) -> Decision | WebhookError:
    """Decide; a refusal is returned, not raised."""
    try:
        if deployment is None:
            refuse_without_settings(request)
        return asyncio.run(decide(request, deployment, trail or LogFacts()))
    except WebhookError as error:
        return error


def status_of(outcome: Decision | WebhookError) -> int:
    """Return the status of a refusal."""
    assert isinstance(outcome, WebhookError)
    return int(outcome.status)


def test_each_step_is_before_the_next(tokens: TokenFactory, key_set: KeySet) -> None:
    """A POST that is wrong in every way is refused by the first step, and so on."""
    too_large = b"x" * (MAX_BODY_BYTES + 1)
    strict = build_deployment(key_set, allowed_tenants=frozenset({"other"}))
    open_door = build_deployment(key_set)
    statuses = [
        status_of(run(build_request(None, too_large, partition="BAD"), None)),
        status_of(run(build_request(None, b"x", partition="BAD"), None)),
        status_of(run(build_request(None, b"x", partition="BAD"), strict)),
        status_of(run(build_request(tokens, b"x", partition="BAD"), strict)),
        status_of(run(build_request(tokens, b"x", partition="BAD"), open_door)),
        status_of(run(build_request(tokens, b"x", partition="good"), open_door)),
    ]

    assert statuses == [413, 503, 401, 403, 404, 400]


def test_a_body_of_exactly_one_mebibyte_is_read(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    body = b'{"callState":"incoming"}'.ljust(MAX_BODY_BYTES)

    assert run(build_request(tokens, body), build_deployment(key_set)) == AskForGraph()


def test_a_legacy_notification_is_asked_for_in_graph(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """The callback route and region rules make no difference."""
    deployment = build_deployment(key_set, rules=[{"regions": ["sea"]}])
    body = legacy_incoming(call_from("SG"))

    assert run(build_request(tokens, body), deployment) == AskForGraph()
    assert run(build_request(tokens, body, partition="a"), deployment) == AskForGraph()


def test_an_incoming_call_is_answered_here(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """No rule sends it elsewhere."""
    decision = run(build_request(tokens, graph("DE")), build_deployment(key_set))

    assert isinstance(decision, AnswerCalls)
    assert decision.tenant_id == TENANT_ID
    assert len(decision.calls) == 1


@pytest.mark.requirement("R23")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"value": []}, Reason.EMPTY_BATCH),
        ({"value": [None]}, Reason.UNREADABLE_ITEM),
        ({"value": [1, None]}, Reason.BATCH),
        (established(call_from("DE"), is_audio_active=True), Reason.FOLLOW_UP),
        (
            {
                "@odata.type": "#microsoft.graph.participantJoiningNotification",
                "call": {},
            },
            Reason.PARTICIPANT_JOINING,
        ),
    ],
)
def test_everything_else_is_accepted(
    body: dict[str, Any], reason: Reason, tokens: TokenFactory, key_set: KeySet
) -> None:
    deployment = build_deployment(key_set)

    assert run(build_request(tokens, body), deployment) == Accept(reason)
    assert run(build_request(tokens, body, partition="a"), deployment) == Accept(reason)


def test_an_incoming_call_on_the_callback_route_is_only_accepted(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """It is neither redirected nor answered."""
    deployment = build_deployment(key_set, rules=[TO_SEA])
    request = build_request(tokens, graph("SG"), partition="a")

    assert run(request, deployment) == Accept(Reason.INCOMING_ON_CALLBACK)


def test_without_answering_calls_are_accepted_but_still_redirected(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """CALLING_ANSWER is only about answering."""
    deployment = build_deployment(key_set, rules=[TO_SEA], answers_calls=False)

    here = run(build_request(tokens, graph("DE")), deployment)
    there = run(build_request(tokens, graph("SG")), deployment)

    assert here == Accept(Reason.ANSWERING_OFF, rules.ANSWER)
    assert isinstance(there, RedirectTo)


@pytest.mark.requirement("R24")
def test_another_tenant_in_the_payload_is_noted_and_tid_counts(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """Calls across tenants exist."""
    call = Call(tenant_id="99999999-9999-4999-8999-999999999999")
    trail = LogFacts()

    decision = run(
        build_request(tokens, incoming(call, "https://b")),
        build_deployment(key_set),
        trail,
    )

    assert isinstance(decision, AnswerCalls)
    assert decision.tenant_id == TENANT_ID
    assert trail.notes == {Reason.TENANT_DIFFERS}


@pytest.mark.requirement("R24")
def test_an_allow_list_lets_its_tenants_in(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """The tenant is that of the token."""
    request = build_request(tokens, {"value": []})
    allowed = build_deployment(key_set, allowed_tenants=frozenset({TENANT_ID}))
    other = build_deployment(key_set, allowed_tenants=frozenset({"other"}))

    assert isinstance(run(request, allowed), Accept)
    assert status_of(run(request, other)) == 403


def test_another_id_in_the_data_is_noted(tokens: TokenFactory, key_set: KeySet) -> None:
    """The call id in the URL counts."""
    body = graph("DE")
    body["value"][0]["resourceData"]["id"] = "other"
    trail = LogFacts()

    run(build_request(tokens, body), build_deployment(key_set), trail)

    assert trail.notes == {Reason.CALL_ID_DIFFERS}


def test_a_partition_that_is_not_listed_is_taken_and_noted(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """Its last calls still end here; without a list nothing is noted."""
    request = build_request(tokens, {"value": []}, partition="old")
    trail, silent = LogFacts(), LogFacts()

    listed = build_deployment(key_set, partitions=("new",))
    assert isinstance(run(request, listed, trail), Accept)
    run(request, build_deployment(key_set), silent)

    assert trail.notes == {Reason.PARTITION_UNLISTED}
    assert silent.notes == set()


@pytest.mark.requirement("R19")
def test_headers_that_anybody_can_send_are_not_trusted(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """Neither a principal nor a forwarded host changes anything."""
    headers = {
        "x-ms-client-principal": "e30=",
        "x-ms-client-principal-id": "admin",
        "x-forwarded-host": "evil.example",
        "x-original-url": "https://evil.example/",
        "host": "evil.example",
    }
    deployment = build_deployment(key_set, rules=[TO_SEA])

    refused = run(build_request(None, graph("SG"), headers=headers), deployment)
    redirect = run(build_request(tokens, graph("SG"), headers=headers), deployment)

    assert status_of(refused) == 401
    assert isinstance(redirect, RedirectTo)
    assert "evil" not in redirect.location


@pytest.mark.requirement("R3", "R16")
def test_without_keys_only_what_needs_a_key_is_unavailable(
    tokens: TokenFactory,
) -> None:
    """A token that can be refused without a key gets 401 and causes no fetch."""
    deployment = build_deployment(None)
    keys = deployment.keys
    assert isinstance(keys, FakeKeys)

    for variant in ("unsigned",):
        bearer = {"authorization": f"Bearer {tokens.variant(variant)}"}
        assert (
            status_of(run(build_request(None, {}, headers=bearer), deployment)) == 401
        )
    assert status_of(run(build_request(None, {}), deployment)) == 401
    assert keys.asked == []
    assert status_of(run(build_request(tokens, {}), deployment)) == 503
    assert keys.asked == [tokens.key.key_id]


@pytest.mark.requirement("R16")
def test_whatever_breaks_while_a_token_is_read_is_the_tokens_fault(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """An exception of a library ends as 401."""

    class Broken:
        def verify(self, *_arguments: object) -> None:
            raise MemoryError

    broken = KeySet({tokens.key.key_id: Broken()})  # type: ignore[dict-item]
    outcome = run(build_request(tokens, {"value": []}), build_deployment(broken))

    assert status_of(outcome) == 401


class CountedKeys(dict[str, RSAPublicKey]):
    """Keys by id; counts how often one is taken to verify a signature."""

    taken = 0

    def get(self, key_id: str, default: Any = None) -> Any:
        self.taken += 1
        return super().get(key_id, default)


@pytest.mark.requirement("R15")
def test_a_repeated_token_is_known_and_still_ends(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """It is verified once, and its times are checked every time."""
    now = [0.0]
    claims = tokens.claims()
    now[0] = claims["nbf"]
    keys = CountedKeys(key_set.keys)
    deployment = build_deployment(KeySet(keys), clock=lambda: now[0])
    bearer = {"authorization": f"Bearer {tokens.mint()}"}
    request = build_request(None, {"value": []}, headers=bearer)

    assert isinstance(run(request, deployment), Accept)
    assert isinstance(run(request, deployment), Accept)
    assert keys.taken == 1
    now[0] = claims["exp"] + 301
    assert status_of(run(request, deployment)) == 401


@pytest.mark.requirement("R10")
def test_a_withdrawn_key_ends_its_repeated_tokens(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """A new key set replaces the old one and every verdict by it."""
    deployment = build_deployment(key_set)
    bearer = {"authorization": f"Bearer {tokens.mint()}"}
    request = build_request(None, {"value": []}, headers=bearer)
    assert isinstance(run(request, deployment), Accept)

    assert isinstance(deployment.keys, FakeKeys)
    deployment.keys.key_set = KeySet({})

    assert status_of(run(request, deployment)) == 401
