"""Partitions and callbackUri."""

import pytest

from shared.core.partitions import (
    build_callback_uri,
    choose_partition,
    is_partition_name,
)


@pytest.mark.parametrize("name", ["default", "a", "0-a", "a" * 32])
def test_a_partition_name_has_lower_case_letters_digits_and_hyphens(name: str) -> None:
    assert is_partition_name(name)


@pytest.mark.parametrize(
    "name", ["", "a" * 33, "-a", "A", "a_b", "a\n", "a/b", "\uff41"]
)
def test_other_names_are_no_partitions(name: str) -> None:
    assert not is_partition_name(name)


def test_without_partitions_the_name_is_default() -> None:
    assert choose_partition("any-call", ()) == "default"


def test_the_choice_is_fixed_for_ever() -> None:
    """Every instance of every version must choose the same."""
    names = ("media-a", "media-b", "media-c")
    calls = [f"call-{number}" for number in range(8)]

    chosen = [choose_partition(call, names) for call in calls]

    assert chosen == [choose_partition(call, names[::-1]) for call in calls]
    assert [name.removeprefix("media-") for name in chosen] == [*"cabcaacb"]


def test_partitions_share_the_calls_evenly() -> None:
    """Of 9,000 calls each gets a third, give or take a tenth."""
    chosen = [choose_partition(f"call-{number}", "abc") for number in range(9_000)]

    assert all(2_700 < chosen.count(name) < 3_300 for name in "abc")


def test_removing_a_partition_moves_only_its_calls() -> None:
    """This is what rendezvous hashing is for."""
    for number in range(500):
        call = f"call-{number}"
        before = choose_partition(call, "abcd")
        if before != "d":
            assert choose_partition(call, "abc") == before


def test_a_callback_uri_has_the_host_with_its_port_and_the_partition() -> None:
    uri = build_callback_uri("weu.example.org:8443", "media-a")

    assert uri == "https://weu.example.org:8443/api/calls/media-a"


def test_a_call_in_capitals_has_the_same_partition() -> None:
    names = ("media-a", "media-b", "media-c")
    for number in range(20):
        call_id = f"call-{number}"
        chosen = choose_partition(call_id, names)
        assert choose_partition(call_id.upper(), names) == chosen
