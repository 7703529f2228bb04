"""The demo: the stories, played in two regions, each step checked.

``run`` prints every step of every call and returns whether all were right.
"""

import json
from contextlib import ExitStack

from rich.console import Console
from rich.live import Live
from rich.table import Table

from tests.simulator.deployments import Deployments, Plan
from tests.simulator.platform.calls import CallReport
from tests.simulator.platform.events import StepEnded
from tests.simulator.platform.stories import RULES, STORIES, Story
from tests.simulator.platform.transport import PostReply
from tests.support.running import Running

_PARTITIONS = ("media-a", "media-b", "media-c")


def run(console: Console | None = None) -> bool:
    """Run the demo; tell whether every step was as it should be."""
    console = console or Console(soft_wrap=True)
    settings = {"CALLING_PARTITIONS": json.dumps(_PARTITIONS)}
    console.print(
        "Two regions, [bold]weu[/] and [bold]sea[/], each in the production worker "
        "library; rule: calls from SG and AU belong to sea.\n"
    )
    with Deployments(Plan(rules=RULES, settings=settings)) as running:
        faults = _check_health(running)
        with _Show(console, running) as show:
            for story in STORIES:
                show.begin(story)
                report = running.platform.place(story.call)
                found = _check(story, report, running)
                show.end(report, found)
                faults += [f"{story.title}: {fault}" for fault in found]
    if faults:
        console.print("\n[bold red]Not as it should be:[/]")
        for fault in faults:
            console.print(f"  {fault}")
        return False
    console.print(f"\n[bold green]All {len(STORIES)} calls went as they should.[/]")
    return True


class _Show(Running):
    """Prints calls: a live table on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console, running: Deployments) -> None:
        self._console = console
        self._regions = {host: code for code, host in running.hosts.items()}
        self._table = Table("call", "POST", "at", "reply", "ms", "then", box=None)
        self._title = ""

    def start(self, stack: ExitStack) -> None:
        if self._console.is_terminal:
            stack.enter_context(Live(self._table, console=self._console))

    def begin(self, story: Story) -> None:
        self._title = story.title
        if not self._console.is_terminal:
            self._console.print(story.title, highlight=False)

    def end(self, report: CallReport, faults: list[str]) -> None:
        for step in report.steps:
            self._add(step)
        outcome = report.outcome.value if not faults else "; ".join(faults)
        if self._console.is_terminal:
            self._table.add_row("", f"[bold]→ {outcome}[/]")
            self._table.add_section()
        else:
            self._console.print(f"  → {outcome}\n", highlight=False)

    def _add(self, step: StepEnded) -> None:
        region, reply = step.region or "?", step.status or step.error
        milliseconds = f"{step.took_seconds * 1000:.0f}"
        then = self._then(step)
        if not self._console.is_terminal:
            line = f"  {step.what:<13} {region}  {reply}  {milliseconds:>5} ms"
            self._console.print(f"{line}  {then}".rstrip(), highlight=False)
            return
        coloured = f"[{_colour(step.status)}]{reply}[/]"
        self._table.add_row(
            self._title, step.what, region, coloured, milliseconds, then
        )
        self._title = ""

    def _then(self, step: StepEnded) -> str:
        if step.location is None:
            return "send it again, in Graph" if step.status == 204 else ""
        region = self._regions.get(step.location.split("/")[2], "?")
        return f"go to {region}: {step.location}"


def _colour(status: int | None) -> str:
    if status is None or status >= 400:
        return "red"
    return "green" if status == 202 else "cyan"


def _check_health(running: Deployments) -> list[str]:
    """Health is 200 with fresh keys in every region."""
    faults = []
    for code in running.hosts:
        reply = running.health(code)
        report = reply.json()
        expected = {
            "status": "ok",
            "region": code,
            "keys": "fresh",
            "problems": [],
            "warnings": [],
        }
        if reply.status_code != 200 or report != expected:
            faults.append(f"health of {code}: {reply.status_code} {report}")
    return faults


def _check(story: Story, report: CallReport, running: Deployments) -> list[str]:
    """Return what is wrong with a call."""
    checks = {
        "Location": _is_location_exact(report, running),
        "callbackUri": _is_callback_exact(story, report, running),
        "what Graph got": _is_answered_once(story, report, running),
        "headers of a reply": all(map(_has_headers, report.replies)),
        "hops": report.hops <= 1,
    }
    wrong = [name for name, is_right in checks.items() if not is_right]
    return story.differences(report) + wrong


def _is_location_exact(report: CallReport, running: Deployments) -> bool:
    expected = f"https://{running.hosts['sea']}/api/calls?hop=1"
    return all(step.location == expected for step in report.steps if step.status == 302)


def _is_callback_exact(story: Story, report: CallReport, running: Deployments) -> bool:
    if story.region is None:
        return report.callback_uri is None
    host = running.hosts[story.region]
    allowed = {f"https://{host}/api/calls/{name}" for name in _PARTITIONS}
    return report.callback_uri in allowed


def _is_answered_once(story: Story, report: CallReport, running: Deployments) -> bool:
    bodies = [
        answer.body
        for answer in running.graph.answers
        if answer.call_id == report.call_id
    ]
    if story.region is None:
        return not bodies
    return [body["callbackUri"] for body in bodies] == [report.callback_uri]


def _has_headers(reply: PostReply) -> bool:
    headers = reply.headers
    if headers.get("Cache-Control") != "no-store" or headers["Connection"] != "close":
        return False
    if reply.status == 401:
        return not reply.body and headers.get("WWW-Authenticate") == "Bearer"
    return "Client-Request-Id" in headers and "Scenario-Id" in headers
