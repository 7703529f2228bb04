"""When another region counts as healthy, and who is told so."""

import asyncio
import json
import threading
import time
from contextlib import closing

import azure.functions as func
import pytest

import function_app
from shared import service as service_module
from shared.core.health import HealthReport
from shared.core.replies import health_reply
from shared.edge import peers as peers_module
from shared.edge.health_check import HealthCheck
from shared.edge.peers import PeerHealthCache
from shared.service import UsableService
from tests.support.clock import FakeClock
from tests.support.servers import ScriptedServer, json_reply, reply
from tests.support.service import Make


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>This domain is parked.</html>",
        b"[]",
        b'{"status": "ok"}',
        b'{"region": "sea"}',
        b'{"status": "unavailable", "region": "sea"}',
        b'{"status": "ok", "region": "neu"}',
        b'{"status": "ok", "region": "SEA"}',
        b'{"status": "ok", "region": "sea", "region": "sea"}',
        b'{"status": "ok", "region": "sea"' + b" " * 65_536 + b"}",
    ],
)
def test_a_200_that_is_not_that_regions_report_of_health_proves_nothing(
    region: ScriptedServer, check: HealthCheck, body: bytes
) -> None:
    region.script = lambda *_: reply(200, body)

    assert not check()


def test_the_products_own_health_report_is_understood(
    region: ScriptedServer, check: HealthCheck
) -> None:
    """What one region sends, another one can read."""
    report = HealthReport("sea", "stale", (), ("CALLING_NEW: unknown setting.",))
    sent = health_reply(report)
    region.script = lambda *_: reply(sent.status, sent.body or b"")

    assert check()
    region.script = lambda *_: json_reply(report._replace(keys="none").members())
    assert not check()


def test_a_look_says_which_region_it_comes_from(
    region: ScriptedServer, check: HealthCheck
) -> None:
    check()

    assert [asked.headers["x-calling-region"] for asked in region.requests] == ["weu"]


class GatedLooks:
    """A check whose looks end as told, each of them when it is let go."""

    def __init__(self, *results: bool) -> None:
        self._results = iter(results)
        self._may_end = threading.Semaphore(0)
        self.begun = 0

    def __call__(self) -> bool:
        self.begun += 1
        self._may_end.acquire(timeout=20)
        return next(self._results, True)

    def let_go(self, count: int = 1) -> None:
        """Let so many looks end."""
        self._may_end.release(count)

    async def end_one(self) -> None:
        """Let the look under way end, and wait until the next one has begun."""
        begun = self.begun
        self.let_go()
        # A look runs on a thread.
        while self.begun == begun:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def health_after_each(*results: bool) -> list[bool | None]:
    """Return what is known of a watched region after each of these looks."""
    looks = GatedLooks(*results)

    async def watch() -> list[bool | None]:
        peers.keep_watch()
        known = []
        for _ in results:
            await looks.end_one()
            known.append(peers.current("sea"))
        return known

    with closing(PeerHealthCache({"sea": looks}, interval_seconds=0.01)) as peers:
        try:
            return asyncio.run(watch())
        finally:
            looks.let_go(2)


def test_one_bad_look_does_not_send_a_healthy_regions_calls_elsewhere() -> None:
    assert health_after_each(True, False, True, False) == [True] * 4


def test_two_bad_looks_in_a_row_make_a_region_unhealthy_until_a_good_one() -> None:
    known = health_after_each(True, False, False, False, True, False)

    assert known == [True, True, False, False, True, True]


def test_a_region_that_was_never_seen_is_unhealthy_after_one_bad_look() -> None:
    assert health_after_each(False, True) == [False, True]


def test_the_second_look_follows_a_second_after_the_first_bad_one() -> None:
    """And the third ten seconds after the second."""
    clock, results = FakeClock(), iter((True, False, False))

    async def seconds_until_next_look() -> float:
        peer = peers._peers["sea"]
        await asyncio.wrap_future(peers._look(peer))
        return peer.next_look_at - clock.now

    async def scenario() -> list[float]:
        return [await seconds_until_next_look() for _ in range(3)]

    checks = {"sea": lambda: next(results)}
    with closing(PeerHealthCache(checks, clock=clock)) as peers:
        assert asyncio.run(scenario()) == [10.0, 1.0, 10.0]


def test_a_region_that_was_healthy_long_ago_is_unhealthy_after_one_bad_look() -> None:
    """After an idle night, what was seen in the evening proves nothing."""
    clock, results = FakeClock(), iter((True, False))

    async def scenario() -> None:
        assert await peers.is_healthy("sea")
        clock.now += 60
        assert not await peers.is_healthy("sea")

    checks = {"sea": lambda: next(results)}
    with closing(PeerHealthCache(checks, clock=clock)) as peers:
        asyncio.run(scenario())


def test_one_look_that_hangs_to_its_end_is_only_one_bad_look() -> None:
    """The next look begins 10 s after a good one, and may take 4 s."""
    clock, results = FakeClock(), iter((True, False, False))

    async def look(*, seconds_later: float) -> bool | None:
        clock.now += seconds_later
        await asyncio.wrap_future(peers._look(peers._peers["sea"]))
        return peers.current("sea")

    async def scenario() -> list[bool | None]:
        return [await look(seconds_later=seconds) for seconds in (0, 14.1, 5.1)]

    checks = {"sea": lambda: next(results)}
    with closing(PeerHealthCache(checks, clock=clock)) as peers:
        assert asyncio.run(scenario()) == [True, True, False]


def test_a_look_that_hangs_makes_a_healthy_region_unhealthy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Name resolution has no deadline of its own; the look is not repeated."""
    monkeypatch.setattr(peers_module, "_LONGEST_LOOK_SECONDS", 0.05)
    looks = GatedLooks(True)

    async def scenario() -> None:
        peers.keep_watch()
        await looks.end_one()
        assert peers.current("sea") is True
        # It is looked at on a thread.
        while peers.current("sea"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    with closing(PeerHealthCache({"sea": looks}, interval_seconds=0.01)) as peers:
        asyncio.run(asyncio.wait_for(scenario(), 10))
        looks.let_go(2)
    assert looks.begun == 2


@pytest.mark.parametrize("timeout_seconds", [0.0, 0.1])
def test_a_call_waits_no_longer_for_a_look_than_it_may(timeout_seconds: float) -> None:
    """A call of policy recording may have less than half a second left for it."""
    looks = GatedLooks()

    async def seconds_waited() -> float:
        started = time.monotonic()
        assert not await peers.is_healthy("sea", timeout_seconds=timeout_seconds)
        return time.monotonic() - started

    with closing(PeerHealthCache({"sea": looks})) as peers:
        assert asyncio.run(seconds_waited()) < 0.4
        looks.let_go(2)


def two_regions(other: ScriptedServer) -> dict[str, str]:
    """Return settings of region weu whose rules name region sea."""
    return {
        "CALLING_REGION": "weu",
        "CALLING_REGION_HOSTS": json.dumps({"weu": "weu.example", "sea": other.host}),
        "CALLING_REGION_RULES": '[{"regions": ["sea"]}]',
    }


def test_the_look_of_another_region_does_not_prolong_the_watch(
    make: Make, region: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or two idle regions would keep each other awake for ever."""
    service = make(**two_regions(region))
    assert isinstance(service, UsableService)
    monkeypatch.setattr(service_module, "_service", service)
    health = function_app.health.build().get_user_function()

    async def is_watching_after(**headers: str) -> bool:
        request = func.HttpRequest(
            "GET", "https://weu.example/api/health", headers=headers, body=b""
        )
        assert (await health(request)).status_code == 200
        return service.peers._watching is not None

    async def story() -> list[bool]:
        return [
            await is_watching_after(**{"X-Calling-Region": "sea"}),
            await is_watching_after(**{"User-Agent": "Azure Traffic Manager"}),
        ]

    assert asyncio.run(story()) == [False, True]


def test_a_region_that_no_rule_names_is_watched_too(
    make: Make, region: ScriptedServer
) -> None:
    """docs/behaviour.md section 3: every region of CALLING_REGION_HOSTS is."""
    settings = {**two_regions(region), "CALLING_REGION_RULES": "[]"}
    service = make(**settings)
    assert isinstance(service, UsableService)

    async def until_healthy() -> None:
        # It is looked at on a thread.
        while not service.peers.current("sea"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert not service.peers.current("weu")  # nobody asks itself

    asyncio.run(asyncio.wait_for(until_healthy(), 10))
