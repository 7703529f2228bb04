"""Strict JSON: what is read and what is refused."""

from pathlib import Path

import pytest

from shared.core.strict_json import (
    NotAnObjectError,
    StrictJsonError,
    read_object,
    read_value,
)


@pytest.mark.requirement("R5")
@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b'{"a":1}x', b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b'{"a":NaN}',
        b'{"a":Infinity}', b'{"a":-Infinity}', b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-16-le"), b'{"a":"\xff"}',
        b'{"a":1}\x00', b'{"a":"\n"}', b"[" * 100_000, b'{"a":' * 100_000,
        b'{"a":' + b"1" * 5_000 + b"}", b"{'a':1}", b'{"a":1,}',
    ],
)  # fmt: skip
def test_what_is_no_strict_json_is_refused(data: bytes) -> None:
    """Python's own reader accepts several of these."""
    with pytest.raises(StrictJsonError):
        read_object(data)


@pytest.mark.parametrize("data", [b"[]", b"null", b"1", b'"a"', b"true"])
def test_an_object_must_be_on_top(data: bytes) -> None:
    """Other values are JSON, but not a notification."""
    with pytest.raises(NotAnObjectError):
        read_object(data)


def test_an_object_is_read_with_any_white_space_around() -> None:
    """RFC 8259 allows white space there."""
    assert read_object(b' \n{"a": [1, "\\u00e9"]}\t') == {"a": [1, "é"]}


@pytest.mark.requirement("R5", "R23")
def test_json_test_suite_is_read_or_refused_with_our_own_error(
    shared_data: Path,
) -> None:
    """No other exception escapes."""
    folder = shared_data / "vectors" / "jsontestsuite" / "test_parsing"
    wrong = []
    for path in sorted(folder.glob("*.json")):
        try:
            read_value(path.read_bytes())
            is_read = True
        except StrictJsonError:
            is_read = False
        duplicate = "duplicated_key" in path.name
        must_read = path.name.startswith("y_") and not duplicate
        must_refuse = path.name.startswith("n_") or duplicate
        if (must_read and not is_read) or (must_refuse and is_read):
            wrong.append(path.name)

    assert wrong == []
