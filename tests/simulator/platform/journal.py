"""The journal: what happened, in order, as typed events.

Each room tells of what it does: ``platform.events``, ``environment.events``,
``services.name_server`` and ``services.traffic_manager``. Reports, expectations and
the live page read the journal and nothing else.

    journal = Journal()
    with journal.subscribe(since=0) as entries:
        journal.append(RegionChanged(region="weu", state="running", pid=4711))
        print(entries.get().to_json())  # number, seconds, kind, region, state, pid
"""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from time import monotonic as now
from typing import Any, ClassVar, Protocol, Self

# An environment may run for days: the oldest tenth goes when there are more.
_MAX_ENTRIES = 300_000


class Event(Protocol):
    """Something that happened: a frozen dataclass that JSON can carry."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the journal: its number (from 0) and when it came."""

    number: int
    seconds: float
    event: Event

    @property
    def kind(self) -> str:
        """The event's class in kebab-case, such as ``call-ended``."""
        return kind_of(type(self.event))

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can carry: number, seconds, kind, the event's members."""
        head = {
            "number": self.number,
            "seconds": round(self.seconds, 4),
            "kind": self.kind,
        }
        return {**head, **asdict(self.event)}


def kind_of(event: type[Any]) -> str:
    """Return the name of an event's class as JSON has it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", event.__name__).lower()


class Subscription:
    """The entries from a number on, without end: iterate, or ``get`` with a timeout.

    It ends with ``close``, with its ``with`` block, and with the journal.
    """

    def __init__(self, journal: "Journal", number: int) -> None:
        """Begin with the entry ``number``."""
        self._journal = journal
        self._number = number
        self._is_closed = False

    def get(self, timeout_seconds: float | None = None) -> Entry | None:
        """Return the next entry; None if the time is up or all is over."""
        entry = self._journal.wait_for(
            lambda _event: True,
            timeout_seconds=timeout_seconds,
            since=self._number,
            is_over=lambda: self._is_closed,
        )
        if entry is not None:
            self._number = entry.number + 1
        return entry

    def __iter__(self) -> Iterator[Entry]:
        while (entry := self.get()) is not None:
            yield entry

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Get no more entries."""
        self._is_closed = True
        self._journal.wake()


class Journal:
    """All events since the start. Safe for threads."""

    def __init__(self, max_entries: int = _MAX_ENTRIES) -> None:
        """Start the clock, and keep the latest entries."""
        self._max_entries = max_entries
        self._started_at = now()
        self._changed = threading.Condition()
        self._entries: list[Entry] = []
        self._dropped = 0
        self._is_closed = False

    @property
    def now_seconds(self) -> float:
        """Seconds since the journal began."""
        return now() - self._started_at

    def append(self, event: Event) -> Entry:
        """Append an event and wake whoever waits for one."""
        with self._changed:
            entry = Entry(self._next_number, self.now_seconds, event)
            self._entries.append(entry)
            if len(self._entries) > self._max_entries:
                self._dropped += self._max_entries // 10
                del self._entries[: self._max_entries // 10]
            self._changed.notify_all()
        return entry

    def subscribe(self, since: int = 0) -> Subscription:
        """Return the entries from number ``since`` on, then all that come."""
        return Subscription(self, since)

    def entries(self, since: int = 0) -> list[Entry]:
        """Return what has happened so far, from a number on."""
        with self._changed:
            return self._entries[max(0, since - self._dropped) :]

    @property
    def next_number(self) -> int:
        """The number that the next event will have."""
        with self._changed:
            return self._next_number

    def wait_for(
        self,
        matches: Callable[[Event], bool],
        *,
        timeout_seconds: float | None,
        since: int = 0,
        is_over: Callable[[], bool] = lambda: False,
    ) -> Entry | None:
        """Wait for the first entry from ``since`` on that matches.

        Returns None when the time is up, when the journal is closed, or when the
        caller says so after ``wake``.
        """
        deadline = None if timeout_seconds is None else now() + timeout_seconds
        with self._changed:
            while True:
                for place in range(max(0, since - self._dropped), len(self._entries)):
                    if matches(self._entries[place].event):
                        return self._entries[place]
                since = self._next_number
                remaining = None if deadline is None else deadline - now()
                is_late = remaining is not None and remaining <= 0
                if is_late or self._is_closed or is_over():
                    return None
                self._changed.wait(remaining)

    def wake(self) -> None:
        """Let those who wait look whether they are over."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End all waiting; the entries stay."""
        self._is_closed = True
        self.wake()

    @property
    def _next_number(self) -> int:
        return self._dropped + len(self._entries)
