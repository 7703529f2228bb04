"""Traffic Manager probes servers that behave as the tests want."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulator.platform.journal import Event, Journal
from tests.simulator.services.authority import Authority
from tests.simulator.services.traffic_manager import (
    Endpoint,
    EndpointChanged,
    ProbeAnswered,
    Profile,
    TrafficManager,
)
from tests.simulator.services.web import WebServer

GLOBAL = "global.calls.example.org"
QUICK = Profile(interval_seconds=0.1, timeout_seconds=10.0)
IMPATIENT = Profile(interval_seconds=0.1, timeout_seconds=0.3)
SECONDS = 20.0


class Health:
    """A health report with a status that tests set."""

    def __init__(self) -> None:
        self.status = 200
        self.hosts: list[str] = []
        self.is_open = threading.Event()
        self.is_open.set()

    def app(self) -> Any:
        def report(request: Request) -> Response:
            self.hosts.append(request.headers["host"])
            self.is_open.wait(SECONDS)
            return Response(status_code=self.status)

        return Starlette(routes=[Route("/api/health", report)])


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Issue a certificate for loopback only: probes do not check names."""
    return Authority()


@pytest.fixture
def health() -> Health:
    """Return a healthy region."""
    return Health()


@pytest.fixture
def port(authority: Authority, health: Health) -> Iterator[int]:
    """Return the port of the region."""
    with WebServer(health.app(), authority.certificate) as server:
        yield int(server.host.rpartition(":")[2])


def manager(port: int, profile: Profile = QUICK) -> tuple[TrafficManager, Journal]:
    """Return a Traffic Manager of one region; it probes in its ``with`` block."""
    endpoint = Endpoint(
        code="weu", location="westeurope", address="127.0.0.1", port=port
    )
    journal = Journal()
    return (
        TrafficManager(
            [endpoint], global_name=GLOBAL, profile=profile, tell=journal.append
        ),
        journal,
    )


def wait_for_status(journal: Journal, status: str) -> int:
    """Wait until the region has a status; return the number of the event."""

    def is_it(event: Event) -> bool:
        return isinstance(event, EndpointChanged) and event.status == status

    found = journal.wait_for(is_it, timeout_seconds=SECONDS)
    assert found is not None
    return found.number


def probes(journal: Journal, *, until: int) -> list[int | str | None]:
    """Return the results of probes up to an event."""
    return [
        entry.event.status or entry.event.error
        for entry in journal.entries()
        if isinstance(entry.event, ProbeAnswered) and entry.number < until
    ]


def test_the_default_profile_is_that_of_the_templates() -> None:
    """Three probes of 10 s, a timeout of 5 s and a TTL of 30 s make 65 s."""
    assert Profile().detection_seconds == 65.0


def test_the_third_failure_in_a_row_degrades_and_one_success_restores(
    health: Health, port: int
) -> None:
    traffic_manager, journal = manager(port)
    health.status = 503
    with traffic_manager:
        degraded = wait_for_status(journal, "degraded")
        health.status = 200
        online = wait_for_status(journal, "online")

    found = probes(journal, until=online)
    assert probes(journal, until=degraded) == [503, 503, 503]
    assert found[-1] == 200
    assert 200 not in found[:-1]


def test_the_probe_names_the_global_host(health: Health, port: int) -> None:
    """The region would not know another name."""
    traffic_manager, journal = manager(port)
    with traffic_manager:
        found = journal.wait_for(
            lambda event: isinstance(event, ProbeAnswered), timeout_seconds=SECONDS
        )

    assert found is not None
    assert health.hosts[0] == f"{GLOBAL}:{port}"


@pytest.mark.parametrize("status", [301, 204, 404, 500])
def test_only_200_is_healthy(health: Health, port: int, status: int) -> None:
    """Redirects are not followed."""
    traffic_manager, journal = manager(port)
    health.status = status
    with traffic_manager:
        degraded = wait_for_status(journal, "degraded")

    assert set(probes(journal, until=degraded)) == {status}


def test_a_region_that_does_not_answer_in_time_has_failed(
    health: Health, port: int
) -> None:
    """It accepts the connection and says nothing."""
    traffic_manager, journal = manager(port, IMPATIENT)
    health.is_open.clear()
    with traffic_manager:
        degraded = wait_for_status(journal, "degraded")
        health.is_open.set()

    assert probes(journal, until=degraded) == ["reply-timeout"] * 3


def test_a_region_that_refuses_connections_has_failed() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    traffic_manager, journal = manager(port)
    with traffic_manager:
        degraded = wait_for_status(journal, "degraded")

    assert probes(journal, until=degraded) == ["connection-refused"] * 3


def test_a_disabled_region_is_not_probed(health: Health, port: int) -> None:
    """The probes start when it is enabled again."""
    traffic_manager, journal = manager(port)
    traffic_manager.enable("weu", is_enabled=False)
    with traffic_manager:
        # The thread of the probes has had its turn.
        time.sleep(3 * QUICK.interval_seconds)
        assert health.hosts == []
        traffic_manager.enable("weu", is_enabled=True)
        found = journal.wait_for(
            lambda event: isinstance(event, ProbeAnswered), timeout_seconds=SECONDS
        )

    assert found is not None
    assert traffic_manager.statuses() == {"weu": "online"}
