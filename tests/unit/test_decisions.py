"""The order of work, and what is decided at each step."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.core import rules
from shared.core.context import LogFacts
from shared.core.decisions import Accept, AskForGraph, refuse_without_settings
from shared.core.errors import WebhookError
from shared.core.items import TakeItems
from shared.core.key_sets import KeySet
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.core.webhook import MAX_BODY_BYTES
from tests.simulator.platform.notifications import (
    Call,
    established,
    incoming,
    legacy_incoming,
)
from tests.simulator.services.signing import TENANT_ID
from tests.support.rules import (
    KEY,
    KEY_SET,
    TOKENS,
    FakeKeys,
    build_deployment,
    build_request,
    call_from,
    decide_on,
    graph,
    status_of,
)

TO_SEA = {"countryCode": ["SG"], "regions": ["sea"]}
JOINING = {"@odata.type": "#microsoft.graph.participantJoiningNotification", "call": {}}


def status_without_settings(body: bytes) -> int:
    """Return the status of the refusal where no settings can be used."""
    with pytest.raises(WebhookError) as refused:
        refuse_without_settings(build_request(None, body, partition="BAD"))
    return int(refused.value.status)


def test_each_step_is_before_the_next() -> None:
    """A POST that is wrong in every way is refused by the first step, and so on."""
    strict = build_deployment(allowed_tenants=frozenset({"other"}))
    open_door = build_deployment()
    statuses = [
        status_without_settings(b"x" * (MAX_BODY_BYTES + 1)),
        status_without_settings(b"x"),
        status_of(decide_on(strict, b"x", token=None, partition="BAD")),
        status_of(decide_on(strict, b"x", partition="BAD")),
        status_of(decide_on(open_door, b"x", partition="BAD")),
        status_of(decide_on(open_door, b"x", partition="good")),
    ]

    assert statuses == [413, 503, 401, 403, 404, 400]


def test_a_body_of_exactly_one_mebibyte_is_read() -> None:
    body = b'{"callState":"incoming"}'.ljust(MAX_BODY_BYTES)

    assert decide_on(build_deployment(), body) == AskForGraph()


def test_a_legacy_notification_is_asked_for_in_graph() -> None:
    """The callback route and region rules make no difference."""
    deployment = build_deployment(rules=[{"regions": ["sea"]}])
    body = legacy_incoming(call_from("SG"))

    assert decide_on(deployment, body) == AskForGraph()
    assert decide_on(deployment, body, partition="a") == AskForGraph()


def test_an_incoming_call_that_no_rule_sends_elsewhere_is_answered_here() -> None:
    decision = decide_on(build_deployment(), graph("DE"))

    assert isinstance(decision, TakeItems)
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
        (JOINING, Reason.PARTICIPANT_JOINING),
    ],
)
def test_everything_else_is_accepted(body: dict[str, Any], reason: Reason) -> None:
    assert decide_on(build_deployment(), body) == Accept(reason)
    assert decide_on(build_deployment(), body, partition="a") == Accept(reason)


def test_more_than_a_hundred_items_are_refused_whatever_they_are() -> None:
    """docs/behaviour.md section 2: the platform sends a handful."""
    deployment = build_deployment()
    assert decide_on(deployment, {"value": [None] * 100}) == Accept(Reason.BATCH)
    for item in (None, *graph("DE")["value"]):
        refusal = decide_on(deployment, {"value": [item] * 101})
        assert isinstance(refusal, WebhookError)
        assert (refusal.status, refusal.reason) == (400, Reason.TOO_MANY_ITEMS)


def test_an_incoming_call_on_the_callback_route_is_only_accepted() -> None:
    """It is neither redirected nor answered."""
    decision = decide_on(build_deployment(rules=[TO_SEA]), graph("SG"), partition="a")

    assert decision == Accept(Reason.INCOMING_ON_CALLBACK)


def test_without_answering_calls_are_accepted_but_still_redirected() -> None:
    deployment = build_deployment(rules=[TO_SEA], answers_calls=False)

    here = decide_on(deployment, graph("DE"))
    there = decide_on(deployment, graph("SG"))

    assert here == Accept(Reason.ANSWERING_OFF, rules.ANSWER)
    assert isinstance(there, RedirectTo)


@pytest.mark.requirement("R24")
def test_another_tenant_in_the_payload_is_noted_and_tid_counts() -> None:
    """Calls across tenants exist."""
    call = Call(tenant_id="99999999-9999-4999-8999-999999999999")
    facts = LogFacts()

    decision = decide_on(build_deployment(), incoming(call, "https://b"), facts=facts)

    assert isinstance(decision, TakeItems)
    assert decision.tenant_id == TENANT_ID
    assert facts.notes == {Reason.TENANT_DIFFERS}


@pytest.mark.requirement("R24")
def test_an_allow_list_lets_only_its_tenants_in() -> None:
    allowed = build_deployment(allowed_tenants=frozenset({TENANT_ID}))
    other = build_deployment(allowed_tenants=frozenset({"other"}))

    assert isinstance(decide_on(allowed, {"value": []}), Accept)
    assert status_of(decide_on(other, {"value": []})) == 403


def test_another_id_in_the_data_than_in_the_url_is_noted() -> None:
    body = graph("DE")
    body["value"][0]["resourceData"]["id"] = "other"
    facts = LogFacts()

    decide_on(build_deployment(), body, facts=facts)

    assert facts.notes == {Reason.CALL_ID_DIFFERS}


@pytest.mark.parametrize(
    ("listed", "partition", "notes"),
    [
        (("new",), "old", {Reason.PARTITION_UNLISTED}),
        (("new",), "default", {Reason.PARTITION_UNLISTED}),
        ((), "old", {Reason.PARTITION_UNLISTED}),
        ((), "default", set()),
    ],
)
def test_a_partition_that_is_not_listed_is_taken_and_noted(
    listed: tuple[str, ...], partition: str, notes: set[Reason]
) -> None:
    """The last calls of a partition that was removed still end here."""
    deployment, facts = build_deployment(partitions=listed), LogFacts()

    decision = decide_on(deployment, {"value": []}, partition=partition, facts=facts)

    assert isinstance(decision, Accept)
    assert facts.notes == notes


@pytest.mark.requirement("R19")
def test_headers_that_anybody_can_send_are_not_trusted() -> None:
    """Neither a principal nor a forwarded host changes anything."""
    headers = {
        "x-ms-client-principal": "e30=",
        "x-ms-client-principal-id": "admin",
        "x-forwarded-host": "evil.example",
        "x-original-url": "https://evil.example/",
        "host": "evil.example",
    }
    deployment = build_deployment(rules=[TO_SEA])

    refused = decide_on(deployment, graph("SG"), token=None, headers=headers)
    redirect = decide_on(deployment, graph("SG"), headers=headers)

    assert status_of(refused) == 401
    assert isinstance(redirect, RedirectTo)
    assert "evil" not in redirect.location


@pytest.mark.requirement("R3", "R16")
def test_without_keys_only_what_needs_a_key_is_unavailable() -> None:
    """A token that can be refused without a key gets 401 and causes no fetch."""
    keys = FakeKeys(None)
    deployment = build_deployment(keys=keys)

    for token in (None, TOKENS.variant("unsigned")):
        assert status_of(decide_on(deployment, {}, token=token)) == 401
    assert keys.asked == []
    assert status_of(decide_on(deployment, {})) == 503
    assert keys.asked == [KEY.key_id]


@pytest.mark.requirement("R16")
def test_whatever_breaks_while_a_token_is_read_is_the_tokens_fault() -> None:
    """An exception of a library ends as 401."""

    class Broken:
        def verify(self, *_arguments: object) -> None:
            raise MemoryError

    broken = KeySet({KEY.key_id: Broken()})  # type: ignore[dict-item]

    assert status_of(decide_on(build_deployment(broken), {"value": []})) == 401


class CountedKeys(dict[str, RSAPublicKey]):
    """Keys by id; counts how often one is taken to verify a signature."""

    taken = 0

    def get(self, key_id: str, default: Any = None) -> Any:
        self.taken += 1
        return super().get(key_id, default)


@pytest.mark.requirement("R15")
def test_a_repeated_token_is_verified_once_and_its_times_every_time() -> None:
    claims, token = TOKENS.claims(), TOKENS.mint()
    now = claims["nbf"]
    keys = CountedKeys(KEY_SET.keys)
    deployment = build_deployment(KeySet(keys), clock=lambda: now)

    assert isinstance(decide_on(deployment, {"value": []}, token=token), Accept)
    assert isinstance(decide_on(deployment, {"value": []}, token=token), Accept)
    assert keys.taken == 1
    now = claims["exp"] + 301
    assert status_of(decide_on(deployment, {"value": []}, token=token)) == 401


@pytest.mark.requirement("R10")
def test_a_withdrawn_key_ends_its_repeated_tokens() -> None:
    """A new key set replaces the old one and every verdict by it."""
    keys, token = FakeKeys(KEY_SET), TOKENS.mint()
    deployment = build_deployment(keys=keys)
    assert isinstance(decide_on(deployment, {"value": []}, token=token), Accept)

    keys.key_set = KeySet({})

    assert status_of(decide_on(deployment, {"value": []}, token=token)) == 401
