"""shared.edge.peers: other regions' health, over real TLS, and who waits for it."""

import asyncio
import logging
import threading
import time
from contextlib import closing

import pytest

from shared.edge.health_check import HealthCheck
from shared.edge.peers import PeerHealthCache
from shared.edge.telemetry import write_events
from tests.simulator.services.authority import Authority
from tests.support.clock import FakeClock, at_most
from tests.support.servers import (
    Peer,
    Request,
    Script,
    ScriptedServer,
    hang,
    hang_up,
    healthy,
    in_turn,
    json_reply,
    status,
)
from tests.support.threads import let_no_thread_start
from tests.unit.conftest import check_of

GOOD = json_reply({"status": "ok", "region": "sea"})


def test_a_region_that_says_200_is_healthy(
    region: ScriptedServer, check: HealthCheck
) -> None:
    """Each check is one request, and the connection is kept."""
    assert check()
    assert check()

    targets = [(request.method, request.target) for request in region.requests]
    assert targets == [("GET", "/api/health")] * 2
    assert region.connections == 1


def late(_request: Request, peer: Peer) -> bytes:
    """Answer right, after the time for a reply."""
    peer.hang(0.6)
    return GOOD


def test_a_connection_may_take_longer_than_a_reply(
    region: ScriptedServer, check: HealthCheck
) -> None:
    """TLS with another continent is slow, so a second reply counts instead."""
    region.script = in_turn(late, healthy("sea"))
    assert check()
    assert len(region.requests) == 2


def test_a_reply_that_is_always_late_is_unhealthy(
    region: ScriptedServer, check: HealthCheck
) -> None:
    region.script = late
    assert not check()


def drip(_request: Request, peer: Peer) -> None:
    """Answer right, one byte at a time."""
    peer.drip(GOOD)


@pytest.mark.parametrize(
    "script",
    [
        status(503),
        status(404),
        status(302, Location="https://127.0.0.1/api/health"),
        hang_up,
        hang,
        drip,
    ],
    ids=["503", "404", "302", "hangs up", "hangs", "drips"],
)
def test_anything_else_is_unhealthy_in_time(
    region: ScriptedServer, check: HealthCheck, script: Script
) -> None:
    """A connection that was good a moment ago may fail, and recover."""
    assert check()
    region.script = script
    with at_most(0.5 * 3):
        assert not check()
    region.script = healthy("sea")
    assert check()


def test_a_connection_that_hangs_from_the_start_ends(
    region: ScriptedServer, check: HealthCheck
) -> None:
    """It gets more time, but not for ever."""
    region.script = hang
    with at_most(2 * 3):
        assert not check()


def test_a_region_that_nobody_can_reach_is_unhealthy(
    region: ScriptedServer, authority: Authority
) -> None:
    """Its certificate is not trusted, nothing listens there, or the name is unknown."""
    bundle = str(authority.bundle)
    assert not check_of(region.host, "")()
    region.close()
    assert not check_of(region.host, bundle)()
    assert not check_of("region.invalid", bundle)()
    assert not check_of(region.host, "/no/such/file.pem")()


class FakeCheck:
    """A check that says what it is told, now or when it is let go."""

    def __init__(self, *, is_healthy: bool = True, is_slow: bool = False) -> None:
        self.is_healthy = is_healthy
        self.may_end = threading.Event()
        self.calls = 0
        if not is_slow:
            self.may_end.set()

    def __call__(self) -> bool:
        self.calls += 1
        self.may_end.wait(20)
        return self.is_healthy


async def until_looked(check: FakeCheck, times: int) -> None:
    """Wait until a check has been called so often."""
    # The check is called on a thread.
    while check.calls < times:  # noqa: ASYNC110
        await asyncio.sleep(0.005)


def test_the_first_call_waits_for_a_look_and_the_next_ones_do_not() -> None:
    check = FakeCheck()

    async def scenario() -> list[bool]:
        return [await peers.is_healthy("sea") for _ in range(100)]

    with closing(PeerHealthCache({"sea": check})) as peers:
        assert asyncio.run(scenario()) == [True] * 100
    assert check.calls == 1


def test_however_many_regions_hang_a_call_waits_half_a_second_once() -> None:
    """All are checked at once, and are then known to be unhealthy."""
    checks = {code: FakeCheck(is_slow=True) for code in ("sea", "neu", "eus2")}

    async def scenario() -> None:
        with at_most(0.5 * 3):
            for code in checks:
                assert not await peers.is_healthy(code)

    with closing(PeerHealthCache(checks)) as peers:
        asyncio.run(scenario())
        for check in checks.values():
            check.may_end.set()
    assert [check.calls for check in checks.values()] == [1, 1, 1]


def test_an_unhealthy_region_makes_no_other_one_slow() -> None:
    """Each has its own check and its own thread."""
    hanging, quick = FakeCheck(is_slow=True), FakeCheck()

    async def scenario() -> None:
        peers.keep_watch()
        await until_looked(quick, 1)
        with at_most(0.3):
            assert await peers.is_healthy("sea")

    with closing(PeerHealthCache({"neu": hanging, "sea": quick})) as peers:
        asyncio.run(scenario())
        hanging.may_end.set()


def test_a_look_that_never_ends_is_not_repeated() -> None:
    """Threads do not pile up behind a name that does not resolve."""
    check = FakeCheck(is_slow=True)

    async def scenario() -> None:
        peers.keep_watch()
        for _ in range(5):
            assert not await peers.is_healthy("sea")

    with closing(PeerHealthCache({"sea": check}, interval_seconds=0.01)) as peers:
        asyncio.run(scenario())
        assert check.calls == 1
        check.may_end.set()


def test_a_change_is_seen_in_the_background(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once, with what to do, and no call waits for it."""
    caplog.set_level(logging.INFO)
    check = FakeCheck()

    async def scenario() -> list[bool]:
        peers.keep_watch()
        seen = []
        for is_healthy in (True, False, True):
            check.is_healthy = is_healthy
            await until_looked(check, check.calls + 2)
            seen.append(await peers.is_healthy("sea"))
        return seen

    with closing(PeerHealthCache({"sea": check}, interval_seconds=0.02)) as peers:
        assert asyncio.run(scenario()) == [True, False, True]
    write_events()
    events = [record.__dict__["event"] for record in caplog.records]
    assert events == ["peer.healthy", "peer.unhealthy", "peer.healthy"]
    assert "/api/health" in caplog.records[1].__dict__["next_step"]


def test_what_was_seen_long_ago_does_not_count() -> None:
    """After a silence the next call checks again."""
    check, clock = FakeCheck(), FakeClock()

    async def scenario() -> None:
        assert await peers.is_healthy("sea")
        check.is_healthy = False
        clock.now += 9
        assert await peers.is_healthy("sea")
        clock.now += 11
        assert not await peers.is_healthy("sea")

    with closing(PeerHealthCache({"sea": check}, clock=clock)) as peers:
        asyncio.run(scenario())
    assert check.calls == 2


def test_the_watch_ends_when_nobody_asks_any_more() -> None:
    """An idle instance leaves the other regions alone."""
    check, skipped = FakeCheck(), [0.0]

    async def scenario() -> None:
        peers.keep_watch()
        await until_looked(check, 2)
        skipped[0] = 301
        watching = peers._watching
        assert watching is not None
        await asyncio.wait({watching}, timeout=10)
        assert watching.done()
        asked = check.calls
        assert await peers.is_healthy("sea")
        assert check.calls > asked

    def clock() -> float:
        return time.monotonic() + skipped[0]

    cache = PeerHealthCache({"sea": check}, clock=clock, interval_seconds=0.01)
    with closing(cache) as peers:
        asyncio.run(scenario())


def test_regions_that_no_rule_names_are_neither_asked_nor_healthy() -> None:
    async def scenario() -> bool:
        peers.keep_watch()
        return await peers.is_healthy("sea")

    with closing(PeerHealthCache({})) as peers:
        assert not asyncio.run(scenario())
        assert peers._watching is None


def test_a_machine_without_a_thread_to_spare_keeps_calls_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is known about the region, and no error escapes."""
    with closing(PeerHealthCache({"sea": FakeCheck()})) as peers:
        let_no_thread_start(monkeypatch)
        assert not asyncio.run(peers.is_healthy("sea"))
