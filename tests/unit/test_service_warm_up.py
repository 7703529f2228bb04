"""shared.service: warm-up and health, and one service for each process."""

import asyncio
import json
import logging
from typing import Any

import pytest

from shared import service as module
from shared.service import UsableService
from shared.settings import read_settings
from tests.support.clock import at_most, wait_until
from tests.support.servers import hang, status
from tests.support.service import Make, ScriptedNeighbours, receive
from tests.support.threads import let_no_thread_start


def report_of(service: UsableService) -> tuple[int, dict[str, Any]]:
    """Return status and body of the health report."""
    got = asyncio.run(service.health({}))
    return got.status, json.loads(got.body or b"")


def test_warm_up_loads_keys_session_and_credentials(
    neighbours: ScriptedNeighbours, service: UsableService
) -> None:
    """The first call then waits for nothing but Graph."""
    asyncio.run(service.warm_up())

    assert service.keys.freshness() == "fresh"
    assert service._calls.graph._session.is_open
    assert service._calls.entra._transport is not None
    assert neighbours.entra.requests == []
    assert neighbours.graph.requests == []


def test_warm_up_loads_keys_and_all_else_at_once(
    service: UsableService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session for Graph is opened once the keys have come."""

    def load() -> None:
        wait_until(lambda: service.keys.freshness() == "fresh")

    monkeypatch.setattr(service._calls.graph, "load", load)
    asyncio.run(service.warm_up())


def test_warm_up_loads_only_keys_where_answering_is_off(make: Make) -> None:
    service = make(CALLING_ANSWER="false")
    assert isinstance(service, UsableService)
    asyncio.run(service.warm_up())

    assert service.keys.freshness() == "fresh"
    assert not service._calls.graph._session.is_open
    assert service._calls.entra._transport is None


@pytest.mark.parametrize(
    "changes",
    [
        {"CALLING_STATE_URL": "https://state.example/calls"},
        {
            "CALLING_ANSWER": "false",
            "CALLING_PARTITIONS": '{"a": "https://instance.example/calls"}',
            "CALLING_DELIVERY_AUDIENCE": "api://instance.example",
        },
    ],
)
def test_warm_up_loads_the_identitys_credential_where_it_is_used(
    make: Make, changes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store and the instances share it; the end of the service closes it."""
    service = make(**changes)
    assert isinstance(service, UsableService)
    asyncio.run(service.warm_up())

    identity = service._calls.identity
    assert identity is not None
    assert identity._transport is not None
    closed: list[bool] = []
    session = identity._transport.session
    monkeypatch.setattr(session, "close", lambda: closed.append(True))
    service.close()
    assert closed == [True]


def test_an_error_of_warm_up_keeps_nobody_out(
    service: UsableService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the first call loads what it needs."""

    async def fail() -> None:
        message = "no memory"
        raise RuntimeError(message)

    monkeypatch.setattr(service, "warm_up", fail)
    monkeypatch.setattr(module, "_service", service)
    asyncio.run(module.warm_up())
    assert '"event":"warm-up.failed"' in caplog.text
    assert "no memory" not in caplog.text


def test_the_first_probe_loads_the_keys(
    neighbours: ScriptedNeighbours, service: UsableService
) -> None:
    for _ in range(2):
        status, body = report_of(service)
        assert (status, body["status"], body["keys"]) == (200, "ok", "fresh")
    assert len(neighbours.provider.fetches) == 2


@pytest.mark.requirement("R14")
def test_a_probe_waits_two_seconds_at_most(
    neighbours: ScriptedNeighbours, service: UsableService
) -> None:
    """Traffic Manager gives up after five or ten seconds."""
    neighbours.provider.configuration_script = hang
    with at_most(6):
        status, body = report_of(service)

    assert (status, body["status"], body["keys"]) == (503, "unavailable", "none")


def test_a_failing_provider_makes_the_first_report_unavailable(
    neighbours: ScriptedNeighbours, service: UsableService
) -> None:
    neighbours.provider.configuration_script = status(500)
    assert report_of(service)[0] == 503


def test_a_machine_without_a_thread_to_spare_still_reports(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It refuses calls with 503 instead of failing."""
    let_no_thread_start(monkeypatch)
    assert report_of(service)[0] == 503
    assert receive(service, neighbours.follow_up()).status == 503
    assert '"type":"RuntimeError"' in caplog.text


def test_a_call_before_any_warm_up_is_taken(
    neighbours: ScriptedNeighbours,
    service: UsableService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It fetches the keys itself, and the log has their age."""
    caplog.set_level(logging.INFO)
    assert receive(service, neighbours.follow_up()).status == 202
    assert '"key_age_seconds":0' in caplog.text


def test_settings_are_read_once_however_many_ask(
    neighbours: ScriptedNeighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request builds the service; the module's functions use it."""
    for name, value in neighbours.settings(CALLING_ANSWER="false").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_service", None)
    monkeypatch.setattr(logging, "logThreads", True)
    reads = []

    def read_counted(environ: Any) -> Any:
        reads.append(1)
        return read_settings(environ)

    monkeypatch.setattr(module, "read_settings", read_counted)

    async def story() -> list[int]:
        services = await asyncio.gather(
            *(asyncio.to_thread(module.get_service) for _ in range(8))
        )
        assert len({id(service) for service in services}) == 1
        await module.warm_up()
        reply_to_call = await module.receive(neighbours.incoming())
        return [reply_to_call.status, (await module.health({})).status]

    assert asyncio.run(story()) == [202, 200]
    assert reads == [1]
    assert not logging.logThreads
    module.get_service().close()
