"""shared.edge.health_replies: one report a second, never an outdated one of keys."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest

import function_app
from shared import service as module
from shared.core.health import HealthReport
from shared.core.webhook import WebhookReply
from shared.edge.health_replies import HealthReplies, State
from shared.service import Service, UsableService
from tests.support.clock import FakeClock
from tests.support.internals import set_clock
from tests.support.servers import status
from tests.support.service import Make, ScriptedNeighbours

FRESH: State = ("fresh", "unknown")


class Reporter:
    """Makes reports, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, state: State) -> HealthReport:
        keys, answering = state
        self.made += 1
        notices = (f"notice {self.made}",)
        return HealthReport("weu", keys, (), (), notices, answering)


def notices(body: bytes | None) -> Any:
    """Return what a report notices."""
    return json.loads(body or b"")["notices"]


def test_a_report_is_kept_for_a_second() -> None:
    """What it says beside keys and answering may be that late."""
    clock, make = FakeClock(), Reporter()
    replies = HealthReplies(clock)
    first = replies.reply(FRESH, make)
    clock.now += 0.999
    assert replies.reply(FRESH, make).body is first.body
    clock.now += 0.001

    assert notices(replies.reply(FRESH, make).body) == ["notice 2"]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (("none", "unknown"), FRESH, 200),
        (FRESH, ("none", "unknown"), 503),
        (FRESH, ("stale", "unknown"), 200),
        (FRESH, ("fresh", "failing"), 503),
        (("fresh", "failing"), ("fresh", "ok"), 200),
    ],
)
def test_a_change_of_keys_or_answering_is_told_at_once(
    before: State, after: State, code: int
) -> None:
    """A kept report is of a moment when it was otherwise."""
    replies, make = HealthReplies(FakeClock()), Reporter()
    replies.reply(before, make)
    reply = replies.reply(after, make)

    assert reply.status == code
    report = json.loads(reply.body or b"")
    assert (report["keys"], report["answering"]) == after


def test_a_flood_of_probes_is_told_the_same_bytes(service: UsableService) -> None:
    """They are made once."""

    async def probe() -> list[WebhookReply]:
        return [await service.health({}) for _ in range(50)]

    assert len({id(reply.body) for reply in asyncio.run(probe())}) <= 2


def test_a_probe_that_waited_for_keys_is_not_told_that_there_are_none(
    neighbours: ScriptedNeighbours, make: Make
) -> None:
    """Though another probe was told so a moment ago."""
    service = make()
    assert isinstance(service, UsableService)

    clock = FakeClock()
    set_clock(service.keys, clock)
    neighbours.provider.follow(status(500))

    async def probe_twice() -> list[int]:
        early = await service.health({})
        neighbours.provider.heal()
        clock.now += 1  # the pause after a failure
        late = await service.health({})
        return [early.status, late.status]

    assert asyncio.run(probe_twice()) == [503, 200]


@pytest.mark.parametrize("is_usable", [True, False], ids=["usable", "unusable"])
def test_head_has_the_status_of_get_and_no_body(
    is_usable: bool, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a healthy deployment and of one that cannot take calls."""
    service: Service = make() if is_usable else make(MicrosoftAppId="no-guid")
    monkeypatch.setattr(module, "_service", service)

    def ask(method: str) -> func.HttpResponse:
        request = func.HttpRequest(method=method, url="/api/health", body=b"")
        response = asyncio.run(function_app.health(request))
        assert isinstance(response, func.HttpResponse)
        return response

    got, head = ask("GET"), ask("HEAD")
    assert head.status_code == got.status_code == (200 if is_usable else 503)
    assert head.get_body() == b""
    assert got.get_body() != b""
    assert dict(head.headers) == dict(got.headers)
