"""Which tests prove which requirement: ``make security`` runs them and prints a table.

A test carries its numbers as ``@pytest.mark.requirement("R7")``; what each number asks
is in docs/security.md, and a test compares the two.
"""

import re
import sys
from collections import defaultdict

import pytest
from rich.console import Console
from rich.table import Table

from tests.support.checkout import CHECKOUT

NUMBERS = tuple(f"R{number}" for number in range(1, 29))


class Collector:
    """A pytest plugin that notes the numbers and the outcome of every test."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = defaultdict(set)
        self.outcomes: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep only the tests that carry a number."""
        for item in list(items):
            numbers = [
                number
                for mark in item.iter_markers("requirement")
                for number in mark.args
            ]
            if not numbers:
                items.remove(item)
            for number in numbers:
                self.tests[number].add(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the worst outcome of a test's phases."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome


def documented() -> dict[str, str]:
    """Return what each requirement asks, from docs/security.md."""
    text = (CHECKOUT / "docs" / "security.md").read_text("utf-8")
    rows = re.findall(r"^\| (R\d+) \| ([^|]+) \|", text, re.MULTILINE)
    return {number: asks.strip() for number, asks in rows}


def main() -> int:
    """Run the tests and print the table; 0 if every requirement is proved."""
    collector = Collector()
    arguments = ["tests", "-q", "--no-header", "-p", "no:randomly", "--no-summary"]
    pytest.main(arguments, plugins=[collector])
    table = Table("", "asks", "tests", "result", box=None)
    unproved = []
    asks = documented()
    for number in NUMBERS:
        tests = collector.tests.get(number, set())
        outcomes = {collector.outcomes.get(test, "not run") for test in tests}
        is_proved = bool(tests) and outcomes <= {"passed", "skipped"}
        result = "[green]proved[/]" if is_proved else "[red]not proved[/]"
        if not is_proved or outcomes == {"skipped"}:
            unproved.append(number)
        table.add_row(number, asks.get(number, "?"), str(len(tests)), result)
    Console(soft_wrap=True).print(table)
    print(
        f"requirements: {len(NUMBERS) - len(unproved)} passed, {len(unproved)} failed"
    )
    return 1 if unproved else 0


if __name__ == "__main__":
    sys.exit(main())
