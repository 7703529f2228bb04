"""shared.edge.signing_keys: unknown key ids, and one fetch at a time."""

import asyncio
import json
import threading
import time
from concurrent.futures import Future

import pytest

from shared.core.errors import KeysUnavailableError
from shared.edge.signing_keys import (
    FRESH_SECONDS,
    SigningKeyCache,
)
from tests.support.keys import (
    SETTLE_SECONDS,
    FakeClock,
    FakeProvider,
    find,
    settle,
    wait_until,
)

HOUR = 3600.0
COOLDOWN = 30.0


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock in our hands."""
    return FakeClock()


@pytest.fixture
def provider() -> FakeProvider:
    """Return a provider that publishes one key."""
    return FakeProvider("old")


@pytest.fixture
def cache(provider: FakeProvider, clock: FakeClock) -> SigningKeyCache:
    """Return an empty cache."""
    return SigningKeyCache(provider, clock=clock)


@pytest.fixture
def loaded(cache: SigningKeyCache) -> SigningKeyCache:
    """Return a cache that holds the first set."""
    find(cache, "old")
    settle(cache)
    return cache


def _running(cache: SigningKeyCache) -> Future[None]:
    """Return what ends with the refresh that runs."""
    assert cache._refresh is not None
    return cache._refresh.done


def _no_thread(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("is_failing", [False, True], ids=["healthy", "failing"])
def test_unknown_key_ids_cost_one_fetch_in_30_seconds(
    loaded: SigningKeyCache,
    provider: FakeProvider,
    clock: FakeClock,
    is_failing: bool,
) -> None:
    """Counted from the last attempt, also while the provider fails."""
    if is_failing:
        provider.fail()
    for number in range(1000):
        find_unknown = loaded.find(f"unknown-{number}")
        assert "old" in asyncio.run(find_unknown).keys
    assert provider.fetches == 1

    clock.now += COOLDOWN
    for number in range(1000):
        asyncio.run(loaded.find(f"unknown-{number}"))
    assert provider.fetches == 2


@pytest.mark.requirement("R14")
def test_a_new_key_is_found_by_the_first_token_after_the_pause(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """That token waits for the fetch and is judged by the new set."""
    provider.key_ids = ("old", "new")
    clock.now += COOLDOWN - 1
    assert "new" not in find(loaded, "new").keys
    clock.now += 1
    assert "new" in find(loaded, "new").keys


@pytest.mark.requirement("R11")
def test_the_pause_counts_from_the_end_of_a_slow_attempt(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """A slow provider is not asked again the moment it has answered."""
    clock.now += COOLDOWN
    with provider.held():
        waiting = threading.Thread(target=find, args=(loaded, "unknown"))
        waiting.start()
        wait_until(lambda: provider.fetches == 2)
        clock.now += 4
    waiting.join(SETTLE_SECONDS)
    clock.now += COOLDOWN - 1
    find(loaded, "unknown")
    assert provider.fetches == 2


@pytest.mark.requirement("R13")
def test_a_known_key_does_not_wait_for_anothers_refresh(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """No lock is held across the network."""
    clock.now += COOLDOWN

    async def look() -> tuple[bool, float]:
        unknown = asyncio.create_task(loaded.find("unknown"))
        await asyncio.to_thread(wait_until, lambda: provider.fetches == 2)
        started = time.monotonic()
        await loaded.find("old")
        seconds = time.monotonic() - started
        was_waiting = not unknown.done()
        provider.gate.set()
        await unknown
        return was_waiting, seconds

    with provider.held():
        was_waiting, seconds = asyncio.run(look())

    assert was_waiting
    assert seconds < 0.5


def test_a_refresh_that_never_ends_is_given_up_and_its_result_ignored(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """Name resolution has no deadline; what it brings at last is too old to use."""
    first = loaded.current()
    provider.key_ids = ("late",)
    clock.now += FRESH_SECONDS
    with provider.held():
        loaded.current()
        wait_until(lambda: provider.fetches == 2)
        given_up = _running(loaded)
        clock.now += 9.5
        loaded.current()
        assert _running(loaded) is given_up
        clock.now += 0.5
        loaded.current()
        assert loaded._refresh is None
    given_up.result(SETTLE_SECONDS)

    assert loaded.current() is first
    clock.now += COOLDOWN
    loaded.current()
    settle(loaded)
    assert provider.fetches == 3


def test_each_refresh_that_is_given_up_counts_as_a_failure(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """So that threads which hang grow no faster than one in five minutes."""
    clock.now += FRESH_SECONDS
    given_up = []
    with provider.held():
        for failures, pause in enumerate((30, 60, 120), start=1):
            loaded.current()
            given_up.append(_running(loaded))
            clock.now += 10
            loaded.current()
            assert loaded._failures == failures
            clock.now += pause - 1
            loaded.current()
            assert provider.fetches == failures + 1
            clock.now += 1
    for done in given_up:
        done.result(SETTLE_SECONDS)


@pytest.mark.requirement("R13", "R14")
def test_a_known_key_is_found_where_no_thread_can_be_had_for_a_refresh(
    loaded: SigningKeyCache,
    provider: FakeProvider,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It counts as a refresh that failed; the next one is due after the pause."""
    clock.now += FRESH_SECONDS
    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", _no_thread)
        assert "old" in loaded.current().keys  # type: ignore[union-attr]
        assert loaded._refresh is None
        clock.now += COOLDOWN - 1
        assert loaded.current() is not None
    [record] = caplog.records
    line = json.loads(record.message)
    assert (line["event"], line["reason"]) == (
        "keys.refresh-failed",
        "unexpected-error",
    )
    assert (line["type"], line["function"]) == ("RuntimeError", "_no_thread")
    clock.now += 1
    loaded.current()
    settle(loaded)

    assert provider.fetches == 2
    assert loaded.freshness() == "fresh"


@pytest.mark.requirement("R16")
def test_without_a_set_and_without_a_thread_keys_are_unavailable_at_once(
    cache: SigningKeyCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a refresh that never began."""
    monkeypatch.setattr(threading.Thread, "start", _no_thread)
    started = time.monotonic()
    with pytest.raises(KeysUnavailableError):
        asyncio.run(cache.find("old"))
    assert time.monotonic() - started < 1
