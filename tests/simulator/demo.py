"""The demo: the stories in two regions and a menu, each step printed and checked."""

import json

from rich.console import Console

from tests.simulator.demo_bots import play_menu, show_own_bot
from tests.simulator.deployments import WARNINGS, Deployments, Plan
from tests.simulator.platform.calls import CallReport, Outcome
from tests.simulator.platform.events import StepEnded
from tests.simulator.platform.stories import RULES, STORIES, Story
from tests.simulator.platform.transport import PostReply

_PARTITIONS = ("media-a", "media-b", "media-c")


def run(console: Console | None = None) -> bool:
    """Run the demo; tell whether every step was as it should be."""
    console = console or Console(soft_wrap=True)
    settings = {"CALLING_PARTITIONS": json.dumps(_PARTITIONS)}
    console.print(
        "Two regions, [bold]weu[/] and [bold]sea[/], each in the production worker "
        "library; rule: calls from SG and AU belong to sea.\n"
    )
    with Deployments(Plan(rules=RULES, settings=settings)) as app:
        faults = _check_health(app)
        for story in STORIES:
            console.print(story.title, highlight=False)
            report = app.platform.place(story.call)
            for step in report.steps:
                console.print(_line_of(step, app), highlight=False)
            found = _check(story, report, app)
            end = "; ".join(found) or report.outcome.value
            if story.to_come and not found:
                end += f": {story.to_come}"
            console.print(f"  [bold]→ {end}[/]\n", highlight=False)
            faults += [f"{story.title}: {fault}" for fault in found]
    faults += play_menu(console)
    show_own_bot(console)
    if faults:
        console.print("\n[bold red]Not as it should be:[/]")
        for fault in faults:
            console.print(f"  {fault}")
        return False
    console.print(f"\n[bold green]All {len(STORIES) + 1} calls went as they should.[/]")
    return True


def _line_of(step: StepEnded, app: Deployments) -> str:
    """Return a step as a line: what was posted where, the reply, what it means."""
    then = "send it again, in Graph" if step.status == 204 else ""
    if step.location is not None:
        region = app.region_of_host(step.location) or "?"
        then = f"go to {region}: {step.location}"
    status = step.status or 0
    colour = "green" if status == 202 else "cyan" if 200 <= status < 400 else "red"
    reply = f"[{colour}]{step.status or step.error}[/]"
    milliseconds = f"{step.took_seconds * 1000:>5.0f} ms"
    return f"  {step.what:<13} {step.region}  {reply}  {milliseconds}  {then}".rstrip()


def _check_health(app: Deployments) -> list[str]:
    """Health is 200 with fresh keys in every region."""
    faults = []
    for code in app.hosts:
        reply = app.health(code)
        report = reply.json()
        expected = {
            "status": "ok",
            "region": code,
            "build": "dev",
            "keys": "fresh",
            "problems": [],
            "warnings": WARNINGS,
            "answering": "unknown",
            "notices": [],
        }
        if reply.status_code != 200 or report != expected:
            faults.append(f"health of {code}: {reply.status_code} {report}")
    return faults


def _check(story: Story, report: CallReport, app: Deployments) -> list[str]:
    """Return what is wrong with a call."""
    checks = {
        "Location": _is_location_exact(report, app),
        "callbackUri": _is_callback_exact(story, report, app),
        "what Graph got": _is_asked_once(story, report, app),
        "headers of a reply": all(map(_has_headers, report.replies)),
        "hops": report.hops <= 1,
    }
    wrong = [name for name, is_right in checks.items() if not is_right]
    return story.differences(report) + wrong


def _is_location_exact(report: CallReport, app: Deployments) -> bool:
    expected = f"https://{app.hosts['sea']}/api/calls?hop=1"
    return all(step.location == expected for step in report.steps if step.status == 302)


def _is_callback_exact(story: Story, report: CallReport, app: Deployments) -> bool:
    if story.region is None or story.outcome is not Outcome.ANSWERED:
        return report.callback_uri is None
    host = app.hosts[story.region]
    allowed = {f"https://{host}/api/calls/{name}" for name in _PARTITIONS}
    return report.callback_uri in allowed


def _is_asked_once(story: Story, report: CallReport, app: Deployments) -> bool:
    """Graph gets one request for each call, and none for a call that is refused."""
    answers, rejects = (
        [request.body for request in requests if request.call_id == report.call_id]
        for requests in (app.graph.answers, app.graph.rejects)
    )
    callback_uris = [body["callbackUri"] for body in answers]
    match story.outcome:
        case Outcome.ANSWERED:
            return callback_uris == [report.callback_uri] and not rejects
        case Outcome.REJECTED:
            return rejects == [{"reason": "none"}] and not answers
        case _:
            return not answers and not rejects


def _has_headers(reply: PostReply) -> bool:
    headers = reply.headers
    if headers.get("Cache-Control") != "no-store" or headers["Connection"] != "close":
        return False
    if reply.status == 401:
        return not reply.body and headers.get("WWW-Authenticate") == "Bearer"
    return "Client-Request-Id" in headers and "Scenario-Id" in headers
