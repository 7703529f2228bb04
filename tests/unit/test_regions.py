"""Region rules: the first whose conditions all hold decides."""

from collections.abc import Mapping, Sequence

import pytest

from shared.core import regions
from shared.core.conditions import CONDITION_NAMES
from shared.core.hosts import host_identity, is_host, is_under_traffic_manager
from shared.core.redirects import redirect_location
from shared.core.regions import RegionPolicy, RegionRule


def _policy(*rules: tuple[Mapping[str, Sequence[str]], Sequence[str]]) -> RegionPolicy:
    return RegionPolicy(
        [
            RegionRule(conditions=conditions, regions=tuple(regions))
            for conditions, regions in rules
        ]
    )


def preferred(policy: RegionPolicy, **known: str) -> Sequence[str]:
    """Return the regions of the rule that decides for a call with these values."""
    facts = {n: (known[n],) if n in known else () for n in CONDITION_NAMES}
    return policy.find_rule(facts).regions


@pytest.mark.parametrize("condition", CONDITION_NAMES)
def test_each_condition_compares_without_case(condition: str) -> None:
    policy = _policy(({condition: ["Emea", "apac"]}, ["weu"]))

    assert preferred(policy, **{condition: "EMEA"}) == ("weu",)
    assert preferred(policy, **{condition: "amer"}) == ()


@pytest.mark.parametrize("condition", CONDITION_NAMES)
def test_a_missing_value_never_matches(condition: str) -> None:
    """A rule that lists the word "none" does not match it either."""
    policy = _policy(({condition: ["none", "None"]}, ["weu"]))

    assert preferred(policy) == ()


def test_the_first_matching_rule_decides() -> None:
    policy = _policy(
        ({"countryCode": ["DE"]}, ["weu"]),
        ({"countryCode": ["DE", "FR"]}, ["neu"]),
        ({}, ["sea"]),
    )

    assert preferred(policy, countryCode="DE") == ("weu",)
    assert preferred(policy, countryCode="FR") == ("neu",)
    assert preferred(policy, countryCode="US") == ("sea",)


def test_all_conditions_of_a_rule_must_hold() -> None:
    """Conditions are joined by "and", their values by "or"."""
    policy = _policy(({"countryCode": ["DE"], "sourceRegion": ["emea"]}, ["weu"]))

    assert preferred(policy, countryCode="DE") == ()
    assert preferred(policy, countryCode="de", sourceRegion="EMEA") == ("weu",)


def test_a_decision_is_made_once_for_the_values_that_rules_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second look-up does not get slower with more rules."""
    policy = _policy(({"countryCode": ["DE"]}, ["weu"]))
    first = preferred(policy, countryCode="DE")
    assert preferred(policy, countryCode="FR") == ()
    monkeypatch.setattr(RegionRule, "holds", lambda *_: pytest.fail("again"))

    assert preferred(policy, countryCode="de") == first == ("weu",)
    assert preferred(policy, countryCode="US") == ()


@pytest.mark.requirement("R25")
def test_decisions_are_kept_for_a_bounded_number_of_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Traffic cannot make memory grow, and decisions stay right."""
    assert regions._MAX_REMEMBERED == 32_768
    monkeypatch.setattr(regions, "_MAX_REMEMBERED", 2)
    policy = _policy(*(({"countryCode": [code]}, [code]) for code in "abcd"))
    for _ in range(2):
        for code in "abcd":
            assert preferred(policy, countryCode=code) == (code,)
        for number in range(100):
            assert preferred(policy, countryCode=f"x{number}") == ()

    assert len(policy._remembered) == 2


def test_without_rules_nobody_is_preferred() -> None:
    assert preferred(_policy(), countryCode="DE") == ()
    assert _policy().conditions == []


def test_a_rule_has_no_conditions_unless_told() -> None:
    """Such a rule always holds."""
    policy = RegionPolicy([RegionRule(regions=("weu",))])

    assert preferred(policy) == ("weu",)


def test_only_the_conditions_of_some_rule_are_asked() -> None:
    """The other facts need not be looked up."""
    policy = _policy(({"teamsRegion": ["emea"]}, ["weu"]), ({"tenant": ["x"]}, ["neu"]))

    assert [c.name for c in policy.conditions] == ["tenant", "teamsRegion"]


def test_a_redirect_is_absolute_and_marked() -> None:
    """The marker is a query, because that survives a redirect."""
    assert redirect_location("weu.example.org:8443") == (
        "https://weu.example.org:8443/api/calls?hop=1"
    )


@pytest.mark.parametrize(
    "value", ["weu.example.org", "localhost:7071", "127.0.0.1:1", "a"]
)
def test_hosts_are_names_with_or_without_a_port(value: str) -> None:
    assert is_host(value)


@pytest.mark.parametrize(
    "value",
    [
        "", "a:", "a:0", "a:65536", "a:x", "a b", "a/b", "user@a", "a.", ".a", "-a",
        "a_b", "https://a", "a\n", "é.example", "a" * 64, ".".join(["a" * 60] * 5),
    ],
)  # fmt: skip
def test_nothing_else_may_become_part_of_a_location(value: str) -> None:
    assert not is_host(value)


def test_two_spellings_of_a_host_are_one_host() -> None:
    """Case and the default port do not matter, another port does."""
    assert host_identity("A.Example") == host_identity("a.example:443")
    assert host_identity("a.example") != host_identity("a.example:444")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("calls.trafficmanager.net", True),
        ("CALLS.TrafficManager.NET:443", True),
        ("trafficmanager.net", True),
        ("x.usgovtrafficmanager.net", True),
        ("nottrafficmanager.net", False),
        ("trafficmanager.net.example.org", False),
    ],
)
def test_names_of_traffic_manager_are_known(host: str, expected: bool) -> None:
    assert is_under_traffic_manager(host) is expected
