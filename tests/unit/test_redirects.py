"""Where calls are redirected to, by rules and by the health of the regions."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.core.context import LogFacts
from shared.core.items import TakeItems
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from tests.simulator.platform.notifications import batch, established, incoming
from tests.simulator.services.signing import TENANT_ID
from tests.support.rules import FakePeers, build_deployment, call_from, decide_on, graph

RULES = [
    {"countryCode": ["SG"], "regions": ["sea", "neu"]},
    {"countryCode": ["IE"], "regions": ["neu"]},
]
TO_SEA = build_deployment(rules=[{"countryCode": ["SG"], "regions": ["sea"]}])


def target_of(decision: object) -> str | None:
    """Return the region that calls are redirected to; ``None``: they are answered."""
    if isinstance(decision, RedirectTo):
        return decision.region
    assert isinstance(decision, TakeItems)
    return None


def test_an_incoming_call_of_another_region_is_redirected() -> None:
    """Location has the region's host and port, and the marker ``hop``."""
    assert decide_on(TO_SEA, graph("SG")) == RedirectTo(
        "sea", "https://sea.example.org:8443/api/calls?hop=1", 302
    )


@pytest.mark.requirement("R20")
@pytest.mark.parametrize(
    "query",
    [
        *("?hop=1", "?hop=", "?hop", "?hop=0"),
        *("?a=1&hop=2", "?HOP=1", "?h%6Fp=1", "?hop&hop"),
    ],
)
def test_a_call_is_redirected_once(query: str) -> None:
    """``hop`` counts with any value; a suppressed redirect is noted."""
    facts = LogFacts()

    decision = decide_on(TO_SEA, graph("SG"), query=query, facts=facts)

    assert isinstance(decision, TakeItems)
    assert facts.notes == {Reason.REDIRECT_SUPPRESSED}


@pytest.mark.parametrize("query", ["?hope=1", "?shop=1", "?a=hop", "?"])
def test_other_queries_are_no_hops(query: str) -> None:
    assert isinstance(decide_on(TO_SEA, graph("SG"), query=query), RedirectTo)


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
    regions: list[str], unhealthy: list[str], expected: str | None
) -> None:
    """The call stays if that is the own region, or if no region is healthy."""
    deployment = build_deployment(rules=[{"regions": regions}], unhealthy=unhealthy)
    facts = LogFacts()

    assert target_of(decide_on(deployment, graph("DE"), facts=facts)) == expected
    assert (Reason.REGION_UNHEALTHY in facts.notes) is bool(unhealthy)


def test_a_call_that_was_redirected_asks_for_nobodys_health() -> None:
    """It stays in any case; the suppressed redirect is noted."""
    peers, facts = FakePeers(), LogFacts()
    deployment = build_deployment(rules=[{"regions": ["sea"]}], peers=peers)

    decide_on(deployment, graph("DE"), query="?hop=1", facts=facts)

    assert peers.asked == []
    assert facts.notes == {Reason.REDIRECT_SUPPRESSED}


def test_the_health_of_the_own_region_is_not_asked() -> None:
    peers = FakePeers()
    deployment = build_deployment(rules=[{"regions": ["weu", "sea"]}], peers=peers)

    decide_on(deployment, graph("DE"))

    assert peers.asked == []


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
    condition: str, value: str, headers: dict[str, str]
) -> None:
    """These are the rows of docs/behaviour.md section 3."""
    call = call_from("SG", is_policy_recording=True, media_hosted_region="ASEA")
    for wanted, expected in ((value, "sea"), ("other", None)):
        rules = [{condition: [wanted], "regions": ["sea"]}]
        deployment = build_deployment(rules=rules)
        decision = decide_on(deployment, incoming(call, "https://b"), headers=headers)
        assert target_of(decision) == expected


def test_several_calls_for_one_other_region_are_redirected_together() -> None:
    assert isinstance(decide_on(TO_SEA, graph("SG", "SG")), RedirectTo)


@pytest.mark.parametrize(
    "other",
    [
        established(call_from("SG"), is_audio_active=False)["value"][0],
        None,
        graph("DE")["value"][0],
        {"resourceUrl": "/app/calls/..%2f"},
    ],
)
def test_a_mixed_batch_is_handled_here(other: Any) -> None:
    """One other or unreadable item keeps the rest here, where it is answered."""
    [call] = graph("SG")["value"]
    for items in ((call, other), (other, call)):
        decision = decide_on(TO_SEA, batch(*items))
        assert isinstance(decision, TakeItems)
        assert len(decision.calls) >= 1


@pytest.mark.parametrize("countries", [["SG", "IE"], ["IE", "SG"], ["IE", "IE", "SG"]])
def test_calls_of_two_other_regions_are_answered_here(countries: list[str]) -> None:
    """A redirect moves the whole batch, so some calls would go wrong."""
    decision = decide_on(build_deployment(rules=RULES), graph(*countries))

    assert isinstance(decision, TakeItems)


def test_calls_that_meet_in_one_healthy_region_are_redirected() -> None:
    """One call's second choice is the other call's first."""
    deployment = build_deployment(rules=RULES, unhealthy=["sea"])

    assert target_of(decide_on(deployment, graph("SG", "IE"))) == "neu"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"sea": True}, "sea"),
        ({"sea": False, "neu": True}, "neu"),
        ({"sea": False, "neu": False}, None),
    ],
)
def test_known_health_is_taken_without_a_look(
    known: Mapping[str, bool], expected: str | None
) -> None:
    peers, facts = FakePeers(known=known), LogFacts()
    deployment = build_deployment(rules=RULES, peers=peers)

    assert target_of(decide_on(deployment, graph("SG"), facts=facts)) == expected
    assert peers.asked == []
    assert (Reason.REGION_UNHEALTHY in facts.notes) is (False in known.values())


def test_a_look_is_taken_where_nothing_is_known() -> None:
    """The unhealthy first choice is known, so only the second is asked."""
    peers = FakePeers(known={"sea": False})

    decision = decide_on(build_deployment(rules=RULES, peers=peers), graph("SG"))

    assert isinstance(decision, RedirectTo)
    assert peers.asked == ["neu"]


@pytest.mark.parametrize("countries", [["SG", "DE"], ["DE", "SG"]])
def test_an_unhealthy_region_is_noted_whatever_the_order_of_the_batch(
    countries: list[str],
) -> None:
    """Alerts look for the note, even if another call keeps the batch here."""
    deployment, facts = build_deployment(rules=RULES, unhealthy=["sea"]), LogFacts()

    decision = decide_on(deployment, graph(*countries), facts=facts)

    assert isinstance(decision, TakeItems)
    assert Reason.REGION_UNHEALTHY in facts.notes


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
    *, is_policy_recording: bool, seconds_ago: float, waits: float
) -> None:
    """A call that waited for signing keys waits less for other regions."""
    peers = FakePeers()
    deployment = build_deployment(
        rules=[{"regions": ["sea"]}], peers=peers, monotonic=lambda: 1000.0
    )
    call = call_from("SG", is_policy_recording=is_policy_recording)

    decide_on(deployment, incoming(call, "https://b"), received_at=1000.0 - seconds_ago)

    assert peers.waits == [pytest.approx(waits)]
