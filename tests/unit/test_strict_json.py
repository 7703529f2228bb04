"""Strict JSON: what is read and what is refused."""

from pathlib import Path

import pytest

from shared.core.strict_json import (
    NotAnObjectError,
    StrictJsonError,
    read_object,
    read_value,
)


def is_read(data: bytes) -> bool:
    """Tell whether bytes are read, or refused with our own error and no other."""
    try:
        read_value(data)
    except StrictJsonError:
        return False
    return True


@pytest.mark.requirement("R5")
@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b'{"a":1}x', b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b'{"a":NaN}',
        b'{"a":Infinity}', b'{"a":-Infinity}', b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-16-le"), b'{"a":"\xff"}',
        b'{"a":1}\x00', b'{"a":"\n"}', b"[" * 100_000, b'{"a":' * 100_000,
        b'{"a":' + b"1" * 5_000 + b"}", b'{"a":-1e999}', b"{'a':1}", b'{"a":1,}',
    ],
)  # fmt: skip
def test_what_is_no_strict_json_is_refused(data: bytes) -> None:
    """Python's own reader accepts several of these."""
    with pytest.raises(StrictJsonError):
        read_object(data)


@pytest.mark.parametrize("data", [b"[]", b"null", b"1", b'"a"', b"true"])
def test_an_object_must_be_on_top(data: bytes) -> None:
    with pytest.raises(NotAnObjectError):
        read_object(data)


def test_an_object_is_read_with_any_white_space_around() -> None:
    assert read_object(b' \n{"a": [1, "\\u00e9"]}\t') == {"a": [1, "é"]}


@pytest.mark.requirement("R5", "R23")
def test_json_test_suite_is_read_or_refused(shared_data: Path) -> None:
    """The names of its files say what must be read (y_) and refused (n_)."""
    folder = shared_data / "vectors" / "jsontestsuite" / "test_parsing"
    for path in sorted(folder.glob("*.json")):
        kind = "n_" if "duplicated_key" in path.name else path.name[:2]
        allowed = {"y_": {True}, "n_": {False}}.get(kind, {True, False})
        assert is_read(path.read_bytes()) in allowed, path.name
