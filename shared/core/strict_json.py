"""Strict JSON for everything that comes from outside (RFC 8259, RFC 7515 section 4).

UTF-8 only, no byte order mark, no duplicate members, no NaN or Infinity, an object
on top. Python's own reader is tolerant in all of these: it detects UTF-16, lets the
last duplicate win and takes NaN, so that two readers may see two different tokens.
"""

import json
import math
from typing import Any, NoReturn

type JsonObject = dict[str, Any]

_WHITE_SPACE = " \t\n\r"


class StrictJsonError(ValueError):
    """The bytes are not strict JSON."""


class NotAnObjectError(StrictJsonError):
    """The bytes are strict JSON, but no object."""


def read_object(data: bytes) -> JsonObject:
    """Read one JSON object.

    Raises:
        NotAnObjectError: the top level is something else.
        StrictJsonError: anything else is wrong, nesting and size of numbers included.
    """
    value = read_value(data)
    if type(value) is not dict:
        raise NotAnObjectError
    return value


def read_value(data: bytes) -> Any:  # noqa: ANN401 - any JSON value is what it reads
    """Read one JSON value.

    Raises:
        StrictJsonError: the bytes are not strict JSON.
    """
    try:
        text = data.decode("utf-8").strip(_WHITE_SPACE)
        value, end = _DECODER.raw_decode(text)
    # UnicodeDecodeError and json's own error are ValueErrors, as is the refusal of
    # a number with thousands of digits; nesting ends in RecursionError.
    except (ValueError, RecursionError) as error:
        raise StrictJsonError from error
    if end != len(text):
        raise StrictJsonError
    return value


def is_json(value: object) -> bool:
    """Tell whether a value can be written as JSON."""
    try:
        json.dumps(value, allow_nan=False)
    # TypeError: of another type; ValueError: NaN, or it holds itself.
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _unique_members(pairs: list[tuple[str, Any]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "duplicate member"
        raise ValueError(message)
    return members


def _no_constant(_name: str) -> NoReturn:
    message = "NaN and Infinity are not JSON"
    raise ValueError(message)


def _finite(text: str) -> float:
    """Read a number; one such as 1e999 could not be written again."""
    number = float(text)
    if math.isinf(number):
        message = "a number is too large"
        raise ValueError(message)
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_constant=_no_constant,
    parse_float=_finite,
)
