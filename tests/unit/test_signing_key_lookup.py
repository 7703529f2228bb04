"""shared.edge.signing_keys: unknown key ids, and one fetch at a time."""

import asyncio
import json
import threading
from concurrent.futures import Future

import pytest

from shared.core.errors import KeysUnavailableError
from shared.edge.signing_keys import FRESH_SECONDS, SigningKeyCache
from shared.edge.telemetry import write_events
from tests.support.clock import SETTLE_SECONDS, at_most, wait_until
from tests.support.keys import Keys, running_refresh
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
    loaded: Keys, is_failing: bool
) -> None:
    """They count from the last attempt, even while the provider fails."""
    if is_failing:
        loaded.provider.fail()
    for number in range(1000):
        find_unknown = loaded.find(f"unknown-{number}")
        assert "old" in asyncio.run(find_unknown).keys
    assert loaded.provider.fetches == 1

    loaded.clock.now += COOLDOWN
    for number in range(1000):
        asyncio.run(loaded.find(f"unknown-{number}"))
    assert loaded.provider.fetches == 2


@pytest.mark.requirement("R14")
def test_a_new_key_is_found_by_the_first_token_after_the_pause(loaded: Keys) -> None:
    """That token waits for the fetch and is judged by the new set."""
    loaded.provider.key_ids = ("old", "new")
    loaded.clock.now += COOLDOWN - 1
    assert "new" not in loaded.ids_found("new")
    loaded.clock.now += 1
    assert "new" in loaded.ids_found("new")


@pytest.mark.requirement("R11")
def test_the_pause_counts_from_the_end_of_a_slow_attempt(loaded: Keys) -> None:
    """A slow provider is not asked again the moment it has answered."""
    loaded.clock.now += COOLDOWN
    with loaded.provider.held():
        waiting = threading.Thread(target=loaded.ids_found, args=["unknown"])
        waiting.start()
        wait_until(lambda: loaded.provider.fetches == 2)
        loaded.clock.now += 4
    waiting.join(SETTLE_SECONDS)
    loaded.clock.now += COOLDOWN - 1
    loaded.ids_found("unknown")
    assert loaded.provider.fetches == 2


@pytest.mark.requirement("R13")
def test_a_known_key_does_not_wait_for_anothers_refresh(loaded: Keys) -> None:
    """No lock is held while the network is used."""
    loaded.clock.now += COOLDOWN

    async def look() -> None:
        unknown = asyncio.create_task(loaded.find("unknown"))
        await asyncio.to_thread(wait_until, lambda: loaded.provider.fetches == 2)
        with at_most(0.5):
            await loaded.find("old")
        assert not unknown.done()
        loaded.provider.gate.set()
        await unknown

    with loaded.provider.held():
        asyncio.run(look())


def test_a_refresh_that_never_ends_is_given_up_and_its_result_ignored(
    loaded: Keys,
) -> None:
    """Name resolution has no deadline, and a late result is too old to use."""
    first = loaded.current()
    loaded.provider.key_ids = ("late",)
    loaded.clock.now += FRESH_SECONDS
    with loaded.provider.held():
        loaded.keep_fresh()
        wait_until(lambda: loaded.provider.fetches == 2)
        given_up = _running(loaded)
        loaded.clock.now += 9.5
        loaded.keep_fresh()
        assert _running(loaded) is given_up
        loaded.clock.now += 0.5
        loaded.keep_fresh()
        assert running_refresh(loaded) is None
    given_up.result(SETTLE_SECONDS)

    assert loaded.current() is first
    loaded.clock.now += COOLDOWN
    loaded.refresh()
    assert loaded.provider.fetches == 3


def test_each_refresh_that_is_given_up_counts_as_a_failure(loaded: Keys) -> None:
    """Hanging threads then grow by no more than one in five minutes."""
    loaded.clock.now += FRESH_SECONDS
    given_up = []
    with loaded.provider.held():
        for failures, pause in enumerate((30, 60, 120), start=1):
            loaded.keep_fresh()
            given_up.append(_running(loaded))
            loaded.clock.now += 10
            loaded.keep_fresh()
            assert loaded._failures == failures
            loaded.clock.now += pause - 1
            loaded.keep_fresh()
            assert loaded.provider.fetches == failures + 1
            loaded.clock.now += 1
    for done in given_up:
        done.result(SETTLE_SECONDS)


@pytest.mark.requirement("R13", "R14")
def test_a_known_key_is_found_where_no_thread_can_be_had_for_a_refresh(
    loaded: Keys, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """This counts as a failed refresh; the next one is due after the pause."""
    loaded.clock.now += FRESH_SECONDS
    with monkeypatch.context() as exhausted:
        let_no_thread_start(exhausted)
        assert "old" in loaded.ids_found("old")
        assert running_refresh(loaded) is None
        loaded.clock.now += COOLDOWN - 1
        assert "old" in loaded.ids_found("old")
    write_events()
    [record] = caplog.records
    line = json.loads(record.message)
    assert (line["event"], line["reason"]) == (
        "keys.refresh-failed",
        "unexpected-error",
    )
    assert (line["type"], line["function"]) == ("RuntimeError", "fail")
    loaded.clock.now += 1
    loaded.refresh()

    assert loaded.provider.fetches == 2
    assert loaded.freshness() == "fresh"


@pytest.mark.requirement("R16")
def test_without_a_set_and_without_a_thread_keys_are_unavailable_at_once(
    cold: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a refresh that never began."""
    let_no_thread_start(monkeypatch)
    with at_most(1), pytest.raises(KeysUnavailableError):
        asyncio.run(cold.find("old"))
