"""The check of events finds each fault, and none where there is none."""

from typing import Any

import pytest

from tests.simulator.instances.events import (
    LATE_SECONDS,
    EventCheck,
    SentEvent,
    check_events,
)
from tests.simulator.instances.stateful_bot import Received

CALL = "c1"


def sent(body: bytes, status: int | None = 202) -> SentEvent:
    return SentEvent(
        call_id=CALL, what="established", body=body, at_seconds=10.0, status=status
    )


def received(body: bytes, at_seconds: float = 10.1, status: int = 202) -> Received:
    return Received(at_seconds, body, (CALL,), "id", status)


def check(posts: dict[str, list[Received]], *events: SentEvent) -> EventCheck:
    return check_events(events or [sent(b"1"), sent(b"2")], posts)


def test_events_that_came_once_to_one_instance_are_whole() -> None:
    found = check({"a": [received(b"2"), received(b"1")], "b": []})
    assert found.is_whole
    assert str(found).startswith("2 sent, 0 missing")


def test_an_event_that_was_sent_twice_may_come_twice() -> None:
    assert check({"a": [received(b"1")] * 2}, sent(b"1"), sent(b"1")).is_whole


def test_nothing_sent_proves_nothing() -> None:
    assert not check_events([], {"a": [received(b"1")]}).is_whole


@pytest.mark.parametrize(
    ("posts", "fault"),
    [
        ({"a": [received(b"1")]}, "missing"),
        ({"a": [received(b"1"), received(b"2", status=404)]}, "missing"),
        ({"a": [received(b"1"), received(b'{"2": 2}')]}, "missing"),
        ({"a": [received(b"1"), received(b"2"), received(b"2")]}, "twice"),
        ({"a": [received(b"1"), received(b"2", 10.1 + LATE_SECONDS)]}, "late"),
        ({"a": [received(b"1")], "b": [received(b"2")]}, "scattered"),
    ],
)
def test_each_fault_is_found_alone(posts: dict[str, Any], fault: str) -> None:
    found = check(posts)
    faults = ("missing", "refused", "twice", "late", "scattered")
    assert [name for name in faults if getattr(found, name)] == [fault]
    assert not found.is_whole


@pytest.mark.parametrize("status", [503, None])
def test_an_event_that_was_refused_is_not_whole(status: int | None) -> None:
    found = check({"a": [received(b"1")]}, sent(b"1"), sent(b"2", status))
    assert [event.body for event in found.refused] == [b"2"]
    assert not found.is_whole


@pytest.mark.parametrize("status", [503, None])
def test_an_event_that_was_sent_again_may_come_twice(status: int | None) -> None:
    """The instance took it, and a region that ended could not tell the platform."""
    again = sent(b"1", status), sent(b"1")
    found = check({"a": [received(b"1"), received(b"1")]}, *again)
    assert found.is_whole
    assert [event.status for event in found.again] == [status]
    assert not check({"a": [received(b"1")] * 3}, *again).is_whole
    assert not check({"a": []}, *again).is_whole
