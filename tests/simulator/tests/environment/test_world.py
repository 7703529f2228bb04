"""The world of prod, with its processes: calls, faults, rules, and its end."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.simulator.drill.scenario_run import logged
from tests.simulator.environment import FAULTS, World
from tests.simulator.environment.events import FaultInjected, LogWritten, RegionChanged
from tests.simulator.environment.rollout import RulesError
from tests.simulator.platform.calls import Outcome, PlacedCall, RetryPolicy
from tests.simulator.platform.journal import Event
from tests.simulator.services.traffic_manager import EndpointChanged
from tests.support.checkout import CHECKOUT

SECONDS = 30.0
SINGAPORE_FROM_AMSTERDAM = PlacedCall(
    caller="amsterdam", country_code="SG", caller_region="apac"
)


def test_each_region_has_an_address_of_its_own_and_all_have_one_port(
    world: World,
) -> None:
    addresses = [region.address for region in world.regions.values()]

    assert addresses == ["127.0.1.1", "127.0.1.2", "127.0.1.3"]
    assert {region.port for region in world.regions.values()} == {world.port}
    assert world.webhook == f"https://global.calls.contoso.com:{world.port}/api/calls"


def test_a_region_s_certificate_names_it_and_the_global_host_only(world: World) -> None:
    """A connection to the wrong region fails."""
    context = world.neighbours.authority.client_context()
    weu = (world.regions["weu"].address, world.port)
    for name in ("global.calls.contoso.com", "weu.calls.contoso.com"):
        with (
            socket.create_connection(weu, 5) as plain,
            context.wrap_socket(plain, server_hostname=name) as trusted,
        ):
            assert trusted.version() in {"TLSv1.2", "TLSv1.3"}
    with (
        socket.create_connection(weu, 5) as plain,
        pytest.raises(OSError, match="certificate verify failed"),
    ):
        context.wrap_socket(plain, server_hostname="sea.calls.contoso.com")


def test_a_call_goes_where_dns_and_the_rules_send_it(world: World) -> None:
    """It lands in weu, is redirected once, and gets its follow-ups in sea."""
    report = world.place_call(SINGAPORE_FROM_AMSTERDAM).result(SECONDS)

    assert report.path == [302, *[202] * 6]
    assert [step.region for step in report.steps] == ["weu", *["sea"] * 6]
    assert (report.outcome, report.region) == (Outcome.ANSWERED, "sea")
    assert report.callback_uri is not None
    assert report.callback_uri.startswith(f"https://sea.calls.contoso.com:{world.port}")


def test_the_log_line_of_a_call_is_an_event(world: World) -> None:
    report = world.place_call("tokyo", follow_ups="none").result(SECONDS)

    def is_its_line(event: Event) -> bool:
        return isinstance(event, LogWritten) and event.call_id == report.call_id

    found = world.journal.wait_for(is_its_line, timeout_seconds=SECONDS)
    assert found is not None
    line = found.to_json()
    assert (line["kind"], line["region"]) == ("log-written", "sea")
    assert line["line"]["reason"] == "answered"


def test_a_dead_region_is_found_and_comes_back(world: World) -> None:
    """Once Traffic Manager and the other regions know, one attempt is enough."""
    world.platform.retries = RetryPolicy.none()
    number = world.journal.next_number
    world.inject("region-killed", "sea")

    def comes(is_it: Callable[[Event], bool]) -> bool:
        found = world.journal.wait_for(is_it, timeout_seconds=SECONDS, since=number)
        return found is not None

    assert comes(
        lambda event: event == EndpointChanged(region="sea", status="degraded")
    )
    for other in ("weu", "eus2"):
        assert comes(logged(other, event="peer.unhealthy", peer="sea"))
    # The last answer with sea in it expires.
    time.sleep(world.options.profile.ttl_seconds)
    for call in (PlacedCall(caller="sydney"), SINGAPORE_FROM_AMSTERDAM):
        report = world.place_call(call).result(SECONDS)
        assert (report.outcome, report.attempts) == (Outcome.ANSWERED, 1)
        assert "sea" not in {step.region for step in report.steps}

    number = world.journal.next_number
    world.heal("region-killed", "sea")
    assert comes(lambda event: event == EndpointChanged(region="sea", status="online"))
    world.platform.retries = RetryPolicy()


def test_faults_are_on_once_and_named_exactly(world: World) -> None:
    assert world.inject("graph-slow")
    assert not world.inject("graph-slow")
    assert world.active_faults == [("graph-slow", None)]
    assert world.heal("graph-slow")
    assert not world.heal("graph-slow")

    with pytest.raises(KeyError):
        world.inject("earthquake")
    with pytest.raises(KeyError):
        world.inject("region-killed", "nowhere")
    with pytest.raises(ValueError, match="one region"):
        world.inject("region-killed")
    with pytest.raises(ValueError, match="all"):
        world.inject("graph-slow", "weu")
    assert world.active_faults == []


@pytest.mark.parametrize(
    "fault",
    sorted(
        name
        for name, kind in FAULTS.items()
        # A rotation leaves a trace: the next one must wait for half a minute.
        if not kind.is_regional and name != "key-rotation"
    ),
)
def test_every_general_fault_heals_without_a_trace(world: World, fault: str) -> None:
    world.inject(fault)
    world.heal(fault)

    report = world.place_call("paris", follow_ups="none").result(SECONDS)

    assert (report.outcome, report.attempts) == (Outcome.ANSWERED, 1)
    assert any(
        isinstance(entry.event, FaultInjected) and entry.event.fault == fault
        for entry in world.journal.entries()
    )


def test_rules_that_the_app_would_refuse_change_nothing(world: World) -> None:
    before = world.rules
    with pytest.raises(RulesError, match="CALLING_REGION_RULES"):
        world.set_rules([{"planet": ["mars"], "regions": ["weu"]}])
    with pytest.raises(RulesError):
        world.set_rules([{"regions": ["nowhere"]}])

    assert world.rules == before


def test_other_rules_send_the_next_call_elsewhere(world: World) -> None:
    """The region restarts in good order and finds the others healthy again."""
    before, number = list(world.rules), world.journal.next_number
    world.set_rules([{"countryCode": ["FR"], "regions": ["eus2"]}], "weu")
    try:
        assert world.wait_until_healthy(SECONDS) == []
        report = world.place_call("paris", follow_ups="none").result(SECONDS)
        assert (report.path, report.region) == ([302, 202], "eus2")
    finally:
        world.set_rules(before, "weu")

    states = [
        entry.event.state
        for entry in world.journal.entries(number)
        if isinstance(entry.event, RegionChanged)
    ]
    assert states == ["stopped", "starting", "running"] * 2


def test_the_snapshot_is_json_and_names_what_a_page_shows(world: World) -> None:
    snapshot = json.loads(json.dumps(world.snapshot()))

    assert [region["code"] for region in snapshot["regions"]] == ["weu", "eus2", "sea"]
    assert {region["state"] for region in snapshot["regions"]} == {"running"}
    assert snapshot["rules"] == list(world.file.rules)
    assert {kind["name"] for kind in snapshot["faults"]} == set(FAULTS)


END_OF_A_WORLD = """
import sys
from pathlib import Path
from infra.environment import Environment
from tests.simulator.environment import World, WorldOptions
from tests.simulator.services.traffic_manager import Profile
options = WorldOptions(profile=Profile(interval_seconds=3600.0))
with World(Environment.read(Path(sys.argv[1])), options) as world:
    world.inject("region-hanging", "weu")
    print(world.regions["weu"]._process.pid, flush=True)
    sys.stdin.read()
"""


def test_no_process_outlives_a_world_not_even_a_halted_one() -> None:
    """The world starts without its second probes, an hour later; a region hangs."""
    file = CHECKOUT / "infra" / "params" / "prod.json"

    with subprocess.Popen(
        [sys.executable, "-c", END_OF_A_WORLD, str(file)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        os.kill(pid, 0)
        process.communicate(timeout=SECONDS)

    assert process.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
