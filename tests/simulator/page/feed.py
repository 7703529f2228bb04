"""The environment's events, in the form that pages need.

A thread reads the event log once for all pages. It keeps the latest events in short,
for every page to follow, and everything about the latest calls, for the one that
somebody selects. Both are bounded: a page that falls too far behind loads again.
"""

import json
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from tests.simulator.page.ends import end_line
from tests.simulator.platform.calls import REDIRECTS
from tests.simulator.platform.journal import Entry, Journal
from tests.simulator.report.lines import LogLine
from tests.support.running import Running

MAX_EVENTS = 20_000
MAX_CALLS = 2_000
# How many past events a page gets when it opens.
HISTORY_EVENTS = 1_500
# How many of the latest ends are counted by result code.
MAX_ENDS = 5_000
_MAX_PER_CALL = 400
# A person may talk to a bot for long, and every event can be sent again.
_MAX_PER_PHONE_CALL = 4_000
_MAX_PHONE_CALLS = 20
# What the phone shows of the line in the log.
_LINE = (
    "message_id",
    "bot_event",
    "reason",
    "notes",
    "status",
    "duration_ms",
    "actions",
    "graph_status",
    "graph_code",
    "type",
    "file",
    "line",
    "function",
    "detail",
    "instance",
    "delivery_status",
    "delivery_ms",
    "delivery_attempts",
)
# What all pages show of lines that are about no call.
_OTHER_LINE = ("event", "peer", "instance")
# Too large for every page; only the selected call shows them.
_LEFT_OUT = frozenset({"headers", "notification", "url"})


@dataclass(slots=True)
class Totals:
    """Counts over all calls.

    Attributes:
        redirected: calls that the bot sent on to somebody else.
        redirects: from region to region.
        why: of calls that were lost or refused, by outcome and reason.
    """

    placed: int = 0
    answered: int = 0
    rejected: int = 0
    redirected: int = 0
    lost: int = 0
    refused: int = 0
    redirects: int = 0
    forged: int = 0
    why: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, members: Mapping[str, Any]) -> None:
        """Count an event."""
        match kind:
            case "call-placed":
                self.placed += 1
            case "call-ended":
                outcome = members["outcome"]
                setattr(self, outcome, getattr(self, outcome) + 1)
                if members["why"]:
                    why = f"{outcome}: {members['why']}"
                    self.why[why] = self.why.get(why, 0) + 1
            case "step-ended":
                self.redirects += members["status"] in REDIRECTS
            case "forged-refused":
                self.forged += sum(members["statuses"].values())


class ShortEvent(NamedTuple):
    """An event in short: its number and its JSON."""

    number: int
    text: str


class Feed(Running):
    """Reads the log while its ``with`` block runs. Safe for threads."""

    def __init__(
        self,
        events: Journal,
        *,
        region_of_host: Mapping[str, str],
        name_of_client: Mapping[str, str],
    ) -> None:
        """Read ``events``; name hosts and source addresses as the page does."""
        self._region_of_host = region_of_host
        self._name_of_client = name_of_client
        self._subscription = events.subscribe(since=0)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._lock = threading.Lock()
        self._events: deque[ShortEvent] = deque(maxlen=MAX_EVENTS)
        self._calls: OrderedDict[str, list[Entry]] = OrderedDict()
        self._phone_calls: deque[str] = deque(maxlen=_MAX_PHONE_CALLS)
        self._totals = Totals()
        self._ends: deque[LogLine] = deque(maxlen=MAX_ENDS)
        self._next = 0
        self.is_closed = False

    def start(self, stack: ExitStack) -> None:
        """Start to read; when reading stops, all streams end."""
        self._thread.start()
        stack.callback(self._thread.join)
        stack.callback(self._subscription.close)
        stack.callback(setattr, self, "is_closed", True)

    def look(self, snapshot: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return a snapshot with the number of the first event that it may lack.

        The number is read before the snapshot is taken: an event in between is sent
        although the snapshot has it. That does no harm, because the page applies events
        as states, not as changes.
        """
        with self._lock:
            number = self._next
            totals = asdict(self._totals)
        state = snapshot()
        first = max(0, number - HISTORY_EVENTS)
        return {**state, "number": number, "since": first, "totals": totals}

    def after(self, number: int) -> tuple[list[ShortEvent], bool]:
        """Return the events from ``number`` on, and whether some of them are gone."""
        with self._lock:
            if not self._events or number >= self._next:
                return [], False
            oldest = self._events[0].number
            # Numbers have gaps: events that are of no use to the page are left out.
            is_gone = number < oldest and len(self._events) == MAX_EVENTS
            found: list[ShortEvent] = []
            for short in reversed(self._events):
                if short.number < number:
                    break
                found.append(short)
        found.reverse()
        return found, is_gone

    def call(self, call_id: str) -> list[dict[str, Any]] | None:
        """Return all events of a call; None if it is unknown or too old."""
        with self._lock:
            if call_id not in self._calls:
                return None
            entries = list(self._calls[call_id])
        return [self._name(entry.to_json()) for entry in entries]

    def ends(self) -> list[LogLine]:
        """Return the latest log lines that tell how calls ended."""
        with self._lock:
            return [*self._ends]

    def _read(self) -> None:
        for entry in self._subscription:
            members = entry.to_json()
            call_id = members.get("call_id")
            end = end_line(entry)
            short = self._shorten(entry.kind, members, is_end=end is not None)
            with self._lock:
                self._next = entry.number + 1
                self._totals.add(entry.kind, members)
                if end is not None:
                    self._ends.append(end)
                if isinstance(call_id, str):
                    self._keep(call_id, entry)
                if short is not None:
                    self._events.append(ShortEvent(entry.number, json.dumps(short)))

    def _keep(self, call_id: str, entry: Entry) -> None:
        """Keep an event of a call, unless it is one of too many."""
        if entry.kind == "phone-called":
            if len(self._phone_calls) == _MAX_PHONE_CALLS:
                self._calls.pop(self._phone_calls[0], None)
            self._phone_calls.append(call_id)
        if entry.kind in {"call-placed", "phone-called"}:
            self._calls.setdefault(call_id, [])
            if len(self._calls) > MAX_CALLS:
                self._calls.popitem(last=False)
        entries = self._calls.get(call_id)
        is_phone = call_id in self._phone_calls
        most = _MAX_PER_PHONE_CALL if is_phone else _MAX_PER_CALL
        if entries is not None and len(entries) < most:
            entries.append(entry)

    def _shorten(
        self, kind: str, members: dict[str, Any], *, is_end: bool
    ) -> dict[str, Any] | None:
        """Return what every page needs of an event; None if it needs nothing."""
        is_phone = members.get("call_id") in self._phone_calls
        if kind == "handler-ran" and not is_phone:
            return None
        if kind == "step-started" and is_phone:
            members["message_id"] = members["headers"]["X-Microsoft-Skype-Message-ID"]
        elif kind == "log-written" and is_phone:
            line = members["line"]
            members["line"] = {name: line[name] for name in _LINE if name in line}
            members["kind"] = "phone-logged"
        elif is_end:
            members["kind"] = "end-logged"
            del members["line"]
        elif kind == "log-written":
            line = members["line"]
            event = line.get("event")
            if members["call_id"] or event in {None, "notification.handled"}:
                return None
            members["line"] = {name: line.get(name) for name in _OTHER_LINE}
        named = self._name(members)
        return {name: v for name, v in named.items() if name not in _LEFT_OUT}

    def _name(self, members: dict[str, Any]) -> dict[str, Any]:
        """Add the page's names for addresses and URLs."""
        if location := members.get("location"):
            host = str(location).removeprefix("https://").partition("/")[0]
            members["redirect_region"] = self._region_of_host.get(host)
        if client := members.get("asker"):
            members["asker_name"] = self._name_of_client.get(client, client)
        return members
