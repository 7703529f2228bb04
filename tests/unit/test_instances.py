"""shared.core.instances: who gets new calls while instances fail."""

import pytest

from shared.core.instances import Instance, InstanceHealth, open_partitions
from tests.support.clock import FakeClock


@pytest.fixture
def health(clock: FakeClock) -> InstanceHealth:
    """An instance of which nothing is known."""
    return InstanceHealth(clock)


def is_passed_over(health: InstanceHealth) -> bool:
    """Look at it now."""
    return health.is_passed_over


def fail(health: InstanceHealth, times: int) -> None:
    """Let deliveries fail."""
    for _ in range(times):
        health.note_failure()


def test_three_failures_in_a_row_keep_new_calls_away_for_30_s(
    health: InstanceHealth, clock: FakeClock
) -> None:
    fail(health, 2)
    assert not is_passed_over(health)
    fail(health, 1)
    clock.now += 29
    assert is_passed_over(health)
    clock.now += 1
    assert not is_passed_over(health)


def test_a_success_ends_row_and_pause(health: InstanceHealth) -> None:
    fail(health, 2)
    health.note_success()
    fail(health, 2)
    assert not is_passed_over(health)
    fail(health, 1)
    health.note_success()
    assert not is_passed_over(health)


def test_failures_meanwhile_do_not_prolong_the_30_s(
    health: InstanceHealth, clock: FakeClock
) -> None:
    """Else an instance whose running calls fail would never be tried again."""
    fail(health, 3)
    clock.now += 25
    fail(health, 1)
    clock.now += 5
    assert not is_passed_over(health)


def test_a_new_row_has_30_s_of_its_own(
    health: InstanceHealth, clock: FakeClock
) -> None:
    fail(health, 3)
    clock.now += 20
    health.note_success()
    fail(health, 3)
    clock.now += 29
    assert is_passed_over(health)


def test_after_the_pause_one_failure_is_enough(
    health: InstanceHealth, clock: FakeClock
) -> None:
    fail(health, 3)
    clock.now += 30
    fail(health, 1)
    assert is_passed_over(health)
    clock.now += 30
    health.note_success()
    fail(health, 1)
    assert not is_passed_over(health)


def test_new_calls_go_where_nothing_drains_and_nothing_fails() -> None:
    instances = {
        "a": Instance("https://a.example"),
        "b": Instance("https://b.example"),
        "c": Instance("https://c.example", is_draining=True),
    }
    assert open_partitions(instances, []) == ["a", "b"]
    assert open_partitions(instances, ["a"]) == ["b"]
    assert open_partitions(instances, ["c"]) == ["a", "b"]
    assert open_partitions(instances, ["a", "b"]) == ["a", "b"]
