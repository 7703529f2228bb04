"""Regions, partitions and settings against simple statements about them."""

import json
import string
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from shared.core.conditions import CONDITION_NAMES
from shared.core.partitions import (
    build_callback_uri,
    choose_partition,
    is_partition_name,
)
from shared.core.regions import RegionPolicy, RegionRule
from shared.settings import NAMES, read_settings

names = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,31}\Z")
hosts = st.from_regex(r"\A[a-z0-9]{1,10}(\.[a-z]{2,8}){1,3}(:[1-9][0-9]{0,3})?\Z")
facts = st.fixed_dictionaries(
    {
        name: st.lists(st.sampled_from(["a", "B", "ß", "İ", "x"]), max_size=3).map(
            tuple
        )
        for name in CONDITION_NAMES
    }
)
rules = st.lists(
    st.builds(
        lambda conditions, regions: RegionRule(conditions=conditions, regions=regions),
        st.dictionaries(
            st.sampled_from(CONDITION_NAMES),
            st.lists(st.sampled_from(["A", "b", "SS", "x"]), min_size=1, max_size=3),
            max_size=3,
        ),
        st.lists(st.sampled_from(["weu", "sea"]), min_size=1, max_size=2),
    ),
    max_size=8,
)


def first_match(
    region_rules: Sequence[RegionRule], known: dict[str, tuple[str, ...]]
) -> list[str]:
    """Try one rule after another, as docs/behaviour.md section 3 says."""
    for rule in region_rules:
        if all(
            any(v.casefold() == w.casefold() for v in known[name] for w in values)
            for name, values in rule.conditions.items()
        ):
            return list(rule.regions)
    return []


@given(rules, facts)
def test_prepared_rules_decide_as_the_first_match(
    region_rules: list[RegionRule], known: dict[str, tuple[str, ...]]
) -> None:
    policy = RegionPolicy(region_rules)

    assert list(policy.find_rule(known).regions) == first_match(region_rules, known)


@given(hosts, names)
def test_a_callback_uri_holds_host_and_partition(host: str, partition: str) -> None:
    url = urlsplit(build_callback_uri(host, partition))

    assert (url.scheme, url.netloc) == ("https", host)
    assert (url.path, url.query) == (f"/api/calls/{partition}", "")


@given(st.text(max_size=40))
def test_a_partition_name_never_changes_a_url(name: str) -> None:
    if is_partition_name(name):
        assert set(name) <= set(string.ascii_lowercase + string.digits + "-")


@given(st.text(max_size=40), st.lists(names, min_size=2, max_size=8, unique=True))
def test_removing_a_partition_moves_only_its_calls(
    call_id: str, partitions: list[str]
) -> None:
    """The order of the partitions does not matter."""
    chosen = choose_partition(call_id, partitions)

    assert choose_partition(call_id, sorted(partitions)) == chosen
    for removed in partitions:
        if removed != chosen:
            rest = [name for name in partitions if name != removed]
            assert choose_partition(call_id, rest) == chosen


setting_values = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["true", "302", "https://a.example", "weu", "{}", "[]", "-1"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(st.text(max_size=5), children, max_size=3)
        ),
    ).map(json.dumps),
)


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=20), setting_values))
def test_settings_are_read_or_reported_and_never_raise(environ: dict[str, Any]) -> None:
    report = read_settings(environ)

    assert (report.settings is None) == bool(report.problems)
    for problem in report.problems:
        assert problem.split(":")[0] in {*NAMES, "WEBSITE_HOSTNAME"}
