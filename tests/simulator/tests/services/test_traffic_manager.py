"""Traffic Manager probes servers that behave as the tests want."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.simulator.platform.journal import Event, Journal
from tests.simulator.services.authority import Authority
from tests.simulator.services.ports import free_port
from tests.simulator.services.traffic_manager import (
    Endpoint,
    EndpointChanged,
    ProbeAnswered,
    Profile,
    TrafficManager,
)
from tests.support.servers import ScriptedServer, hang, status

GLOBAL = "global.calls.example.org"
QUICK = Profile(interval_seconds=0.1, timeout_seconds=10.0)
IMPATIENT = Profile(interval_seconds=0.1, timeout_seconds=0.3)
SECONDS = 20.0


@pytest.fixture
def region(authority: Authority) -> Iterator[ScriptedServer]:
    """A region that is healthy unless scripted; probes do not check its name."""
    with ScriptedServer(status(200), authority.server_context()) as server:
        yield server


class Watch:
    """A Traffic Manager of one region; it probes in its ``with`` block."""

    def __init__(self, host: str, profile: Profile = QUICK) -> None:
        self.journal = Journal()
        address, _, port = host.partition(":")
        endpoint = Endpoint(
            code="weu", location="westeurope", address=address, port=int(port)
        )
        self.manager = TrafficManager(
            [endpoint], global_name=GLOBAL, profile=profile, tell=self.journal.append
        )

    def wait_for_status(self, status: str) -> list[int | str | None]:
        """Wait until the region has a status; return the results of all probes."""
        number = self._wait_for(
            lambda event: isinstance(event, EndpointChanged) and event.status == status
        )
        return [
            entry.event.status or entry.event.error
            for entry in self.journal.entries()
            if isinstance(entry.event, ProbeAnswered) and entry.number < number
        ]

    def wait_for_probe(self) -> None:
        self._wait_for(lambda event: isinstance(event, ProbeAnswered))

    def _wait_for(self, is_it: Callable[[Event], bool]) -> int:
        found = self.journal.wait_for(is_it, timeout_seconds=SECONDS)
        assert found is not None
        return found.number


def test_the_default_profile_is_that_of_the_templates() -> None:
    """Three probes of 10 s, a timeout of 5 s and a TTL of 30 s make 65 s."""
    assert Profile().detection_seconds == 65.0


def test_the_third_failure_in_a_row_degrades_and_one_success_restores(
    region: ScriptedServer,
) -> None:
    watch = Watch(region.host)
    region.script = status(503)
    with watch.manager:
        until_degraded = watch.wait_for_status("degraded")
        region.script = status(200)
        until_online = watch.wait_for_status("online")

    assert until_degraded == [503, 503, 503]
    assert until_online[-1] == 200
    assert 200 not in until_online[:-1]


def test_the_probe_names_the_global_host(region: ScriptedServer) -> None:
    """The region would not know another name."""
    watch = Watch(region.host)
    with watch.manager:
        watch.wait_for_probe()

    port = region.host.rpartition(":")[2]
    assert region.requests[0].target == "/api/health"
    assert region.requests[0].headers["host"] == f"{GLOBAL}:{port}"


@pytest.mark.parametrize("code", [301, 204, 404, 500])
def test_only_200_is_healthy(region: ScriptedServer, code: int) -> None:
    """Redirects are not followed."""
    watch = Watch(region.host)
    region.script = status(code)
    with watch.manager:
        assert set(watch.wait_for_status("degraded")) == {code}


def test_a_region_that_does_not_answer_in_time_has_failed(
    region: ScriptedServer,
) -> None:
    watch = Watch(region.host, IMPATIENT)
    region.script = hang
    with watch.manager:
        assert watch.wait_for_status("degraded") == ["reply-timeout"] * 3
        region.close()


def test_a_region_that_refuses_connections_has_failed() -> None:
    watch = Watch(f"127.0.0.1:{free_port()}")
    with watch.manager:
        assert watch.wait_for_status("degraded") == ["connection-refused"] * 3


def test_a_disabled_region_is_not_probed(region: ScriptedServer) -> None:
    """The probes start when it is enabled again."""
    watch = Watch(region.host)
    watch.manager.enable("weu", is_enabled=False)
    with watch.manager:
        # The thread of the probes has had its turn.
        time.sleep(3 * QUICK.interval_seconds)
        assert region.requests == []
        watch.manager.enable("weu", is_enabled=True)
        watch.wait_for_probe()

    assert watch.manager.statuses() == {"weu": "online"}
