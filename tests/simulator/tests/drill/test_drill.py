"""The drill itself: scenarios pass, a broken world fails them, reports show it."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.simulator.drill import command
from tests.simulator.drill.figures import figures_of, percentile, relevant
from tests.simulator.drill.html_report import to_html
from tests.simulator.drill.json_report import to_json
from tests.simulator.drill.oracle import preferred_regions
from tests.simulator.drill.runner import read_result
from tests.simulator.drill.scenario import Load, ScenarioResult, play, scenario
from tests.simulator.drill.scenario_run import ScenarioRun
from tests.simulator.drill.scenarios import SCENARIOS
from tests.simulator.drill.text_report import print_report
from tests.simulator.environment import FAULTS, World, WorldOptions
from tests.support.checkout import CHECKOUT
from tests.support.processes import run

SECONDS = 120
# Some quick ones, to see the drill at work; `make drill` plays all of them.
PLAYED_HERE = ("ordinary", "wrong-region", "duplicates-and-disorder")


@pytest.mark.parametrize("name", PLAYED_HERE)
def test_quick_scenarios_pass(world: World, name: str) -> None:
    result = play(SCENARIOS[name], world)

    assert [check for check in result.checks if not check.is_met] == []
    assert result.is_passed


def test_a_scenario_fails_where_calls_are_lost(world: World) -> None:
    """Graph has forgotten the calls: the drill must report them as lost."""
    world.inject("graph-not-found")

    result = play(SCENARIOS["ordinary"], world)

    assert not result.is_passed
    figures = figures_of(result)
    assert len(figures.lost) == len(figures.calls) > 0
    text = StringIO()
    print_report(Console(file=text, width=200), [result])
    assert "Failed: ordinary" in text.getvalue()
    assert "not-answered" in text.getvalue()


def test_a_scenario_fails_where_a_call_goes_astray(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scenario expects other rules than the regions run with."""
    everything_to_weu = {code: ({"regions": ["weu"]},) for code in world.regions}
    monkeypatch.setattr(world._rollout, "rules", everything_to_weu)

    result = play(SCENARIOS["wrong-region"], world)

    missed = [check.sentence for check in result.checks if not check.is_met]
    assert missed == [
        "every call is answered where the rules say, with no hop too many"
    ]


def test_a_scenario_that_breaks_has_failed(world: World) -> None:
    """An exception fails its scenario and does not stop the drill."""

    @scenario()
    def broken(run: ScenarioRun) -> None:
        run.expect("something held before", True)
        raise LookupError

    result = play(broken, world)

    assert not result.is_passed
    assert "LookupError" in result.checks[-1].found


def test_a_scenario_without_expectations_has_not_passed() -> None:
    result = ScenarioResult(name="x", title="", explanation="", seconds=0, checks=[])

    assert not result.is_passed


def test_every_scenario_is_described() -> None:
    assert len(SCENARIOS) >= 19
    for name, listed in SCENARIOS.items():
        assert re.fullmatch("[a-z-]+", name)
        assert listed.title
        assert listed.explanation.endswith(".")
        # Whoever shares a world cannot choose its options.
        assert listed.options == WorldOptions() or listed.load is Load.WAITS
    assert sum(one.load is Load.WAITS for one in SCENARIOS.values()) >= 8


def test_scenarios_and_faults_are_documented() -> None:
    text = (CHECKOUT / "docs" / "simulated-drill.md").read_text("utf-8")
    listed = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)

    assert listed == list(SCENARIOS)
    assert all(f"`{name}`" in text for name in FAULTS)


def test_the_oracle_reads_rules_as_documented() -> None:
    """Rules count in order and ignore case; a missing value never matches."""
    rules = [
        {"countryCode": ["DE"], "callerRegion": ["EMEA"], "regions": ["weu"]},
        {"callerRegion": ["apac"], "regions": ["sea", "weu"]},
        {"regions": ["eus2"]},
    ]

    def find(**facts: str | None) -> list[str]:
        missing = {"countryCode": None, "callerRegion": None}
        return list(preferred_regions(rules, {**missing, **facts}))

    assert find(countryCode="de", callerRegion="emea") == ["weu"]
    assert find(countryCode="DE") == ["eus2"]
    assert find(callerRegion="APAC") == ["sea", "weu"]


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert [percentile(values, p) for p in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([7.0], 50) == 7.0


def at(seconds: float, kind: str, **members: object) -> dict[str, object]:
    """Return an event in the form of the JSON report."""
    return {"number": 0, "seconds": seconds, "kind": kind, **members}


def ended(placed_at: float, outcome: str, **members: object) -> dict[str, object]:
    """Return the event that ends a call."""
    is_answered = outcome == "answered"
    usual = {
        "call_id": f"call-{placed_at}",
        "caller": "sydney",
        "outcome": outcome,
        "why": None if is_answered else "<b>status-503</b>",
        "region": "sea" if is_answered else None,
        "hops": 0,
        "attempts": 1,
        "answer_seconds": 0.1,
        "placed_at_seconds": placed_at,
    }
    return at(placed_at + 0.1, "call-ended", **{**usual, **members})


def made_up_result() -> ScenarioResult:
    """Return the result of a scenario in which a region dies and one call is lost."""
    unknown = ("region", "address", "status", "location", "retry_after_seconds")
    step = at(
        12.1,
        "step-ended",
        call_id="call-12.0",
        what="incoming",
        url="https://global.calls.example.org/api/calls",
        error="connection-refused",
        took_seconds=0.01,
        step=0,
        **dict.fromkeys(unknown),
    )
    line = {"event": "peer.unhealthy", "peer": "sea"}
    return read_result(
        {
            "name": "region-down",
            "title": "A region <dies>",
            "explanation": "It & others.",
            "seconds": 50.0,
            "checks": [{"sentence": "no call lost", "is_met": False, "found": "1 <"}],
            "phases": [{"name": "fault", "seconds": 10.0}],
            "notes": {"calls lost": 1},
            "entries": [
                ended(5.0, "answered", answer_seconds=0.2),
                at(10.0, "fault-injected", fault="region-killed", region="sea"),
                step,
                ended(12.0, "lost"),
                at(
                    27.0,
                    "log-written",
                    region="weu",
                    call_id=None,
                    line=line,
                    late_by_seconds=9.0,
                ),
                at(35.0, "endpoint-changed", region="sea", status="degraded"),
                at(45.0, "fault-healed", fault="region-killed", region="sea"),
                ended(47.0, "refused"),
                ended(48.0, "rejected", region="sea"),
            ],
        }
    )


def test_figures_tell_losses_hops_latencies_and_detection() -> None:
    figures = figures_of(made_up_result())

    assert (figures.answered, len(figures.lost), figures.refused) == (1, 1, 1)
    assert figures.rejected == 1
    (detection,) = figures.detections
    assert detection.traffic_manager == 25.0
    assert detection.peers == {"weu": 8.0}
    assert detection.last_lost == 2.0
    (latency,) = figures.latencies
    assert (latency.region, latency.calls, latency.median) == ("sea", 1, 0.2)
    assert figures.lost[0].steps[0]["error"] == "connection-refused"


def test_events_that_no_figure_needs_are_left_out() -> None:
    """Notifications are large and of no use in a report."""
    kept = relevant(
        [
            at(0, "step-started", notification={}),
            at(0, "log-written", line={"event": "notification.handled"}),
            at(0, "log-written", line={"event": "peer.healthy"}),
            at(0, "call-placed"),
        ]
    )

    assert [entry["kind"] for entry in kept] == ["log-written", "call-placed"]


class Page(HTMLParser):
    """Collects the elements of a page, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [
            value
            for name, value in attrs
            if name in {"src", "href", "data", "action"}
            and value
            and not value.startswith("#")
        ]


def test_the_page_is_self_contained_and_escapes_what_it_shows() -> None:
    """It has charts and both colour schemes, loads nothing and runs no script."""
    report = to_json([made_up_result()], environment="prod", seconds=50.0)
    html = to_html(report)
    page = Page()
    page.feed(html)

    assert page.loads == []
    assert "script" not in page.tags
    assert {"svg", "circle", "table", "details"} <= page.tags
    assert "light-dark(" in html
    assert "A region &lt;dies&gt;" in html
    for absent in ("url(", "@import", "<dies>", "<b>status-503</b>"):
        assert absent not in html


def test_the_json_report_is_json_and_tells_whether_all_went_well() -> None:
    report = to_json([made_up_result()], environment="prod", seconds=50.0)
    read = json.loads(json.dumps(report))

    assert read["isPassed"] is False
    assert read["scenarios"][0]["figures"]["lost"][0]["why"] == "<b>status-503</b>"
    assert read["trafficManager"]["interval_seconds"] == 10.0


def drill(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.simulator", "drill", *arguments]


def test_the_command_runs_a_scenario_and_reports(tmp_path: Path) -> None:
    text, page = tmp_path / "drill.json", tmp_path / "drill.html"
    reports = ("--json", str(text), "--html", str(page))
    finished = run(*drill("wrong-region", *reports), timeout=SECONDS)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "All 1 scenarios passed." in finished.stdout
    report = json.loads(text.read_text())
    (scenario,) = report["scenarios"]
    assert (scenario["name"], scenario["isPassed"]) == ("wrong-region", True)
    assert scenario["figures"]["max_hops"] == 1
    assert "Wrong region" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["earthquake"], "earthquake"), (["--environment", "no.json"], "no such file")],
)
def test_the_command_refuses_what_it_does_not_know(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    assert command.run(parser.parse_args(arguments)) == 2
    assert word in capsys.readouterr().err


def children_of(pid: int) -> list[int]:
    """Return the descendants of a process."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(status.parent.name)
            found += [child, *children_of(child)]
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_an_interrupted_drill_stops_all_its_worlds() -> None:
    """None of them starts or restarts meanwhile: calls are answered, a minute goes."""
    process = subprocess.Popen(
        drill("idle-path-gone"),
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "idle-path-gone: starting\n"
    assert process.stdout.readline() == "idle-path-gone: running\n"
    started = children_of(process.pid)
    assert len(started) >= 4

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=SECONDS)

    assert process.returncode != 0
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
