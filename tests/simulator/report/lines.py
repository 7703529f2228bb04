"""Log lines, from whatever printed them, as Application Insights would keep them.

``func start`` and ``drill --log`` put the time before the line, and the drill also the
region: ``[2026-11-25T19:42:25.123Z] [weu] {"event":…}``. ``make serve`` puts nothing.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shared.core.reasons import Reason
from shared.edge.log_levels import level_of_reason

_LINE = re.compile(
    r"^\s*(?:\[(?P<at>\d{4}-[^\]]+)\]\s*)?(?:\[(?P<app>[\w-]+)\]\s*)?"
    r'.*?(?P<text>\{"event":.*\})\s*$'
)
_REASONS = {reason.value: reason for reason in Reason}
# Lines without a time come one after the other.
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_STEP = timedelta(milliseconds=1)
# Warnings and errors among the events beside requests; docs/reasons.md lists them.
_EVENT_LEVELS = {
    "health.notice": logging.WARNING,
    "instance.passed-over": logging.WARNING,
    "keys.refreshed": logging.INFO,
    "peer.healthy": logging.INFO,
    "peer.unhealthy": logging.WARNING,
    "settings.warnings": logging.WARNING,
}


class LogLine(NamedTuple):
    """A line of the log.

    Attributes:
        at: when it was written, in UTC.
        level: of the ``logging`` module.
        app: name of the function app, or the region, or nothing.
        process: which of its processes wrote it.
        text: the JSON.
    """

    at: datetime
    level: int
    app: str
    process: str
    text: str

    def __str__(self) -> str:
        """Return it as ``read_lines`` takes it."""
        at = self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"[{at}] [{self.app}] {self.text}"


def read_lines(texts: Iterable[str]) -> Iterator[LogLine]:
    """Read the product's lines; whatever else was printed is left out."""
    at = _BEGINNING
    for text in texts:
        match = _LINE.match(text)
        members = _read(match["text"]) if match else None
        if match is None or members is None:
            continue
        at = _read_time(match["at"]) or at + _STEP
        app = match["app"] or str(members.get("region", ""))
        yield LogLine(at, guess_level(members), app, app, match["text"])


def guess_level(members: Mapping[str, Any]) -> int:
    """Return the level that a line has, which nobody prints.

    It is too high where ``answer-refused`` was expected: the line does not say so.
    """
    event = str(members.get("event"))
    if event != "notification.handled":
        # A refresh that fails is an error once there are no older keys.
        if event == "keys.refresh-failed" and "key_age_seconds" in members:
            return logging.WARNING
        return _EVENT_LEVELS.get(event, logging.ERROR)
    status = int(members.get("status", 0))
    by_status = (
        logging.ERROR
        if status >= 500
        else logging.WARNING
        if status >= 400
        else logging.INFO
    )
    parts = [members, *members.get("items", [])]
    codes = [code for part in parts for code in (part["reason"], *_notes(part))]
    return max(
        by_status,
        *(level_of_reason(_REASONS[code]) for code in codes if code in _REASONS),
    )


def _notes(part: Mapping[str, Any]) -> list[str]:
    return list(part.get("notes", []))


def _read(text: str) -> Mapping[str, Any] | None:
    with suppress(ValueError):
        members: Mapping[str, Any] = json.loads(text)
        return members
    return None


def _read_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    with suppress(ValueError):
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None
