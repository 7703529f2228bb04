"""shared.edge.kept_events: what happens outside requests is logged by the next one."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from shared.edge.kept_events import MAX_EVENTS, KeptEvents
from shared.edge.telemetry import log_event
from shared.service import Service
from tests.support.service import Make, ScriptedNeighbours, receive


def events_in(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the lines that were logged, in their order."""
    return [json.loads(r.message) for r in caplog.records if r.name == "calling"]


def in_a_thread(call: Callable[[], object]) -> None:
    """Do something on another thread."""
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_an_event_is_kept_with_the_time_when_it_happened() -> None:
    """In ISO 8601, UTC: it is logged later."""
    kept = KeptEvents(clock=lambda: 1_795_000_000.5)
    kept.keep(logging.WARNING, "keys.refresh-failed", {"reason": "provider-timeout"})

    [(level, line)] = kept.take()
    assert level == logging.WARNING
    assert line == {
        "event": "keys.refresh-failed",
        "reason": "provider-timeout",
        "happened_at": "2026-11-18T11:06:40.500Z",
    }
    assert list(kept.take()) == []


def test_of_many_events_the_oldest_go() -> None:
    """An idle process with trouble has a bounded memory."""
    kept = KeptEvents()
    for number in range(MAX_EVENTS + 5):
        kept.keep(logging.INFO, "peer.healthy", {"number": number})

    numbers = [line["number"] for _level, line in kept.take()]
    assert MAX_EVENTS == 100
    assert numbers == list(range(5, MAX_EVENTS + 5))


def test_events_of_threads_are_logged_by_the_next_request_before_its_own_line(
    neighbours: ScriptedNeighbours, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    in_a_thread(lambda: log_event(logging.INFO, "peer.healthy", peer="sea"))
    assert caplog.records == []

    receive(service, neighbours.follow_up())

    events = events_in(caplog)
    assert [line["event"] for line in events] == [
        "peer.healthy",
        "keys.refreshed",
        "notification.handled",
    ]
    assert [("happened_at" in line) for line in events] == [True, True, False]


@pytest.mark.parametrize("is_usable", [True, False], ids=["usable", "unusable"])
def test_a_probe_logs_events_too(
    is_usable: bool, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the settings cannot be used: its own problem is such an event."""
    caplog.set_level(logging.INFO)
    service = make() if is_usable else make(MicrosoftAppId="no-guid")
    in_a_thread(lambda: log_event(logging.INFO, "peer.healthy", peer="sea"))
    assert caplog.records == []

    asyncio.run(service.health({}))

    events = {line["event"] for line in events_in(caplog)}
    own = "keys.refreshed" if is_usable else "settings.unusable"
    assert events == {"peer.healthy", own}


def test_an_event_is_logged_once(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log_event(logging.INFO, "peer.healthy", peer="sea")
    for _ in range(3):
        asyncio.run(service.health({}))

    events = [line["event"] for line in events_in(caplog)]
    assert events.count("peer.healthy") == 1
