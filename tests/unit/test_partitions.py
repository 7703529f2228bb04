"""Partitions and callbackUri."""

import pytest

from shared.core.partitions import (
    build_callback_uri,
    choose_partition,
    is_partition_name,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default", True),
        ("a", True),
        ("0-a", True),
        ("a" * 32, True),
        ("", False),
        ("a" * 33, False),
        ("-a", False),
        ("A", False),
        ("a_b", False),
        ("a\n", False),
        ("a/b", False),
        ("\uff41", False),
    ],
)
def test_partition_names_are_checked_case_sensitively(
    name: str, expected: bool
) -> None:
    """Contract section 1."""
    assert is_partition_name(name) is expected


def test_without_partitions_the_name_is_default() -> None:
    """Contract section 4."""
    assert choose_partition("any-call", ()) == "default"


def test_the_choice_is_fixed_for_ever() -> None:
    """Every instance of every version must choose the same: these are pinned."""
    names = ("media-a", "media-b", "media-c")
    calls = [f"call-{number}" for number in range(8)]

    chosen = [choose_partition(call, names) for call in calls]

    assert chosen == [choose_partition(call, names[::-1]) for call in calls]
    assert chosen == [
        "media-c",
        "media-a",
        "media-b",
        "media-c",
        "media-a",
        "media-a",
        "media-c",
        "media-b",
    ]


def test_partitions_share_the_calls_evenly() -> None:
    """Within a tenth of a third each, for 9,000 calls."""
    names = ("a", "b", "c")
    chosen = [choose_partition(f"call-{number}", names) for number in range(9_000)]

    assert all(2_700 < chosen.count(name) < 3_300 for name in names)


def test_removing_a_partition_moves_only_its_calls() -> None:
    """That is what rendezvous hashing is for."""
    names = ("a", "b", "c", "d")
    for number in range(500):
        call = f"call-{number}"
        before = choose_partition(call, names)
        if before != "d":
            assert choose_partition(call, names[:3]) == before


def test_a_callback_uri_has_the_host_with_its_port_and_the_partition() -> None:
    uri = build_callback_uri("weu.example.org:8443", "media-a")

    assert uri == "https://weu.example.org:8443/api/calls/media-a"
