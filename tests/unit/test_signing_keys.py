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
from shared.edge.signing_keys import FRESH_SECONDS, REQUEST_WAIT_SECONDS, USABLE_SECONDS
from shared.edge.telemetry import write_events
from tests.support.clock import SETTLE_SECONDS, at_most, wait_until
from tests.support.keys import Keys, settle

if TYPE_CHECKING:
    from shared.core.key_sets import KeySet

HOUR = 3600.0
COOLDOWN = 30.0


def test_a_set_is_fresh_for_an_hour_and_usable_for_a_day() -> None:
    """See docs/behaviour.md section 2, and R14 in docs/security.md."""
    assert (FRESH_SECONDS, USABLE_SECONDS) == (3600, 86_400)


def test_nothing_is_fetched_before_it_is_needed(cold: Keys) -> None:
    assert cold.current() is None
    assert cold.age_seconds() is None
    assert cold.freshness() == "none"
    assert cold.provider.fetches == 0


def test_the_first_token_waits_for_the_first_set(cold: Keys) -> None:
    assert "old" in cold.ids_found("old")

    cold.clock.now += 7
    assert cold.freshness() == "fresh"
    assert cold.age_seconds() == 7
    assert cold.provider.fetches == 1


@pytest.mark.requirement("R12")
@pytest.mark.parametrize("threads", [1, 8])
def test_callers_without_a_set_share_one_fetch(cold: Keys, threads: int) -> None:
    found: list[KeySet] = []

    async def look() -> None:
        found.extend(
            await asyncio.gather(*(cold.find("old") for _ in range(32 // threads)))
        )

    workers = [
        threading.Thread(target=asyncio.run, args=(look(),)) for _ in range(threads)
    ]
    with cold.provider.held():
        for worker in workers:
            worker.start()
        wait_until(lambda: cold.provider.fetches == 1)
    for worker in workers:
        worker.join(SETTLE_SECONDS)

    assert len(found) == 32
    assert len({id(key_set) for key_set in found}) == 1
    assert cold.provider.fetches == 1


@pytest.mark.requirement("R14")
def test_a_caller_waits_for_the_first_set_no_longer_than_its_share(
    cold: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hanging provider costs seconds; the fetch goes on for the next caller."""
    assert REQUEST_WAIT_SECONDS == 3.0
    monkeypatch.setattr("shared.edge.signing_keys.REQUEST_WAIT_SECONDS", 0.2)
    with cold.provider.held(), at_most(2), pytest.raises(KeysUnavailableError):
        cold.ids_found("old")
    settle(cold)

    assert "old" in cold.ids_found("old")
    assert cold.provider.fetches == 1


@pytest.mark.requirement("R14")
def test_without_a_set_retries_come_soon_and_then_back_off(cold: Keys) -> None:
    cold.provider.fail()
    attempts: list[float] = []
    started = cold.clock.now
    while cold.clock.now < started + 130:
        fetches = cold.provider.fetches
        with pytest.raises(KeysUnavailableError):
            cold.ids_found("old")
        settle(cold)
        if cold.provider.fetches > fetches:
            attempts.append(cold.clock.now - started)
        cold.clock.now += 0.5

    assert attempts == [0, 1, 3, 7, 15, 31, 61, 91, 121]


@pytest.mark.requirement("R14")
def test_the_first_set_after_an_outage_is_taken_at_once(cold: Keys) -> None:
    cold.provider.fail()
    for _ in range(5):
        with pytest.raises(KeysUnavailableError):
            cold.ids_found("old")
        settle(cold)
        cold.clock.now += 40
    cold.provider.error = None

    assert "old" in cold.ids_found("old")
    assert cold._failures == 0


def test_a_known_key_id_costs_no_fetch(loaded: Keys) -> None:
    loaded.clock.now += FRESH_SECONDS - 1
    for _ in range(100):
        loaded.ids_found("old")
    assert loaded.provider.fetches == 1


@pytest.mark.requirement("R13", "R14")
def test_after_an_hour_the_old_set_serves_while_one_refresh_runs(loaded: Keys) -> None:
    loaded.clock.now += FRESH_SECONDS
    assert loaded.freshness() == "stale"
    with loaded.provider.held():
        with at_most(3):
            for _ in range(100):
                assert "old" in loaded.ids_found("old")
        wait_until(lambda: loaded.provider.fetches == 2)
    settle(loaded)

    assert loaded.freshness() == "fresh"
    assert loaded.age_seconds() == 0
    assert loaded.provider.fetches == 2


@pytest.mark.requirement("R10")
def test_a_refresh_replaces_the_set_whole(loaded: Keys) -> None:
    """A withdrawn key stops working."""
    before = loaded.current()
    loaded.provider.key_ids = ("new",)
    loaded.clock.now += FRESH_SECONDS
    loaded.refresh()

    after = loaded.current()
    assert before is not None
    assert after is not None
    assert set(before.keys) == {"old"}
    assert set(after.keys) == {"new"}


@pytest.mark.requirement("R10", "R14")
@pytest.mark.parametrize(
    "error", [ProviderError(ProviderReason.NO_KEY), RuntimeError("defect")], ids=repr
)
def test_a_failed_refresh_changes_nothing(loaded: Keys, error: Exception) -> None:
    before = loaded.current()
    loaded.provider.error = error
    loaded.clock.now += FRESH_SECONDS
    loaded.refresh()

    assert loaded.provider.fetches == 2
    assert loaded.current() is before
    assert loaded.freshness() == "stale"


@pytest.mark.requirement("R14")
def test_known_keys_serve_for_24_hours_without_the_provider(loaded: Keys) -> None:
    loaded.provider.fail()
    loaded.clock.now += USABLE_SECONDS - 1
    assert "old" in loaded.ids_found("old")
    assert loaded.freshness() == "stale"
    settle(loaded)

    loaded.clock.now += 1
    assert loaded.current() is None
    assert loaded.freshness() == "none"
    with pytest.raises(KeysUnavailableError):
        loaded.ids_found("old")


@pytest.mark.requirement("R14")
def test_a_day_without_the_provider_costs_few_fetches(loaded: Keys) -> None:
    loaded.provider.fail()
    attempts = []
    started = loaded.clock.now
    while loaded.clock.now < started + 5 * HOUR:
        fetches = loaded.provider.fetches
        loaded.refresh()
        if loaded.provider.fetches > fetches:
            attempts.append(loaded.clock.now - started)
        loaded.clock.now += 10

    pauses = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert attempts[0] == FRESH_SECONDS
    assert pauses[:5] == [30, 60, 120, 240, 300]
    assert set(pauses[4:]) == {300}


@pytest.mark.requirement("R14")
def test_the_short_pause_holds_from_the_moment_that_the_set_is_too_old(
    loaded: Keys,
) -> None:
    """The next attempt comes 30 s after the last one, not 5 minutes."""
    loaded.provider.fail()
    fetched_at = loaded.clock.now
    for age in (*range(3600, 7200, 300), USABLE_SECONDS - 30):
        loaded.clock.now = fetched_at + age
        loaded.refresh()
    fetches = loaded.provider.fetches
    loaded.clock.now = fetched_at + USABLE_SECONDS - 1
    loaded.keep_fresh()
    assert loaded.provider.fetches == fetches
    loaded.clock.now = fetched_at + USABLE_SECONDS
    loaded.refresh()

    assert loaded.provider.fetches == fetches + 1


@pytest.mark.requirement("R14")
def test_the_provider_comes_back_within_30_seconds_after_a_day(loaded: Keys) -> None:
    """Calls are lost by now, so the long pause no longer applies."""
    loaded.provider.fail()
    loaded.clock.now += 23 * HOUR
    for _ in range(12):
        loaded.refresh()
        loaded.clock.now += 300
    assert loaded.freshness() == "none"
    loaded.provider.error = None
    loaded.clock.now += 30

    assert "old" in loaded.ids_found("old")


def test_loading_gets_the_first_set_and_does_nothing_later(cold: Keys) -> None:
    """The warm-up and the first health probe use it."""
    asyncio.run(cold.load(timeout_seconds=SETTLE_SECONDS))
    asyncio.run(cold.load(timeout_seconds=SETTLE_SECONDS))

    assert cold.freshness() == "fresh"
    assert cold.provider.fetches == 1


def test_loading_returns_without_a_set_when_it_takes_long(cold: Keys) -> None:
    """A health probe has only a few seconds."""
    with cold.provider.held():
        asyncio.run(cold.load(timeout_seconds=0.1))
        assert cold.freshness() == "none"
    settle(cold)
    assert cold.freshness() == "fresh"


def test_refreshes_are_logged_with_their_reason(
    loaded: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure is a warning while the old set serves, and then an error."""
    loaded.provider.fail(ProviderReason.TIMEOUT)
    caplog.set_level(logging.INFO)

    def line_after(seconds: float) -> logging.LogRecord:
        caplog.clear()
        loaded.clock.now += seconds
        loaded.refresh()

        def is_logged() -> bool:
            write_events()
            return len(caplog.records) == 1

        wait_until(is_logged)
        return caplog.records[0]

    warning, error = line_after(FRESH_SECONDS), line_after(USABLE_SECONDS)
    assert (warning.levelname, error.levelname) == ("WARNING", "ERROR")
    assert '"event":"keys.refresh-failed"' in warning.message
    assert '"reason":"provider-timeout"' in warning.message
    assert f'"next_step":"{ProviderReason.TIMEOUT.cure}"' in warning.message
    assert '"key_age_seconds":3600' in warning.message


def test_a_set_that_was_obtained_is_logged_with_its_size(
    cold: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    """The line tells people when keys were last obtained."""
    caplog.set_level(logging.INFO)
    cold.provider.key_ids = ("old", "new")
    cold.ids_found("old")
    write_events()

    [record] = caplog.records
    assert record.levelname == "INFO"
    assert record.message.startswith('{"event":"keys.refreshed","keys":2,')


def test_a_refresh_runs_on_a_thread_that_keeps_no_process_alive(cold: Keys) -> None:
    """The thread has a name, for people who list threads."""
    with cold.provider.held():
        asyncio.run(cold.load(timeout_seconds=0.05))
        [thread] = [t for t in threading.enumerate() if t.name == "signing-keys"]
        assert thread.daemon
    settle(cold)


def test_a_defect_in_fetching_is_logged_with_its_place(
    cold: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    cold.provider.error = RuntimeError("defect")
    with pytest.raises(KeysUnavailableError):
        cold.ids_found("old")
    write_events()

    line = json.loads(caplog.records[-1].message)
    assert (line["event"], line["reason"]) == (
        "keys.refresh-failed",
        "unexpected-error",
    )
    assert (line["type"], line["function"]) == ("RuntimeError", "__call__")
    assert "defect" not in caplog.text
