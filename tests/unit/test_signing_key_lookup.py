"""shared.edge.signing_keys: unknown key ids, and one fetch at a time."""

import asyncio
import json
import threading
from concurrent.futures import Future

import pytest

from shared.core.errors import KeysUnavailableError
from shared.edge.signing_keys import FRESH_SECONDS, SigningKeyCache
from shared.edge.telemetry import write_events
from tests.support.clock import SETTLE_SECONDS, FakeClock, at_most, wait_until
from tests.support.keys import FakeProvider, find, running_refresh, settle
from tests.support.threads import let_no_thread_start

HOUR = 3600.0
COOLDOWN = 30.0


def _running(cache: SigningKeyCache) -> Future[None]:
    """Return what ends with the refresh that runs."""
    done = running_refresh(cache)
    assert done is not None
    return done


@pytest.mark.requirement("R11")
@pytest.mark.parametrize("is_failing", [False, True], ids=["healthy", "failing"])
def test_unknown_key_ids_cost_one_fetch_in_30_seconds(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock, is_failing: bool
) -> None:
    """They count from the last attempt, even while the provider fails."""
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
    """No lock is held while the network is used."""
    clock.now += COOLDOWN

    async def look() -> None:
        unknown = asyncio.create_task(loaded.find("unknown"))
        await asyncio.to_thread(wait_until, lambda: provider.fetches == 2)
        with at_most(0.5):
            await loaded.find("old")
        assert not unknown.done()
        provider.gate.set()
        await unknown

    with provider.held():
        asyncio.run(look())


def test_a_refresh_that_never_ends_is_given_up_and_its_result_ignored(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """Name resolution has no deadline, and a late result is too old to use."""
    first = loaded.current()
    provider.key_ids = ("late",)
    clock.now += FRESH_SECONDS
    with provider.held():
        loaded.keep_fresh()
        wait_until(lambda: provider.fetches == 2)
        given_up = _running(loaded)
        clock.now += 9.5
        loaded.keep_fresh()
        assert _running(loaded) is given_up
        clock.now += 0.5
        loaded.keep_fresh()
        assert running_refresh(loaded) is None
    given_up.result(SETTLE_SECONDS)

    assert loaded.current() is first
    clock.now += COOLDOWN
    loaded.keep_fresh()
    settle(loaded)
    assert provider.fetches == 3


def test_each_refresh_that_is_given_up_counts_as_a_failure(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """Hanging threads then grow by no more than one in five minutes."""
    clock.now += FRESH_SECONDS
    given_up = []
    with provider.held():
        for failures, pause in enumerate((30, 60, 120), start=1):
            loaded.keep_fresh()
            given_up.append(_running(loaded))
            clock.now += 10
            loaded.keep_fresh()
            assert loaded._failures == failures
            clock.now += pause - 1
            loaded.keep_fresh()
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
    """This counts as a failed refresh; the next one is due after the pause."""
    clock.now += FRESH_SECONDS
    with monkeypatch.context() as exhausted:
        let_no_thread_start(exhausted)
        assert "old" in find(loaded, "old").keys
        assert running_refresh(loaded) is None
        clock.now += COOLDOWN - 1
        assert "old" in find(loaded, "old").keys
    write_events()
    [record] = caplog.records
    line = json.loads(record.message)
    assert (line["event"], line["reason"]) == (
        "keys.refresh-failed",
        "unexpected-error",
    )
    assert (line["type"], line["function"]) == ("RuntimeError", "fail")
    clock.now += 1
    loaded.keep_fresh()
    settle(loaded)

    assert provider.fetches == 2
    assert loaded.freshness() == "fresh"


@pytest.mark.requirement("R16")
def test_without_a_set_and_without_a_thread_keys_are_unavailable_at_once(
    cache: SigningKeyCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a refresh that never began."""
    let_no_thread_start(monkeypatch)
    with at_most(1), pytest.raises(KeysUnavailableError):
        asyncio.run(cache.find("old"))
