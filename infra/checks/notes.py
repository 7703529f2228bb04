"""Notes of problems: a place in the file and a sentence for each."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

# Any JSON value: the file may contain anything.
type Json = Any


class Notes:
    """Collects ``problems``, each ``place: sentence``."""

    def __init__(self) -> None:
        """Start without a problem."""
        self.problems: list[str] = []

    def note(self, place: str, sentence: str) -> None:
        """Note one problem."""
        self.problems.append(f"{place}: {sentence}")

    def members(
        self,
        value: Mapping[str, Json],
        known: Collection[str],
        *,
        required: Collection[str],
        prefix: str = "",
    ) -> None:
        """Note the members of an object that are missing or unknown."""
        for name in required:
            if name not in value:
                self.note(f"{prefix}{name}", "is missing.")
        for name in value:
            if name not in known:
                self.note(f"{prefix}{name}", f"is unknown{suggestion(name, known)}.")


def suggestion(name: str, known: Collection[str]) -> str:
    """Return a question that names the closest match in ``known``, or nothing."""
    near = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean «{near[0]}»?" if near else ""


def matches(pattern: re.Pattern[str], value: Json) -> bool:
    """Tell whether ``value`` is a string that the whole pattern matches."""
    return type(value) is str and pattern.fullmatch(value) is not None


def objects(value: Json) -> list[tuple[int, Mapping[str, Json]]]:
    """Return the objects of a list, each with its position in it."""
    items = value if type(value) is list else []
    return [(at, item) for at, item in enumerate(items) if type(item) is dict]


def texts(value: Json) -> list[str]:
    """Return the strings of a list that are not empty."""
    items = value if type(value) is list else []
    return [item for item in items if type(item) is str and item]
