"""What happens in a simulated environment, as it happens.

``EventLog`` is append-only: each event gets a number and the seconds since the start.
The report, the drill's expectations and the live page all read it and nothing else.
Every event is a frozen dataclass; ``Entry.to_json`` gives ``number``, ``seconds``,
``kind`` (the class's name in kebab-case) and the event's own members.
"""

import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self

# A world may run for days: the oldest tenth goes when there are more.
_MAX_ENTRIES = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlaced:
    """Somebody calls the bot; ``caller`` is a key of ``places.CALLERS``."""

    call_id: str
    chain_id: str
    caller: str
    country_code: str | None
    caller_region: str | None
    is_policy_recording: bool
    starts_legacy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NameResolved:
    """The platform resolved a name for a call; ``address`` is None where it failed."""

    call_id: str
    name: str
    address: str | None
    region: str | None
    is_cached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A POST of a call is on its way to a region.

    ``what`` is legacy, incoming, redirected, establishing, established, roster,
    terminated or duplicate; ``notification`` is the body as it is sent, ``headers``
    are the sent ones without the token.
    """

    call_id: str
    step: int
    what: str
    url: str
    region: str | None
    attempt: int
    headers: Mapping[str, str]
    notification: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """Its reply: a status, or no reply and ``error`` says why (kebab-case)."""

    call_id: str
    step: int
    what: str
    url: str
    region: str | None
    address: str | None
    status: int | None
    error: str | None
    location: str | None
    retry_after_seconds: float | None
    took_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """How a call ended.

    ``outcome`` is answered, lost or refused; ``why`` explains the latter two.
    ``region`` is the one whose callbackUri Graph holds; ``answer_seconds`` runs from
    the placing of the call to the last reply before follow-ups.
    """

    call_id: str
    caller: str
    outcome: str
    why: str | None
    region: str | None
    hops: int
    attempts: int
    answer_seconds: float
    placed_at_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswered:
    """The name server answered a question; no ``addresses``: ``rcode`` tells why."""

    name: str
    asker: str
    location: str | None
    rcode: str
    addresses: Sequence[str]
    regions: Sequence[str]
    ttl_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswered:
    """Traffic Manager's probe of a region: a status, or the error instead."""

    region: str
    status: int | None
    error: str | None
    took_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChanged:
    """Traffic Manager sees an endpoint anew: online, degraded or disabled."""

    region: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionChanged:
    """The process of a region is starting, running, hanging or stopped."""

    region: str
    state: str
    pid: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWritten:
    """A region wrote a line of its log; ``call_id`` where the line names one."""

    region: str
    call_id: str | None
    line: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjected:
    """A fault of ``faults.FAULTS`` is on, for one region or for all."""

    fault: str
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultHealed:
    """It is off."""

    fault: str
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChanged:
    """The regions now run with these rules; ``region`` where only one does."""

    region: str | None
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficChanged:
    """So many honest and forged calls are placed in a second now."""

    calls_per_second: float
    forged_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgedRefused:
    """A summary of forged POSTs since the last one: how many by status."""

    statuses: Mapping[str, int]


type Event = (
    CallPlaced
    | NameResolved
    | StepStarted
    | StepEnded
    | CallEnded
    | DnsAnswered
    | ProbeAnswered
    | EndpointChanged
    | RegionChanged
    | LogWritten
    | FaultInjected
    | FaultHealed
    | RulesChanged
    | TrafficChanged
    | ForgedRefused
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the log: its number (from 0) and when it came."""

    number: int
    seconds: float
    event: Event

    @property
    def kind(self) -> str:
        """The event's class in kebab-case, such as ``call-ended``."""
        return kind_of(type(self.event))

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can carry."""
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

    Never blocks the one who appends: a subscriber that does not read for a while only
    costs memory. Ends with ``close`` or its ``with`` block.
    """

    _log: "EventLog"
    _queue: "queue.SimpleQueue[Entry | None]" = field(default_factory=queue.SimpleQueue)

    def get(self, timeout_seconds: float | None = None) -> Entry | None:
        """Return the next entry; None when the time is up or the log is closed."""
        try:
            return self._queue.get(timeout=timeout_seconds)
        except queue.Empty:
            return None

    def __iter__(self) -> Iterator[Entry]:
        while (entry := self._queue.get()) is not None:
            yield entry

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Get no more."""
        self._log._forget(self)
        self._queue.put(None)


class EventLog:
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
        """The time in the log's seconds."""
        return time.monotonic() - self._started_at

    def append(self, event: Event) -> Entry:
        """Append an event, and tell everybody who subscribed."""
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
        """End all subscriptions; what was logged stays."""
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
