"""shared.edge.signing_keys: nobody asked for hours, so a refresh is overdue."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from shared.edge.signing_keys import FRESH_SECONDS, OVERDUE_SECONDS, USABLE_SECONDS
from tests.support.clock import at_most, wait_until
from tests.support.keys import Keys, settle

COOLDOWN = 30.0


def ends_without_waiting(coroutine: Coroutine[Any, Any, object]) -> bool:
    """Run a coroutine up to its first wait; tell whether it ended before."""
    try:
        coroutine.send(None)
    except StopIteration:
        return True
    coroutine.close()
    return False


def test_keys_are_overdue_after_two_hours() -> None:
    assert OVERDUE_SECONDS == 2 * 3600


@pytest.mark.requirement("R10", "R13")
def test_a_key_that_was_withdrawn_overnight_does_not_serve_again(loaded: Keys) -> None:
    """The first token of the morning waits for the refresh and gets the new set."""
    loaded.provider.key_ids = ("new",)
    loaded.clock.now += OVERDUE_SECONDS
    assert loaded.current() is None

    assert loaded.ids_found("old") == {"new"}
    assert loaded.freshness() == "fresh"
    assert loaded.provider.fetches == 2


@pytest.mark.requirement("R12")
def test_all_who_come_in_the_morning_wait_for_the_same_refresh(loaded: Keys) -> None:
    loaded.provider.key_ids = ("new",)
    loaded.clock.now += OVERDUE_SECONDS

    async def look() -> list[set[str]]:
        first = asyncio.create_task(loaded.find("old"))
        await asyncio.to_thread(wait_until, lambda: loaded.provider.fetches == 2)
        assert loaded.current() is None
        others = [asyncio.create_task(loaded.find("old")) for _ in range(8)]
        await asyncio.sleep(0)
        loaded.provider.gate.set()
        return [set(found.keys) for found in await asyncio.gather(first, *others)]

    with loaded.provider.held():
        assert asyncio.run(look()) == [{"new"}] * 9
    assert loaded.provider.fetches == 2


@pytest.mark.requirement("R14")
def test_after_a_failed_refresh_the_old_keys_serve_and_nobody_waits(
    loaded: Keys,
) -> None:
    """Until the next refresh is due, which is waited for again."""
    loaded.provider.fail()
    loaded.clock.now += OVERDUE_SECONDS
    before = loaded.age_seconds()
    assert "old" in loaded.ids_found("old")
    loaded.clock.now += COOLDOWN - 1
    assert loaded.current() is not None
    assert ends_without_waiting(loaded.find("old"))
    assert loaded.provider.fetches == 2

    loaded.clock.now += 1
    assert loaded.current() is None
    assert "old" in loaded.ids_found("old")
    assert loaded.provider.fetches == 3
    assert loaded.age_seconds() == (before or 0) + COOLDOWN


@pytest.mark.requirement("R14")
def test_after_a_day_the_old_keys_serve_nobody_though_no_refresh_is_due(
    loaded: Keys,
) -> None:
    """The last refresh has just failed, and the pause after it goes on."""
    loaded.provider.fail()
    fetched_at = loaded.clock.now
    loaded.clock.now = fetched_at + USABLE_SECONDS - 0.5
    assert "old" in loaded.ids_found("old")
    assert loaded.current() is not None

    loaded.clock.now = fetched_at + USABLE_SECONDS
    assert loaded.current() is None


@pytest.mark.requirement("R14")
def test_an_overdue_refresh_that_hangs_costs_a_request_its_share_only(
    loaded: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old keys serve then; the refresh goes on."""
    monkeypatch.setattr("shared.edge.signing_keys.REQUEST_WAIT_SECONDS", 0.1)
    loaded.provider.key_ids = ("new",)
    loaded.clock.now += OVERDUE_SECONDS
    with loaded.provider.held(), at_most(2.0):
        started = time.monotonic()
        assert "old" in loaded.ids_found("old")
        assert time.monotonic() - started >= 0.1
    settle(loaded)

    assert "new" in loaded.ids_found("new")


def test_nobody_waits_for_a_refresh_that_was_given_up(loaded: Keys) -> None:
    """Name resolution may hang; that counts as a failure, and a pause follows."""
    loaded.clock.now += OVERDUE_SECONDS
    with loaded.provider.held():
        loaded.keep_fresh()
        assert loaded.current() is None
        loaded.clock.now += 10
        assert loaded.current() is not None
        assert ends_without_waiting(loaded.find("old"))
        loaded.clock.now += COOLDOWN - 1
        assert ends_without_waiting(loaded.find("old"))
    wait_until(lambda: loaded.provider.fetches == 2)


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("age", [0, FRESH_SECONDS, OVERDUE_SECONDS - 1])
def test_before_that_a_known_key_is_found_without_waiting(
    loaded: Keys, age: float
) -> None:
    """After an hour a refresh starts in the background."""
    loaded.clock.now += age
    with loaded.provider.held():
        assert ends_without_waiting(loaded.find("old"))
        wait_until(lambda: loaded.provider.fetches == (1 if age < FRESH_SECONDS else 2))
    settle(loaded)


@pytest.mark.parametrize("age", [0, FRESH_SECONDS, OVERDUE_SECONDS, USABLE_SECONDS])
def test_a_look_at_the_held_keys_fetches_nothing(loaded: Keys, age: float) -> None:
    loaded.clock.now += age
    for _ in range(100):
        loaded.current()
    settle(loaded)

    assert loaded.provider.fetches == 1
    assert (loaded.current() is None) == (age >= OVERDUE_SECONDS)


def test_health_keeps_stale_keys_fresh_and_waits_for_nothing(loaded: Keys) -> None:
    """So that where probes come, no call of the morning has to wait."""
    loaded.clock.now += OVERDUE_SECONDS
    with loaded.provider.held():
        assert ends_without_waiting(loaded.load(timeout_seconds=10.0))
        wait_until(lambda: loaded.provider.fetches == 2)
    settle(loaded)

    assert loaded.freshness() == "fresh"
