"""Region rules: the first whose conditions all hold decides."""

from collections.abc import Mapping, Sequence

import pytest

from shared.core import regions
from shared.core.conditions import CONDITION_NAMES
from shared.core.hosts import host_identity, is_host, is_under_traffic_manager
from shared.core.redirects import redirect_location
from shared.core.regions import RegionPolicy, RegionRule


def _facts(**known: str | tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    values = {n: (v,) if isinstance(v, str) else v for n, v in known.items()}
    return {name: values.get(name, ()) for name in CONDITION_NAMES}


def _policy(*rules: tuple[Mapping[str, Sequence[str]], Sequence[str]]) -> RegionPolicy:
    return RegionPolicy(
        [
            RegionRule(conditions=conditions, regions=tuple(regions))
            for conditions, regions in rules
        ]
    )


@pytest.mark.parametrize("condition", CONDITION_NAMES)
def test_each_condition_compares_without_case(condition: str) -> None:
    """docs/behaviour.md section 3 promises this."""
    policy = _policy(({condition: ["Emea", "apac"]}, ["weu"]))

    assert policy.find_rule(_facts(**{condition: "EMEA"})).regions == ("weu",)
    assert policy.find_rule(_facts(**{condition: "amer"})).regions == ()


@pytest.mark.parametrize("condition", CONDITION_NAMES)
def test_a_missing_value_never_matches(condition: str) -> None:
    """A rule that lists the word "none" does not match it either."""
    policy = _policy(({condition: ["none", "None"]}, ["weu"]))

    assert policy.find_rule(_facts()).regions == ()


def test_the_first_matching_rule_decides() -> None:
    """The order of the list is the priority."""
    policy = _policy(
        ({"countryCode": ["DE"]}, ["weu"]),
        ({"countryCode": ["DE", "FR"]}, ["neu"]),
        ({}, ["sea"]),
    )

    assert policy.find_rule(_facts(countryCode="DE")).regions == ("weu",)
    assert policy.find_rule(_facts(countryCode="FR")).regions == ("neu",)
    assert policy.find_rule(_facts(countryCode="US")).regions == ("sea",)


def test_all_conditions_of_a_rule_must_hold() -> None:
    """Conditions are joined by "and", their values by "or"."""
    policy = _policy(({"countryCode": ["DE"], "sourceRegion": ["emea"]}, ["weu"]))

    assert policy.find_rule(_facts(countryCode="DE")).regions == ()
    both = _facts(countryCode="de", sourceRegion="EMEA")
    assert policy.find_rule(both).regions == ("weu",)


def test_a_decision_is_made_once_for_the_values_that_rules_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second look-up does not get slower with more rules."""
    policy = _policy(({"countryCode": ["DE"]}, ["weu"]))
    first = policy.find_rule(_facts(countryCode="DE")).regions
    assert policy.find_rule(_facts(countryCode="FR")).regions == ()
    monkeypatch.setattr(RegionRule, "holds", lambda *_: pytest.fail("again"))

    assert policy.find_rule(_facts(countryCode="de")).regions == first == ("weu",)
    assert policy.find_rule(_facts(countryCode="US")).regions == ()


@pytest.mark.requirement("R25")
def test_decisions_are_kept_for_a_bounded_number_of_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Traffic cannot make memory grow, and decisions stay right."""
    assert regions._MAX_REMEMBERED <= 65_536
    monkeypatch.setattr(regions, "_MAX_REMEMBERED", 2)
    policy = _policy(*(({"countryCode": [code]}, [code]) for code in "abcd"))
    for _ in range(2):
        for code in "abcd":
            assert policy.find_rule(_facts(countryCode=code)).regions == (code,)
        for number in range(100):
            assert policy.find_rule(_facts(countryCode=f"x{number}")).regions == ()

    assert len(policy._remembered) == 2


def test_without_rules_nobody_is_preferred() -> None:
    assert _policy().find_rule(_facts(countryCode="DE")).regions == ()
    assert _policy().conditions == []


def test_a_rule_has_no_conditions_unless_told() -> None:
    """Such a rule always holds."""
    policy = RegionPolicy([RegionRule(regions=("weu",))])

    assert policy.find_rule(_facts()).regions == ("weu",)


def test_all_regions_that_rules_name_are_known() -> None:
    """The health of these regions is watched."""
    policy = _policy(({"tenant": ["x"]}, ["weu", "sea"]), ({}, ["sea", "neu"]))

    assert policy.regions == {"weu", "sea", "neu"}


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
    ("value", "expected"),
    [
        ("weu.example.org", True),
        ("localhost:7071", True),
        ("127.0.0.1:1", True),
        ("a", True),
        ("", False),
        ("a:", False),
        ("a:0", False),
        ("a:65536", False),
        ("a:x", False),
        ("a b", False),
        ("a/b", False),
        ("user@a", False),
        ("a.", False),
        (".a", False),
        ("-a", False),
        ("a_b", False),
        ("https://a", False),
        ("a\n", False),
        ("é.example", False),
        ("a" * 64, False),
        (".".join(["a" * 60] * 5), False),
    ],
)
def test_hosts_are_names_with_or_without_a_port(value: str, expected: bool) -> None:
    """Nothing else may become part of a Location."""
    assert is_host(value) is expected


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
