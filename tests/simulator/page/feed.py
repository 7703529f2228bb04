"""The world's events, as the page needs them.

A thread reads the event log once for all pages. It keeps the last events in short, for
every page to follow, and everything about the last calls, for the one that somebody
selects. Both are bounded: a page that falls behind starts anew.
"""

import json
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.simulator.platform.journal import Entry, Journal

MAX_EVENTS = 20_000
MAX_CALLS = 2_000
# What a page that opens is shown of the past.
HISTORY_EVENTS = 1_500
_MAX_PER_CALL = 400
# Too much for every page; the selected call shows it.
_LEFT_OUT = frozenset({"headers", "notification", "url"})
_REDIRECTS = (302, 307)


@dataclass(slots=True)
class Totals:
    """What all calls came to."""

    placed: int = 0
    answered: int = 0
    lost: int = 0
    refused: int = 0
    redirects: int = 0
    forged: int = 0

    def add(self, kind: str, members: Mapping[str, Any]) -> None:
        """Count an event."""
        match kind:
            case "call-placed":
                self.placed += 1
            case "call-ended":
                outcome = members["outcome"]
                self.answered += outcome == "answered"
                self.lost += outcome == "lost"
                self.refused += outcome == "refused"
            case "step-ended":
                self.redirects += members["status"] in _REDIRECTS
            case "forged-refused":
                self.forged += sum(members["statuses"].values())

    def to_json(self) -> dict[str, int]:
        """Return what JSON can carry."""
        return {
            name: getattr(self, name)
            for name in ("placed", "answered", "lost", "refused", "redirects", "forged")
        }


@dataclass(frozen=True, slots=True)
class Short:
    """An event in short: its number and its JSON."""

    number: int
    text: str


@dataclass(slots=True)
class _Book:
    """Everything about the last calls."""

    calls: OrderedDict[str, list[Entry]] = field(default_factory=OrderedDict)

    def add(self, call_id: str, entry: Entry) -> None:
        if entry.kind == "call-placed":
            self.calls[call_id] = []
            if len(self.calls) > MAX_CALLS:
                self.calls.popitem(last=False)
        entries = self.calls.get(call_id)
        if entries is not None and len(entries) < _MAX_PER_CALL:
            entries.append(entry)


class Feed:
    """Reads the log from its ``with`` block on. Safe for threads."""

    def __init__(
        self,
        events: Journal,
        *,
        region_of_host: Mapping[str, str],
        name_of_asker: Mapping[str, str],
    ) -> None:
        """Read ``events``; hosts and source addresses get the names of the page."""
        self._region_of_host = region_of_host
        self._name_of_asker = name_of_asker
        self._subscription = events.subscribe(since=0)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._lock = threading.Lock()
        self._events: deque[Short] = deque(maxlen=MAX_EVENTS)
        self._book = _Book()
        self._totals = Totals()
        self._next = 0
        self.is_closed = False

    def __enter__(self) -> Self:
        """Start to read."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop: all streams end."""
        self.is_closed = True
        self._subscription.close()
        self._thread.join()

    def look(self, snapshot: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return a snapshot with the number of the first event that it may lack.

        The number is taken first: what comes in between is told once more, which does
        no harm, since events set states and do not add to them.
        """
        with self._lock:
            number = self._next
            totals = self._totals.to_json()
        state = snapshot()
        first = max(0, number - HISTORY_EVENTS)
        return {**state, "number": number, "since": first, "totals": totals}

    def after(self, number: int) -> tuple[list[Short], bool]:
        """Return the events from ``number`` on; True: some of them are gone."""
        with self._lock:
            if not self._events or number >= self._next:
                return [], False
            oldest = self._events[0].number
            # Numbers have gaps where an event is of no use to the page.
            is_gone = number < oldest and len(self._events) == MAX_EVENTS
            found: list[Short] = []
            for short in reversed(self._events):
                if short.number < number:
                    break
                found.append(short)
        found.reverse()
        return found, is_gone

    def call(self, call_id: str) -> list[dict[str, Any]] | None:
        """Return everything that is known of a call; None: nothing (any more)."""
        with self._lock:
            entries = self._book.calls.get(call_id)
            known = None if entries is None else list(entries)
        return (
            None if known is None else [self._name(entry.to_json()) for entry in known]
        )

    def _read(self) -> None:
        for entry in self._subscription:
            members = entry.to_json()
            call_id = members.get("call_id")
            short = self._shorten(entry.kind, members)
            with self._lock:
                self._next = entry.number + 1
                self._totals.add(entry.kind, members)
                if isinstance(call_id, str):
                    self._book.add(call_id, entry)
                if short is not None:
                    self._events.append(Short(entry.number, json.dumps(short)))

    def _shorten(self, kind: str, members: dict[str, Any]) -> dict[str, Any] | None:
        """Return what every page needs of an event; None: nothing."""
        if kind == "log-written":
            line = members["line"]
            event = line.get("event")
            if members["call_id"] or event in {None, "notification.handled"}:
                return None
            members["line"] = {name: line.get(name) for name in ("event", "peer")}
        named = self._name(members)
        return {name: v for name, v in named.items() if name not in _LEFT_OUT}

    def _name(self, members: dict[str, Any]) -> dict[str, Any]:
        """Add the names that the page knows to addresses and URLs."""
        if location := members.get("location"):
            host = str(location).removeprefix("https://").partition("/")[0]
            members["redirect_region"] = self._region_of_host.get(host)
        if asker := members.get("asker"):
            members["asker_name"] = self._name_of_asker.get(asker, asker)
        return members
