"""shared.core.bounded: what is kept has a bound, in number and in time."""

from shared.core.bounded import BoundedDict, ExpiringDict
from tests.support.clock import FakeClock


def test_the_entry_that_was_set_longest_ago_makes_room() -> None:
    entries: BoundedDict[str, int] = BoundedDict(2)
    entries["a"] = 1
    entries["b"] = 2
    entries["a"] = 3
    entries["c"] = 4

    assert dict(entries) == {"a": 3, "c": 4}


def test_an_entry_ends_a_time_after_it_was_last_set(clock: FakeClock) -> None:
    entries: ExpiringDict[str, int] = ExpiringDict(10, seconds=60, clock=clock)
    entries.set("a", 1)
    clock.now += 59
    assert entries.get("a") == 1
    entries.set("a", 2)
    clock.now += 59
    assert entries.get("a") == 2
    clock.now += 1
    assert entries.get("a") is None
    assert entries.get("b") is None


def test_entries_that_have_ended_make_room(clock: FakeClock) -> None:
    entries: ExpiringDict[str, int] = ExpiringDict(10, seconds=60, clock=clock)
    for name in "abc":
        entries.set(name, 1)
    clock.now += 60
    entries.set("d", 1)

    assert len(entries) == 1
