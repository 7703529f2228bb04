"""README.md: its flow chart is the rules', and its recorded demo is today's."""

import re
import sys

from tests.architecture.flow_chart import DOCUMENT, place
from tests.support.processes import output_of

README = DOCUMENT.read_text("utf-8")


def without_measurements(printed: str) -> str:
    """Return what the demo prints without milliseconds, ports and blanks at ends."""
    text = re.sub(r" +\d+ ms|(?<=127\.0\.0\.1):\d+", "", printed.strip())
    return re.sub(r" +$", "", text, flags=re.MULTILINE)


def test_the_flow_chart_is_that_of_the_rules() -> None:
    """Drawn anew, it is the same: run `python -m tests.architecture.flow_chart`."""
    assert place(README) == README


def test_the_recorded_demo_prints_what_the_demo_prints() -> None:
    """Times and ports differ from run to run, and an ellipsis leaves lines out."""
    [recorded] = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    start, end = map(without_measurements, recorded.split("  …\n"))

    demo = output_of(sys.executable, "-m", "tests.simulator", "demo")

    assert start in without_measurements(demo)
    assert without_measurements(demo).endswith(end)
