"""shared.service: warm-up and health, which load the keys before the first call."""

import asyncio
import json
import logging
import threading
import time
from typing import Any

import pytest

from shared import service as module
from shared.service import UsableService
from tests.support.servers import hang, reply
from tests.support.service import Make, ServiceWorld, receive


def report_of(service: UsableService) -> tuple[int, dict[str, Any]]:
    """Return status and body of the health report."""
    got = asyncio.run(service.health())
    return got.status, json.loads(got.body or b"")


def test_warm_up_loads_keys_session_and_credentials(
    world: ServiceWorld, service: UsableService
) -> None:
    """The first call then waits for nothing but Graph."""
    asyncio.run(service.warm_up())

    assert service.keys.freshness() == "fresh"
    assert service.graph._session is not None
    assert service.entra._transport is not None
    assert world.entra.requests == []
    assert world.graph_requests == []


def test_warm_up_loads_only_keys_where_answering_is_off(make: Make) -> None:
    """Graph is not needed then."""
    service = make(CALLING_ANSWER="false")
    assert isinstance(service, UsableService)
    asyncio.run(service.warm_up())

    assert service.keys.freshness() == "fresh"
    assert service.graph._session is None
    assert service.entra._transport is None


def test_an_error_of_warm_up_keeps_nobody_out(
    service: UsableService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged; the first call loads what it needs."""

    async def fail() -> None:
        message = "no memory"
        raise RuntimeError(message)

    monkeypatch.setattr(service, "warm_up", fail)
    monkeypatch.setattr(module, "_service", service)
    asyncio.run(module.warm_up())
    assert '"event":"warm-up.failed"' in caplog.text
    assert "no memory" not in caplog.text


def test_the_first_probe_loads_the_keys(
    world: ServiceWorld, service: UsableService
) -> None:
    """The second one finds them."""
    for _ in range(2):
        status, body = report_of(service)
        assert (status, body["status"], body["keys"]) == (200, "ok", "fresh")
    assert len(world.provider.fetched) == 2


@pytest.mark.requirement("R14")
def test_a_probe_waits_two_seconds_at_most(
    world: ServiceWorld, service: UsableService
) -> None:
    """Traffic Manager gives up after five or ten."""
    world.provider.configuration_script = hang
    started = time.monotonic()
    status, body = report_of(service)

    assert (status, body["status"], body["keys"]) == (503, "unavailable", "none")
    assert time.monotonic() - started < 6


def test_a_failing_provider_makes_the_first_report_unavailable(
    world: ServiceWorld, service: UsableService
) -> None:
    """Without keys no call can be taken."""
    world.provider.configuration_script = lambda *_: reply(500)
    assert report_of(service)[0] == 503


def test_a_machine_without_a_thread_to_spare_still_reports(
    world: ServiceWorld,
    service: UsableService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And refuses calls with 503 instead of failing."""

    def fail(_thread: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(threading.Thread, "start", fail)
    assert report_of(service)[0] == 503
    assert receive(service, world.follow_up()).status == 503
    assert '"type":"RuntimeError"' in caplog.text


def test_a_call_before_any_warm_up_is_taken(
    world: ServiceWorld, service: UsableService, caplog: pytest.LogCaptureFixture
) -> None:
    """It fetches the keys itself; their age is in its line."""
    caplog.set_level(logging.INFO)
    assert receive(service, world.follow_up()).status == 202
    assert '"key_age_seconds":0' in caplog.text
