"""Where calls are redirected to, by rules and by the health of the regions."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from shared.core.answers import AnswerCalls
from shared.core.context import LogFacts, RuleContext
from shared.core.decisions import Decision, decide
from shared.core.key_sets import KeySet
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.core.webhook import WebhookRequest
from tests.simulator.platform.notifications import batch, established, incoming
from tests.simulator.services.signing import TENANT_ID, TokenFactory
from tests.support.rules import (
    FakePeers,
    build_deployment,
    build_request,
    call_from,
    graph,
)

RULES = [
    {"countryCode": ["SG"], "regions": ["sea", "neu"]},
    {"countryCode": ["IE"], "regions": ["neu"]},
]


TO_SEA = {"countryCode": ["SG"], "regions": ["sea"]}


def run(
    request: WebhookRequest, deployment: RuleContext, trail: LogFacts | None = None
) -> Decision:
    return asyncio.run(decide(request, deployment, trail or LogFacts()))


def decide_on(
    countries: list[str],
    peers: FakePeers,
    tokens: TokenFactory,
    key_set: KeySet,
    trail: LogFacts | None = None,
) -> Decision:
    """Decide on a batch of calls from these countries."""
    deployment = build_deployment(key_set, rules=RULES, peers=peers)
    request = build_request(tokens, graph(*countries))
    return run(request, deployment, trail)


def test_an_incoming_call_of_another_region_is_redirected(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """Location has the region's host and port, and the marker ``hop``."""
    deployment = build_deployment(key_set, rules=[TO_SEA])

    assert run(build_request(tokens, graph("SG")), deployment) == RedirectTo(
        "sea", "https://sea.example.org:8443/api/calls?hop=1", 302
    )


@pytest.mark.requirement("R20")
@pytest.mark.parametrize(
    "query",
    [
        "?hop=1",
        "?hop=",
        "?hop",
        "?hop=0",
        "?a=1&hop=2",
        "?HOP=1",
        "?h%6Fp=1",
        "?hop&hop",
    ],
)
def test_a_call_is_redirected_once(
    query: str, tokens: TokenFactory, key_set: KeySet
) -> None:
    """``hop`` counts with any value; a suppressed redirect is noted."""
    deployment = build_deployment(key_set, rules=[TO_SEA])
    trail = LogFacts()

    decision = run(build_request(tokens, graph("SG"), query=query), deployment, trail)

    assert isinstance(decision, AnswerCalls)
    assert trail.notes == {Reason.REDIRECT_SUPPRESSED}


@pytest.mark.parametrize("query", ["?hope=1", "?shop=1", "?a=hop", "?"])
def test_other_queries_are_no_hops(
    query: str, tokens: TokenFactory, key_set: KeySet
) -> None:
    deployment = build_deployment(key_set, rules=[TO_SEA])
    decision = run(build_request(tokens, graph("SG"), query=query), deployment)

    assert isinstance(decision, RedirectTo)


@pytest.mark.parametrize(
    ("regions", "unhealthy", "expected"),
    [
        (["sea"], [], "sea"),
        (["sea", "neu"], [], "sea"),
        (["sea", "neu"], ["sea"], "neu"),
        (["sea"], ["sea"], None),
        (["weu", "sea"], [], None),
        (["sea", "weu", "neu"], ["sea"], None),
        (["sea", "neu"], ["sea", "neu"], None),
    ],
)
def test_the_first_healthy_preference_gets_the_call(
    regions: list[str],
    unhealthy: list[str],
    expected: str | None,
    tokens: TokenFactory,
    key_set: KeySet,
) -> None:
    """The call stays if that is the own region, or if no region is healthy."""
    deployment = build_deployment(
        key_set, rules=[{"regions": regions}], unhealthy=unhealthy
    )
    trail = LogFacts()

    decision = run(build_request(tokens, graph("DE")), deployment, trail)

    if expected is None:
        assert isinstance(decision, AnswerCalls)
    else:
        assert isinstance(decision, RedirectTo)
        assert decision.region == expected
    assert (Reason.REGION_UNHEALTHY in trail.notes) is bool(unhealthy)


def test_a_call_that_was_redirected_asks_for_nobodys_health(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """It stays in any case; the suppressed redirect is noted."""
    deployment = build_deployment(key_set, rules=[{"regions": ["sea"]}])
    trail = LogFacts()
    run(build_request(tokens, graph("DE"), query="?hop=1"), deployment, trail)

    assert isinstance(deployment.peers, FakePeers)
    assert deployment.peers.asked == []
    assert trail.notes == {Reason.REDIRECT_SUPPRESSED}


def test_the_health_of_the_own_region_is_not_asked(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    deployment = build_deployment(key_set, rules=[{"regions": ["weu", "sea"]}])
    run(build_request(tokens, graph("DE")), deployment)

    assert isinstance(deployment.peers, FakePeers)
    assert deployment.peers.asked == []


@pytest.mark.parametrize(
    ("condition", "value", "headers"),
    [
        ("tenant", TENANT_ID.upper(), {}),
        ("countryCode", "SG", {}),
        ("sourceRegion", "EMEA", {}),
        ("mediaHostedRegion", "asea", {}),
        ("callerRegion", "apac", {"x-microsoft-skype-caller-region": "APAC"}),
        ("teamsRegion", "apac", {"ms-teams-region": "Apac"}),
    ],
)
def test_each_condition_looks_at_its_own_fact(
    condition: str,
    value: str,
    headers: dict[str, str],
    tokens: TokenFactory,
    key_set: KeySet,
) -> None:
    """These are the rows of docs/behaviour.md section 3."""
    call = call_from("SG", is_policy_recording=True, media_hosted_region="ASEA")
    request = build_request(tokens, incoming(call, "https://b"), headers=headers)
    for wanted, kind in ((value, RedirectTo), ("other", AnswerCalls)):
        rules = [{condition: [wanted], "regions": ["sea"]}]
        assert isinstance(run(request, build_deployment(key_set, rules=rules)), kind)


def test_several_calls_for_one_other_region_are_redirected_together(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    deployment = build_deployment(key_set, rules=[TO_SEA])

    decision = run(build_request(tokens, graph("SG", "SG")), deployment)

    assert isinstance(decision, RedirectTo)


@pytest.mark.parametrize(
    "others",
    [
        [established(call_from("SG"), is_audio_active=False)["value"][0]],
        [None],
        [graph("DE")["value"][0]],
        [{"resourceUrl": "/app/calls/..%2f"}],
    ],
)
def test_a_mixed_batch_is_handled_here(
    others: list[Any], tokens: TokenFactory, key_set: KeySet
) -> None:
    """One other or unreadable item keeps the rest here, where it is answered."""
    deployment = build_deployment(key_set, rules=[TO_SEA])
    for items in ([*graph("SG")["value"], *others], [*others, *graph("SG")["value"]]):
        decision = run(build_request(tokens, batch(*items)), deployment)
        assert isinstance(decision, AnswerCalls)
        assert len(decision.calls) >= 1


@pytest.mark.parametrize("countries", [["SG", "IE"], ["IE", "SG"], ["IE", "IE", "SG"]])
def test_calls_of_two_other_regions_are_answered_here(
    countries: list[str], tokens: TokenFactory, key_set: KeySet
) -> None:
    """A redirect moves the whole batch, so some calls would go wrong."""
    decision = decide_on(countries, FakePeers(), tokens, key_set)

    assert isinstance(decision, AnswerCalls)


def test_calls_that_meet_in_one_healthy_region_are_redirected(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """One call's second choice is the other call's first."""
    decision = decide_on(["SG", "IE"], FakePeers("sea"), tokens, key_set)

    assert isinstance(decision, RedirectTo)
    assert decision.region == "neu"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"sea": True}, "sea"),
        ({"sea": False, "neu": True}, "neu"),
        ({"sea": False, "neu": False}, None),
    ],
)
def test_known_health_is_taken_without_a_look(
    known: Mapping[str, bool],
    expected: str | None,
    tokens: TokenFactory,
    key_set: KeySet,
) -> None:
    """Nobody waits for what is known."""
    peers, trail = FakePeers(known=known), LogFacts()

    decision = decide_on(["SG"], peers, tokens, key_set, trail)

    region = decision.region if isinstance(decision, RedirectTo) else None
    assert region == expected
    assert peers.asked == []
    assert (Reason.REGION_UNHEALTHY in trail.notes) is (False in known.values())


def test_a_look_is_taken_where_nothing_is_known(
    tokens: TokenFactory, key_set: KeySet
) -> None:
    """The unhealthy first choice is known, so only the second is asked."""
    peers = FakePeers(known={"sea": False})

    decision = decide_on(["SG"], peers, tokens, key_set)

    assert isinstance(decision, RedirectTo)
    assert peers.asked == ["neu"]


@pytest.mark.parametrize("countries", [["SG", "DE"], ["DE", "SG"]])
def test_an_unhealthy_region_is_noted_whatever_the_order_of_the_batch(
    countries: list[str], tokens: TokenFactory, key_set: KeySet
) -> None:
    """Alerts look for the note, even if another call keeps the batch here."""
    trail = LogFacts()

    decision = decide_on(countries, FakePeers("sea"), tokens, key_set, trail)

    assert isinstance(decision, AnswerCalls)
    assert Reason.REGION_UNHEALTHY in trail.notes


@pytest.mark.parametrize(
    ("is_policy_recording", "seconds_ago", "waits"),
    [
        (False, 0.0, 0.5),
        (False, 10.8, 0.2),
        (False, 11.5, 0.0),
        (True, 0.0, 0.5),
        (True, 2.8, 0.2),
        (True, 3.5, 0.0),
    ],
)
def test_the_last_second_of_the_budget_is_kept_for_graph(
    tokens: TokenFactory,
    key_set: KeySet,
    *,
    is_policy_recording: bool,
    seconds_ago: float,
    waits: float,
) -> None:
    """A call that waited for signing keys waits less for other regions."""
    peers = FakePeers()
    context = build_deployment(
        key_set, rules=[{"regions": ["sea"]}], peers=peers, monotonic=lambda: 1000.0
    )
    call = call_from("SG", is_policy_recording=is_policy_recording)
    request = build_request(tokens, incoming(call, "https://b"))
    request = request._replace(received_at=1000.0 - seconds_ago)

    asyncio.run(decide(request, context, LogFacts()))

    assert peers.waits == [pytest.approx(waits)]
