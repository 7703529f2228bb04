"""The demo: calls travelling through two regions, each step held against the contract.

``run`` prints every step as it happens and returns whether all were right.
"""

from dataclasses import dataclass, field
from typing import Self

import requests
from rich.console import Console
from rich.live import Live
from rich.table import Table

from tests.simulator.platform.notifications import Call, Caller
from tests.simulator.platform.platform import CallRecord, Outcome, Scenario, Step
from tests.simulator.world import TENANT_ID, Plan, World

RULES = ({"countryCode": ["SG", "AU"], "regions": ["sea"]},)
_PARTITIONS = ("media-a", "media-b", "media-c")
_FOLLOW_UPS = [202] * 5


@dataclass(frozen=True, slots=True)
class Act:
    """One call of the demo and what must come of it."""

    title: str
    call: Call
    statuses: list[int]
    outcome: Outcome
    region: str | None
    scenario: Scenario = field(default_factory=Scenario)


def acts() -> list[Act]:
    """Return the calls, freshly made."""
    german = Caller(country_code="DE", region="emea")
    singaporean = Caller(country_code="SG", region="apac")

    def call(caller: Caller, *, is_policy_recording: bool = False) -> Call:
        return Call(
            tenant_id=TENANT_ID, caller=caller, is_policy_recording=is_policy_recording
        )

    return [
        Act(
            "legacy first, then to the other region",
            call(singaporean),
            [204, 302, 202, *_FOLLOW_UPS],
            Outcome.ANSWERED,
            "sea",
            Scenario(starts_legacy=True),
        ),
        Act(
            "taken where it lands",
            call(german),
            [202, *_FOLLOW_UPS],
            Outcome.ANSWERED,
            "weu",
        ),
        Act(
            "redirected",
            call(singaporean),
            [302, 202, *_FOLLOW_UPS],
            Outcome.ANSWERED,
            "sea",
        ),
        Act(
            "policy recording, 5 seconds to answer",
            call(german, is_policy_recording=True),
            [202, *_FOLLOW_UPS],
            Outcome.ANSWERED,
            "weu",
        ),
        Act(
            "forged token",
            call(german),
            [401],
            Outcome.REFUSED,
            None,
            Scenario(token_variant="forged"),
        ),
    ]


def run(console: Console | None = None) -> bool:
    """Run the demo; tell whether every step was as the contract says."""
    console = console or Console(soft_wrap=True)
    faults: list[str] = []
    settings = {"CALLING_PARTITIONS": '["' + '","'.join(_PARTITIONS) + '"]'}
    console.print(
        "Two regions, [bold]weu[/] and [bold]sea[/], each in the production worker "
        "library; rule: calls from SG and AU belong to sea.\n"
    )
    with World(Plan(rules=RULES, settings=settings)) as world:
        faults += _check_health(world)
        with _Show(console, world) as show:
            for act in acts():
                show.begin(act)
                platform = world.platform(show.add)
                record = platform.place(act.call, world.webhook("weu"), act.scenario)
                found = _check(act, record, world)
                show.end(record, found)
                faults += found
    if faults:
        console.print("\n[bold red]Not as the contract says:[/]")
        for fault in faults:
            console.print(f"  {fault}")
        return False
    console.print(f"\n[bold green]All {len(acts())} calls went as they should.[/]")
    return True


class _Show:
    """Prints steps: a live table on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console, world: World) -> None:
        self._console = console
        self._regions = {host: code for code, host in world.hosts.items()}
        self._table = Table("call", "POST", "at", "reply", "ms", "then", box=None)
        self._live: Live | None = None
        self._title = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(self._table, console=self._console)
            self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, act: Act) -> None:
        self._title = act.title
        if self._live is None:
            self._console.print(act.title, highlight=False)

    def add(self, _call: Call, step: Step) -> None:
        host = step.url.split("/")[2]
        region = self._regions.get(host, host)
        milliseconds = f"{step.seconds * 1000:.0f}"
        then = self._then(step)
        if self._live is None:
            line = f"  {step.what:<13} {region}  {step.status}  {milliseconds:>5} ms"
            self._console.print(f"{line}  {then}".rstrip(), highlight=False)
            return
        status = f"[{_colour(step.status)}]{step.status}[/]"
        self._table.add_row(self._title, step.what, region, status, milliseconds, then)
        self._title = ""

    def end(self, record: CallRecord, faults: list[str]) -> None:
        verdict = record.outcome.value if not faults else "; ".join(faults)
        if self._live is None:
            self._console.print(f"  → {verdict}\n", highlight=False)
            return
        self._table.add_row("", f"[bold]→ {verdict}[/]")
        self._table.add_section()

    def _then(self, step: Step) -> str:
        location = step.headers.get("Location")
        if location is None:
            return "send it again, in Graph" if step.status == 204 else ""
        region = self._regions.get(location.split("/")[2], "?")
        return f"go to {region}: {location}"


def _colour(status: int) -> str:
    if status >= 400:
        return "red"
    return "green" if status == 202 else "cyan"


def _check_health(world: World) -> list[str]:
    """Health is 200 with fresh keys in every region."""
    faults = []
    for code, host in world.hosts.items():
        reply = requests.get(
            f"https://{host}/api/health", verify=str(world.authority.bundle), timeout=10
        )
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


def _check(act: Act, record: CallRecord, world: World) -> list[str]:
    """Hold one call against the contract."""
    checks = {
        f"statuses {record.path}": record.path == act.statuses,
        f"outcome {record.outcome}": record.outcome is act.outcome,
        "Location": _is_location_exact(record, world),
        "callbackUri": _is_callback_exact(act, record, world),
        "what Graph got": _is_answered_once(act, record, world),
        "headers of a reply": all(map(_has_headers, record.steps)),
        "hops": record.hops <= 1,
    }
    return [f"{act.title}: {name}" for name, is_right in checks.items() if not is_right]


def _is_location_exact(record: CallRecord, world: World) -> bool:
    expected = f"https://{world.hosts['sea']}/api/calls?hop=1"
    locations = [
        step.headers["Location"] for step in record.steps if step.status == 302
    ]
    return all(location == expected for location in locations)


def _is_callback_exact(act: Act, record: CallRecord, world: World) -> bool:
    if act.region is None:
        return record.callback_uri is None
    host = world.hosts[act.region]
    allowed = {f"https://{host}/api/calls/{name}" for name in _PARTITIONS}
    return record.callback_uri in allowed


def _is_answered_once(act: Act, record: CallRecord, world: World) -> bool:
    requests_of_call = [
        answer for answer in world.graph.answers if answer.call_id == act.call.call_id
    ]
    if act.region is None:
        return not requests_of_call
    if len(requests_of_call) != 1:
        return False
    body = requests_of_call[0].body
    return bool(body["callbackUri"] == record.callback_uri)


def _has_headers(step: Step) -> bool:
    headers = step.headers
    if headers.get("Cache-Control") != "no-store" or headers["Connection"] != "close":
        return False
    if step.status == 401:
        return not step.body and headers.get("WWW-Authenticate") == "Bearer"
    return "Client-Request-Id" in headers and "Scenario-Id" in headers
