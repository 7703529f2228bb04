"""docs/security.md lists every requirement, and every one has a test."""

import re
from pathlib import Path

from tests.security.requirements import CHECKOUT, NUMBERS, documented


def marked_numbers() -> set[str]:
    """Return the numbers that tests carry."""
    found: set[str] = set()
    for path in sorted(Path(CHECKOUT, "tests").rglob("test_*.py")):
        for marks in re.findall(
            r"mark\.requirement\(([^)]*)\)", path.read_text("utf-8")
        ):
            found |= set(re.findall(r"R\d+", marks))
    return found


def test_every_requirement_is_documented_once_and_in_order() -> None:
    """R1 to R28."""
    assert tuple(documented()) == NUMBERS


def test_every_requirement_has_a_test() -> None:
    """That carries its number."""
    assert set(NUMBERS) - marked_numbers() == set()
