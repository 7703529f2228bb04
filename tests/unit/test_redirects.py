"""Where calls are redirected to, by rules and by the health of the regions."""

import asyncio
from collections.abc import Mapping

import pytest

from shared.core.answers import AnswerCalls
from shared.core.context import LogFacts
from shared.core.decisions import Decision, decide
from shared.core.key_sets import KeySet
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from tests.simulator.services.signing import TokenFactory
from tests.support.rules import FakePeers, build_deployment, build_request, graph

RULES = [
    {"countryCode": ["SG"], "regions": ["sea", "neu"]},
    {"countryCode": ["IE"], "regions": ["neu"]},
]


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
    return asyncio.run(decide(request, deployment, trail or LogFacts()))


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
def test_a_sick_region_is_noted_whatever_the_order_of_the_batch(
    countries: list[str], tokens: TokenFactory, key_set: KeySet
) -> None:
    """Alerts look for the note, even if another call keeps the batch here."""
    trail = LogFacts()

    decision = decide_on(countries, FakePeers("sea"), tokens, key_set, trail)

    assert isinstance(decision, AnswerCalls)
    assert Reason.REGION_UNHEALTHY in trail.notes
