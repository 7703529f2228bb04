"""Calls that are really placed, the lines that the product wrote, and our own figures.

Two regions of the local host take the calls of a platform, and services with a bot in
this process take what two regions do not show. The figures come from the platform's
journal, from what the servers were asked and from what was posted, never from a line.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.simulator.deployments import Deployments
from tests.simulator.platform.events import CallEnded, StepEnded, StepStarted
from tests.simulator.report.lines import LogLine

# What the bot is told, by what the platform sends.
_EVENTS = {
    **dict.fromkeys(("incoming", "duplicate", "redirected"), "incoming"),
    **dict.fromkeys(("terminated", "deleted"), "terminated"),
    "roster": "participants",
}
_TAKEN = re.compile(r'"name":"(?:answer|reject|redirect)","status":202')
PARTITIONS = ("media-a", "media-b")


@dataclass(slots=True)
class Own:
    """What we counted ourselves.

    Attributes:
        outcomes: calls by region and column of calls.kql.
        redirects: by region from and to.
        actions: requests to Graph by region, name and whether it took them; of weu and
            sea only those that it did not take.
        ends: ended calls by code and subcode.
        events: what the bot was told, by region and event.
        established: calls that were, by region.
        refused: requests by sender and reason, as refusals.kql has them.
        failures: lines by reason.
        notes: lines by note.
        deliveries: by partition and reason.
        delivery_attempts: POSTs that each instance got.
        delivery_statuses: that each instance replied with.
        slowest_deliveries_ms: how long the slowest one of a partition took at most.
        slowest_ms: how long the slowest answer took at least.
        most_ms: how long all of it took.
        first_answers: when each process answered or rejected its first call.
        calls: ids by what happened to them.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    redirects: Counter[tuple[str, str]] = field(default_factory=Counter)
    actions: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    ends: Counter[tuple[int | None, int | None]] = field(default_factory=Counter)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    established: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    deliveries: Counter[tuple[str, str]] = field(default_factory=Counter)
    delivery_attempts: dict[str, int] = field(default_factory=dict)
    delivery_statuses: dict[str, set[int]] = field(default_factory=dict)
    slowest_deliveries_ms: dict[str, float] = field(default_factory=dict)
    first_answers: dict[str, datetime] = field(default_factory=dict)
    slowest_ms: float = 0.0
    most_ms: float = 0.0
    calls: dict[str, str] = field(default_factory=dict)

    def count_journal(self, app: Deployments) -> None:
        """Count what the platform saw of the calls that it placed."""
        for event in (entry.event for entry in app.journal.entries()):
            if isinstance(event, CallEnded) and event.region:
                self.outcomes[event.region, event.outcome] += 1
                self.calls[event.outcome] = event.call_id
            if isinstance(event, StepStarted) and _has_audio(event.notification):
                self.established[event.region or "?"] += 1
            if isinstance(event, StepEnded):
                self._count_step(event, app)

    def note_first_answers(self, lines: Sequence[LogLine]) -> None:
        """Note when Graph first took what a process asked about a ringing call."""
        for line in sorted(lines, key=lambda line: line.at):
            if _TAKEN.search(line.text):
                at = line.at.replace(tzinfo=None)
                self.first_answers.setdefault(line.process, at)

    def _count_step(self, step: StepEnded, app: Deployments) -> None:
        region = step.region or "?"
        if step.status == 302 and step.location:
            to = app.region_of_host(step.location) or "?"
            self.redirects[region, to] += 1
        if step.status == 401:
            self.refused["stranger", "any"] += 1
        event = _EVENTS.get(step.what)
        if step.status in {202, 503} and event:
            self.events[region, event] += 1


def _has_audio(notification: Any) -> bool:
    data = (notification.get("value") or [{}])[0].get("resourceData")
    return isinstance(data, dict) and "mediaState" in data


class Played(NamedTuple):
    """Lines, and the figures that queries must find in them.

    Attributes:
        lines: of calls, without deliveries to instances.
        deliveries: of these.
        failing: of a process that cannot answer.
    """

    lines: list[LogLine]
    deliveries: list[LogLine]
    failing: list[LogLine]
    own: Own


class Recorder(logging.Handler):
    """Keeps the lines of services in this process.

    Attributes:
        app: the name under which the next lines are kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self.app = ""
        self.lines: list[LogLine] = []

    def emit(self, record: logging.LogRecord) -> None:
        at = datetime.fromtimestamp(record.created, UTC)
        text = record.getMessage()
        self.lines.append(LogLine(at, record.levelno, self.app, self.app, text))


@contextmanager
def recording() -> Iterator[Recorder]:
    """Record what is logged in the block."""
    recorder, logger = Recorder(), logging.getLogger("calling")
    level = logger.level
    logger.addHandler(recorder)
    logger.setLevel(logging.INFO)
    try:
        yield recorder
    finally:
        logger.removeHandler(recorder)
        logger.setLevel(level)
