"""docs/security.md lists every requirement, and every one has a test."""

import re
from pathlib import Path

from tests.security import attacks
from tests.security.requirements import NUMBERS, documented
from tests.support.checkout import CHECKOUT, read_text
from tests.support.markdown_tables import code, read_table

ATTACKS = [*(f"A{n}" for n in range(1, 31)), *(f"W{n}" for n in range(1, 9))]


def marked_numbers() -> set[str]:
    files = (CHECKOUT / "tests").rglob("test_*.py")
    text = "".join(path.read_text("utf-8") for path in files)
    marks = re.findall(r"mark\.requirement\(([^)]*)\)", text)
    return {*re.findall(r"R\d+", "".join(marks))}


def test_every_requirement_is_documented_once_and_in_order() -> None:
    assert tuple(documented()) == NUMBERS


def test_every_requirement_has_a_test() -> None:
    assert set(NUMBERS) - marked_numbers() == set()


def test_the_documented_number_of_rows_is_that_of_the_attack_table() -> None:
    """The page states it beside the threat of forged tokens."""
    assert f"{len(attacks.all_rows())} rows in" in read_text("docs/security.md")


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
