"""shared.edge.signing_keys: the set is held, replaced whole, and serves for a day."""

import asyncio
import itertools
import json
import logging
import threading
from typing import TYPE_CHECKING

import pytest

from shared.core.errors import KeysUnavailableError
from shared.core.provider_reasons import ProviderReason
from shared.edge.openid import ProviderError
from shared.edge.signing_keys import (
    FRESH_SECONDS,
    REQUEST_WAIT_SECONDS,
    USABLE_SECONDS,
    SigningKeyCache,
)
from shared.edge.telemetry import write_events
from tests.support.clock import SETTLE_SECONDS, FakeClock, at_most, wait_until
from tests.support.keys import FakeProvider, find, settle

if TYPE_CHECKING:
    from shared.core.key_sets import KeySet

HOUR = 3600.0
COOLDOWN = 30.0


def test_a_set_is_fresh_for_an_hour_and_usable_for_a_day() -> None:
    """See docs/behaviour.md section 2, and R14 in docs/security.md."""
    assert (FRESH_SECONDS, USABLE_SECONDS) == (3600, 86_400)


def test_nothing_is_fetched_before_it_is_needed(
    cache: SigningKeyCache, provider: FakeProvider
) -> None:
    """Looking at what is held causes no fetch."""
    assert cache.current() is None
    assert cache.age_seconds() is None
    assert cache.freshness() == "none"
    assert provider.fetches == 0


def test_the_first_token_waits_for_the_first_set(
    cache: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    assert "old" in find(cache, "old").keys

    clock.now += 7
    assert cache.freshness() == "fresh"
    assert cache.age_seconds() == 7
    assert provider.fetches == 1


@pytest.mark.requirement("R12")
@pytest.mark.parametrize("threads", [1, 8])
def test_callers_without_a_set_share_one_fetch(
    cache: SigningKeyCache, provider: FakeProvider, threads: int
) -> None:
    """32 callers cause one fetch, on one event loop or on several."""
    found: list[KeySet] = []

    async def look() -> None:
        found.extend(
            await asyncio.gather(*(cache.find("old") for _ in range(32 // threads)))
        )

    workers = [
        threading.Thread(target=asyncio.run, args=(look(),)) for _ in range(threads)
    ]
    with provider.held():
        for worker in workers:
            worker.start()
        wait_until(lambda: provider.fetches == 1)
    for worker in workers:
        worker.join(SETTLE_SECONDS)

    assert len(found) == 32
    assert len({id(key_set) for key_set in found}) == 1
    assert provider.fetches == 1


@pytest.mark.requirement("R14")
def test_a_caller_waits_for_the_first_set_no_longer_than_its_share(
    cache: SigningKeyCache, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hanging provider costs seconds; the fetch goes on for the next caller."""
    assert REQUEST_WAIT_SECONDS == 3.0
    monkeypatch.setattr("shared.edge.signing_keys.REQUEST_WAIT_SECONDS", 0.2)
    with provider.held(), at_most(2), pytest.raises(KeysUnavailableError):
        find(cache, "old")
    settle(cache)

    assert "old" in find(cache, "old").keys
    assert provider.fetches == 1


@pytest.mark.requirement("R14")
def test_without_a_set_retries_come_soon_and_then_back_off(
    cache: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """They come after 1, 2, 4, 8 and 16 s, then every 30 s."""
    provider.fail()
    attempts: list[float] = []
    started = clock.now
    while clock.now < started + 130:
        fetches = provider.fetches
        with pytest.raises(KeysUnavailableError):
            find(cache, "old")
        settle(cache)
        if provider.fetches > fetches:
            attempts.append(clock.now - started)
        clock.now += 0.5

    assert attempts == [0, 1, 3, 7, 15, 31, 61, 91, 121]


@pytest.mark.requirement("R14")
def test_the_first_set_after_an_outage_is_taken_at_once(
    cache: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """Earlier failures are forgotten."""
    provider.fail()
    for _ in range(5):
        with pytest.raises(KeysUnavailableError):
            find(cache, "old")
        settle(cache)
        clock.now += 40
    provider.error = None

    assert "old" in find(cache, "old").keys
    assert cache._failures == 0


def test_a_known_key_id_costs_no_fetch(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    clock.now += FRESH_SECONDS - 1
    for _ in range(100):
        find(loaded, "old")
    assert provider.fetches == 1


@pytest.mark.requirement("R13", "R14")
def test_after_an_hour_the_old_set_serves_while_one_refresh_runs(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """Callers with a known key do not notice."""
    clock.now += FRESH_SECONDS
    assert loaded.freshness() == "stale"
    with provider.held():
        with at_most(3):
            for _ in range(100):
                assert "old" in find(loaded, "old").keys
        wait_until(lambda: provider.fetches == 2)
    settle(loaded)

    assert loaded.freshness() == "fresh"
    assert loaded.age_seconds() == 0
    assert provider.fetches == 2


@pytest.mark.requirement("R10")
def test_a_refresh_replaces_the_set_whole(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """A withdrawn key stops working."""
    before = loaded.current()
    provider.key_ids = ("new",)
    clock.now += FRESH_SECONDS
    loaded.keep_fresh()
    settle(loaded)

    after = loaded.current()
    assert before is not None
    assert after is not None
    assert set(before.keys) == {"old"}
    assert set(after.keys) == {"new"}


@pytest.mark.requirement("R10", "R14")
@pytest.mark.parametrize(
    "error", [ProviderError(ProviderReason.NO_KEY), RuntimeError("defect")], ids=repr
)
def test_a_failed_refresh_changes_nothing(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock, error: Exception
) -> None:
    """This holds for defects of our own, too."""
    before = loaded.current()
    provider.error = error
    clock.now += FRESH_SECONDS
    loaded.keep_fresh()
    settle(loaded)

    assert provider.fetches == 2
    assert loaded.current() is before
    assert loaded.freshness() == "stale"


@pytest.mark.requirement("R14")
def test_known_keys_serve_for_24_hours_without_the_provider(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """After that no token can be verified."""
    provider.fail()
    clock.now += USABLE_SECONDS - 1
    assert "old" in find(loaded, "old").keys
    assert loaded.freshness() == "stale"
    settle(loaded)

    clock.now += 1
    assert loaded.current() is None
    assert loaded.freshness() == "none"
    with pytest.raises(KeysUnavailableError):
        find(loaded, "old")


@pytest.mark.requirement("R14")
def test_a_day_without_the_provider_costs_few_fetches(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """The pause doubles from 30 s to 5 minutes."""
    provider.fail()
    attempts = []
    started = clock.now
    while clock.now < started + 5 * HOUR:
        fetches = provider.fetches
        loaded.keep_fresh()
        settle(loaded)
        if provider.fetches > fetches:
            attempts.append(clock.now - started)
        clock.now += 10

    pauses = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert attempts[0] == FRESH_SECONDS
    assert pauses[:5] == [30, 60, 120, 240, 300]
    assert set(pauses[4:]) == {300}


@pytest.mark.requirement("R14")
def test_the_short_pause_holds_from_the_moment_that_the_set_is_too_old(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """The next attempt comes 30 s after the last one, not 5 minutes."""
    provider.fail()
    fetched_at = clock.now
    for age in (*range(3600, 7200, 300), USABLE_SECONDS - 30):
        clock.now = fetched_at + age
        loaded.keep_fresh()
        settle(loaded)
    fetches = provider.fetches
    clock.now = fetched_at + USABLE_SECONDS - 1
    loaded.keep_fresh()
    assert provider.fetches == fetches
    clock.now = fetched_at + USABLE_SECONDS
    loaded.keep_fresh()
    settle(loaded)

    assert provider.fetches == fetches + 1


@pytest.mark.requirement("R14")
def test_the_provider_comes_back_within_30_seconds_after_a_day(
    loaded: SigningKeyCache, provider: FakeProvider, clock: FakeClock
) -> None:
    """Calls are lost by now, so the long pause no longer applies."""
    provider.fail()
    clock.now += 23 * HOUR
    for _ in range(12):
        loaded.keep_fresh()
        settle(loaded)
        clock.now += 300
    assert loaded.freshness() == "none"
    provider.error = None
    clock.now += 30

    assert "old" in find(loaded, "old").keys


def test_loading_gets_the_first_set_and_does_nothing_later(
    cache: SigningKeyCache, provider: FakeProvider
) -> None:
    """The warm-up and the first health probe use it."""
    asyncio.run(cache.load(timeout_seconds=SETTLE_SECONDS))
    asyncio.run(cache.load(timeout_seconds=SETTLE_SECONDS))

    assert cache.freshness() == "fresh"
    assert provider.fetches == 1


def test_loading_returns_without_a_set_when_it_takes_long(
    cache: SigningKeyCache, provider: FakeProvider
) -> None:
    """A health probe has only a few seconds."""
    with provider.held():
        asyncio.run(cache.load(timeout_seconds=0.1))
        assert cache.freshness() == "none"
    settle(cache)
    assert cache.freshness() == "fresh"


def test_refreshes_are_logged_with_their_reason(
    loaded: SigningKeyCache,
    provider: FakeProvider,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A failure is a warning while the old set serves, and then an error."""
    provider.fail(ProviderReason.TIMEOUT)
    caplog.set_level(logging.INFO)
    for age in (FRESH_SECONDS, USABLE_SECONDS):
        clock.now += age
        loaded.keep_fresh()
        settle(loaded)

    def has_both_lines() -> bool:
        write_events()
        return len(caplog.records) == 2

    wait_until(has_both_lines)
    warning, error = caplog.records
    assert (warning.levelname, error.levelname) == ("WARNING", "ERROR")
    assert '"event":"keys.refresh-failed"' in warning.message
    assert '"reason":"provider-timeout"' in warning.message
    assert f'"next_step":"{ProviderReason.TIMEOUT.cure}"' in warning.message
    assert '"key_age_seconds":3600' in warning.message


def test_a_set_that_was_obtained_is_logged_with_its_size(
    cache: SigningKeyCache, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """The line tells people when keys were last obtained."""
    caplog.set_level(logging.INFO)
    provider.key_ids = ("old", "new")
    find(cache, "old")
    write_events()

    [record] = caplog.records
    assert record.levelname == "INFO"
    assert record.message.startswith('{"event":"keys.refreshed","keys":2,')


def test_a_refresh_runs_on_a_thread_that_keeps_no_process_alive(
    cache: SigningKeyCache, provider: FakeProvider
) -> None:
    """The thread has a name, for people who list threads."""
    with provider.held():
        asyncio.run(cache.load(timeout_seconds=0.05))
        [thread] = [t for t in threading.enumerate() if t.name == "signing-keys"]
        assert thread.daemon
    settle(cache)


def test_a_defect_in_fetching_is_logged_with_its_place(
    cache: SigningKeyCache, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """Callers see a failed refresh, and we see our defect."""
    provider.error = RuntimeError("defect")
    with pytest.raises(KeysUnavailableError):
        find(cache, "old")
    write_events()

    line = json.loads(caplog.records[-1].message)
    assert (line["event"], line["reason"]) == (
        "keys.refresh-failed",
        "unexpected-error",
    )
    assert (line["type"], line["function"]) == ("RuntimeError", "__call__")
    assert "defect" not in caplog.text
