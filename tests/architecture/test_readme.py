"""README.md: its flow chart is the rules', and its recorded demo is today's."""

import re
import subprocess
import sys

from tests.architecture.flow_chart import DOCUMENT, place
from tests.support.checkout import CHECKOUT

README = DOCUMENT.read_text("utf-8")


def without_measurements(line: str) -> str:
    """Return a line of the demo without milliseconds and ports."""
    return re.sub(r" +\d+ ms|(?<=127\.0\.0\.1):\d+", "", line.rstrip())


def test_the_flow_chart_is_that_of_the_rules() -> None:
    """Drawn anew, it is the same: run `python -m tests.architecture.flow_chart`."""
    assert place(README) == README


def test_the_recorded_demo_prints_what_the_demo_prints() -> None:
    """Times and ports differ from run to run, and an ellipsis leaves lines out."""
    [recorded] = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    finished = subprocess.run(
        [sys.executable, "-m", "tests.simulator", "demo"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    parts = [
        "\n".join(map(without_measurements, part.strip().splitlines()))
        for part in recorded.split("  …\n")
    ]
    printed = "\n".join(map(without_measurements, finished.stdout.splitlines()))

    assert len(parts) == 2
    assert parts[0] in printed
    assert printed.endswith(parts[1])
