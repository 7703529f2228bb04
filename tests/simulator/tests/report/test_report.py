"""``report``: lines of any log, as the operators' tables."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.simulator.drill.log import log_of
from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.journal import Journal
from tests.simulator.report.agreement import compare
from tests.simulator.report.lines import LogLine, read_lines
from tests.simulator.report.queries import read_queries
from tests.support.processes import run

ANSWERED = (
    '{"event":"notification.handled","reason":"answered","status":202,'
    '"tenant_id":"t","call_id":"c","chain_id":"chain","call_state":"incoming",'
    '"bot_event":"incoming","duration_ms":85.4,"region":"weu"}'
)
REDIRECTED = ANSWERED.replace("answered", "redirected").replace('"c"', '"d"')


@pytest.mark.parametrize(
    ("printed", "app"),
    [
        (ANSWERED, "weu"),
        (f"[2026-11-25T19:42:25.123Z] {ANSWERED}\n", "weu"),
        (f"[2026-11-25T19:42:25.123Z] [eus2] {ANSWERED}", "eus2"),
        (f"\x1b[37m[2026-11-25T19:42:25.123Z] {ANSWERED}", "weu"),
    ],
)
def test_a_line_is_found_in_what_was_printed(printed: str, app: str) -> None:
    [line] = read_lines([printed])

    assert (line.text, line.app, line.level) == (ANSWERED, app, logging.INFO)


def test_the_time_of_a_line_is_taken_where_there_is_one() -> None:
    [line] = read_lines([f"[2026-11-25T19:42:25.123Z] {ANSWERED}"])

    assert line.at == datetime(2026, 11, 25, 19, 42, 25, 123000, UTC)


def test_lines_without_a_time_keep_their_order() -> None:
    first, second = read_lines([ANSWERED, REDIRECTED])

    assert first.at < second.at


@pytest.mark.parametrize(
    "printed",
    ["", "Listening on https://127.0.0.1:7071", '{"message": "x"}', '{"event":"x"'],
)
def test_what_is_not_the_products_is_left_out(printed: str) -> None:
    assert list(read_lines([printed])) == []


def test_a_line_is_read_as_it_is_printed() -> None:
    at = datetime(2026, 11, 25, 19, 42, 25, 123000, UTC)
    line = LogLine(at, logging.INFO, "weu", "weu", ANSWERED)

    assert list(read_lines([str(line)])) == [line]


def test_the_drill_writes_its_lines_as_they_are_read() -> None:
    journal = Journal()
    written = {"region": "weu", "call_id": None, "line": json.loads(ANSWERED)}
    journal.append(LogWritten(**written))

    [line] = read_lines(log_of(journal))

    assert (line.text, line.app) == (ANSWERED, "weu")
    assert abs((datetime.now(UTC) - line.at).total_seconds()) < 30


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with an answered call."""
    file = tmp_path / "func.log"
    file.write_text(f"Functions:\n{ANSWERED}\n", "utf-8")
    return file


def report(*arguments: str | Path) -> tuple[int, str]:
    """Run the command; return its status and what it printed."""
    finished = run(sys.executable, "-m", "tests.simulator", "report", *arguments)
    return finished.returncode, finished.stdout + finished.stderr


def test_all_tables_are_printed(log: Path) -> None:
    status, printed = report(log)

    assert status == 0
    assert "1 lines of the log." in printed
    for name, query in read_queries().items():
        assert (f"{query.question}  {name}.kql" in printed) == (name != "one-call")
    assert re.search(r"region +placed +answered .*\n weu +1 +1 ", printed)


def test_one_call_is_told_alone(log: Path) -> None:
    status, printed = report(log, "--call", "chain")

    assert status == 0
    assert printed.count(".kql") == 1
    assert re.search(r"weu +c +incoming .* answered +202 +85.4", printed)


def test_lines_of_another_build_are_left_out(log: Path) -> None:
    _status, printed = report(log, "calls", "--build", "another")

    assert "nothing" in printed


def test_what_cannot_be_used_is_told(log: Path) -> None:
    assert report(log, "cals") == (2, "report: there is no query cals\n")
    status, printed = report(log.with_name("none.log"))
    assert status == 2
    assert printed.endswith("none.log: No such file or directory\n")


@pytest.mark.parametrize(("answered", "is_right"), [(1, True), (2, False)])
def test_a_drills_figures_are_compared(answered: int, *, is_right: bool) -> None:
    """Calls that the drill did not count are left out."""
    calls = [{"call_id": "c"}, {"call_id": "d"}]
    figures = {"answered": answered, "rejected": 0, "lost": [], "redirects": 1}
    report = {"scenarios": [{"figures": {**figures, "calls": calls}}]}
    uncounted = ANSWERED.replace('"c"', '"another"')

    found = compare(report, read_lines([ANSWERED, REDIRECTED, uncounted]))

    assert [one.is_right for one in found] == [is_right, True, True, True]
