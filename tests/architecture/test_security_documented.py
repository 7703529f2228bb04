"""docs/security.md lists every requirement, and every one has a test."""

import re
from pathlib import Path

from tests.security import attacks
from tests.security.requirements import NUMBERS, documented
from tests.support.checkout import CHECKOUT
from tests.support.markdown_tables import code, read_table

ATTACKS = [*(f"A{n}" for n in range(1, 31)), *(f"W{n}" for n in range(1, 9))]


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


def test_the_documented_number_of_rows_is_that_of_the_attack_table() -> None:
    """The page states it beside the threat of forged tokens."""
    text = Path(CHECKOUT, "docs", "security.md").read_text("utf-8")

    assert f"{len(attacks.all_rows())} rows in" in text


def test_every_attack_has_cases_and_a_requirement() -> None:
    """A function that makes rows of the attack table, or a file of tests."""
    rows = read_table("docs/security.md", "attack")

    assert [row[0] for row in rows] == ATTACKS
    for number, _tried, asked_by, cases in rows:
        assert set(asked_by.split(", ")) <= set(NUMBERS), number
        assert code(cases), number
        for case in code(cases):
            is_file = "/" in case and Path(CHECKOUT, case).is_file()
            assert is_file or hasattr(attacks, case), (number, case)
