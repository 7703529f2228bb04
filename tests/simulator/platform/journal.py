"""The journal: what happened, in order, as typed events.

Each room tells of what it does: ``platform.events``, ``environment.events``,
``services.name_server`` and ``services.traffic_manager``. Reports, expectations and
the live page read the journal and nothing else.

    journal = Journal()
    with journal.subscribe(since=0) as entries:
        journal.append(RegionChanged(region="weu", state="running", pid=4711))
        print(entries.get().to_json())  # number, seconds, kind, region, state, pid
"""

import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
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


@dataclass(slots=True)
class Subscription:
    """The entries from a number on, without end: iterate, or ``get`` with a timeout.

    A subscriber never blocks whoever appends; one that does not read costs memory.
    It ends with ``close`` or its ``with`` block.
    """

    _journal: "Journal"
    _queue: "queue.SimpleQueue[Entry | None]" = field(default_factory=queue.SimpleQueue)

    def get(self, timeout_seconds: float | None = None) -> Entry | None:
        """Return the next entry; None if the time is up or the journal is closed."""
        try:
            return self._queue.get(timeout=timeout_seconds)
        except queue.Empty:
            return None

    def __iter__(self) -> Iterator[Entry]:
        while (entry := self._queue.get()) is not None:
            yield entry

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Get no more entries."""
        self._journal._forget(self)
        self._queue.put(None)


class Journal:
    """All events since the start. Safe for threads."""

    def __init__(self) -> None:
        """Start the clock."""
        self._started_at = time.monotonic()
        self._changed = threading.Condition()
        self._entries: list[Entry] = []
        self._dropped = 0
        self._subscriptions: list[Subscription] = []
        self._is_closed = False

    @property
    def now_seconds(self) -> float:
        """Seconds since the journal began."""
        return time.monotonic() - self._started_at

    def append(self, event: Event) -> Entry:
        """Append an event and tell all subscribers."""
        with self._changed:
            entry = Entry(self._next_number, self.now_seconds, event)
            self._entries.append(entry)
            if len(self._entries) > _MAX_ENTRIES:
                self._dropped += _MAX_ENTRIES // 10
                del self._entries[: _MAX_ENTRIES // 10]
            for subscription in self._subscriptions:
                subscription._queue.put(entry)
            self._changed.notify_all()
        return entry

    def subscribe(self, since: int | None = None) -> Subscription:
        """Return the entries from number ``since`` on, then all that come.

        Args:
            since: the first number wanted; None: only what comes from now on.
        """
        subscription = Subscription(self)
        with self._changed:
            for entry in [] if since is None else self._since(since):
                subscription._queue.put(entry)
            if self._is_closed:
                subscription._queue.put(None)
            else:
                self._subscriptions.append(subscription)
        return subscription

    def entries(self, since: int = 0) -> list[Entry]:
        """Return what has happened so far, from a number on."""
        with self._changed:
            return self._since(since)

    @property
    def next_number(self) -> int:
        """The number that the next event will have."""
        with self._changed:
            return self._next_number

    def wait_for(
        self,
        matches: Callable[[Event], bool],
        *,
        timeout_seconds: float,
        since: int = 0,
    ) -> Entry | None:
        """Wait for the first entry from ``since`` on that matches; None if too late."""
        deadline = time.monotonic() + timeout_seconds
        position = since
        with self._changed:
            while True:
                for entry in self._since(position):
                    if matches(entry.event):
                        return entry
                position = self._next_number
                remaining = deadline - time.monotonic()
                if remaining <= 0 or self._is_closed:
                    return None
                self._changed.wait(remaining)

    def close(self) -> None:
        """End all subscriptions; the entries stay."""
        with self._changed:
            self._is_closed = True
            for subscription in self._subscriptions:
                subscription._queue.put(None)
            self._subscriptions.clear()
            self._changed.notify_all()

    @property
    def _next_number(self) -> int:
        return self._dropped + len(self._entries)

    def _since(self, number: int) -> list[Entry]:
        return self._entries[max(0, number - self._dropped) :]

    def _forget(self, subscription: Subscription) -> None:
        with self._changed:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
