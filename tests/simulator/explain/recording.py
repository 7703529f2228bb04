"""Recorded notifications: a body in JSON, a request, or the log of Microsoft's SDK.

A request has the form of HTTP: an optional request line, headers, an empty line and the
body; lines of the head that begin with ``#`` are comments. A header whose value is
``(redacted)`` counts as not recorded. Of a log the first notification is read. Anything
else is taken for a body, to be judged by the rules as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from shared.core.webhook import MAX_BODY_BYTES
from tests.simulator.explain.bare import wrap
from tests.simulator.explain.sdk_log import find_requests

# A body may be too large for the webhook and still be explained, within reason.
MAX_FILE_BYTES = 16 * MAX_BODY_BYTES

_REQUEST_LINE = re.compile(r"([A-Z]+) +(\S+)(?: +HTTP/[0-9.]+)?", re.ASCII)
# RFC 9110 section 5.1.
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_TARGET = re.compile(r"(?:https?://[^/?#]*)?([^?#]*)(?:\?([^#]*))?", re.IGNORECASE)
_CALLBACK = re.compile(r"/api/calls/([^/]+)/?", re.IGNORECASE)
_WEBHOOK = re.compile(r"/api/calls/?", re.IGNORECASE)
_REDACTED = "(redacted)"
_MAX_NAMED = 12


class RecordingError(ValueError):
    """The file is no recorded notification; the message is a sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One POST, as far as it was recorded.

    Attributes:
        headers: names in lower case, repeated ones joined by a comma as the host does.
        partition: of the callback route; ``None`` on the calling webhook.
        raw_query: without the question mark.
        has_head: whether a request line or headers were recorded at all.
        is_token_redacted: whether there was a token that nobody can read any more.
        notes: sentences about what is odd about the recording.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    partition: str | None = None
    raw_query: str = ""
    has_head: bool = False
    is_token_redacted: bool = False
    notes: tuple[str, ...] = ()


def read_recording(path: Path) -> Recording:
    """Read a recorded notification from a file.

    Raises:
        RecordingError: it cannot be read, is empty, too large or no POST.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        sentence = f"cannot be read: {error.strerror or 'unknown error'}."
        raise RecordingError(sentence) from error
    if len(data) > MAX_FILE_BYTES:
        message = "is over 16 MiB: no notification, and refused by size alone."
        raise RecordingError(message)
    return parse_recording(data)


def parse_recording(data: bytes) -> Recording:
    """Read a recorded notification from its bytes.

    Raises:
        RecordingError: there is nothing in it, a request that is no POST, or a log
            without a notification.
    """
    if not data.strip():
        message = "is empty: there is no notification in it."
        raise RecordingError(message)
    notes = []
    if logged := find_requests(data):
        if logged.first is None:
            message = (
                "is a log without a notification: it has only replies, or what a bot "
                "sent."
            )
            raise RecordingError(message)
        data = logged.first
        if logged.total > 1:
            notes.append(f"The log has {logged.total} requests; this is the first.")
    head = _Head()
    end = head.read(data)
    recording = head.finish(data[end:]) if head.has_line else Recording(body=data)
    if wrapped := wrap(recording.body):
        recording = replace(recording, body=wrapped.body)
        notes.append(wrapped.note)
    elif not head.has_line and not data.lstrip().startswith((b"{", b"[")):
        notes.append(
            "It is neither JSON, nor a request, nor the log of the calling SDK: no "
            "notification can be found in it."
        )
    return replace(recording, notes=(*recording.notes, *notes))


class _Head:
    """Reads the lines before the body, as long as they look like it."""

    def __init__(self) -> None:
        self.has_line = False
        self._method = "POST"
        self._target = "/api/calls"
        self._headers: dict[str, str] = {}
        self._redacted: list[str] = []
        self._notes: list[str] = []

    def read(self, data: bytes) -> int:
        """Read the head; return where the body starts."""
        start = 0
        while start < len(data):
            end = data.find(b"\n", start)
            end = len(data) if end < 0 else end
            line = data[start:end].removesuffix(b"\r").decode("latin-1")
            if not self._take(line):
                return start
            start = end + 1
            if self.has_line and not line.strip():
                break
        return min(start, len(data))

    def _take(self, line: str) -> bool:
        """Take a line; tell whether it belongs to the head."""
        if not line.strip() or line.startswith("#"):
            return True
        request = None if self.has_line else _REQUEST_LINE.fullmatch(line)
        # The SDK's log indents headers.
        header = _HEADER.fullmatch(line.lstrip())
        if request:
            self._method, self._target = request[1], request[2]
        elif header and header[2] == _REDACTED:
            self._redacted.append(header[1].lower())
        elif header:
            name = header[1].lower()
            known = self._headers.get(name)
            self._headers[name] = header[2] if known is None else f"{known},{header[2]}"
        elif self.has_line:
            self._notes.append("The head does not end with an empty line.")
        self.has_line = self.has_line or bool(request or header)
        return bool(request or header)

    def finish(self, body: bytes) -> Recording:
        """Return what was recorded."""
        if self._method != "POST":
            message = f"records a {self._method}: the platform sends notifications "
            raise RecordingError(f"{message}by POST only.")
        target = _TARGET.fullmatch(self._target)
        path, query = (target[1], target[2] or "") if target else ("", "")
        callback = _CALLBACK.fullmatch(path)
        if not callback and not _WEBHOOK.fullmatch(path):
            self._notes.append(
                "The path is none of this product's; it is taken for /api/calls."
            )
        if self._redacted:
            names = ", ".join(self._redacted[:_MAX_NAMED])
            self._notes.append(f"Redacted, so unknown: {names}.")
        return Recording(
            body=self._receive(body),
            headers=self._headers,
            partition=callback[1] if callback else None,
            raw_query=query,
            has_head=True,
            is_token_redacted="authorization" in self._redacted,
            notes=tuple(self._notes),
        )

    def _receive(self, body: bytes) -> bytes:
        """Return the body as the Functions host would hand it over."""
        if "transfer-encoding" in self._headers:
            self._notes.append(
                "It has Transfer-Encoding: the Functions host hands such a body over "
                "empty."
            )
            return b""
        length = self._headers.get("content-length", "")
        if length.isdecimal() and int(length[:9]) != len(body):
            self._notes.append(
                f"Content-Length says {int(length[:9]):,} bytes, the recording has "
                f"{len(body):,}."
            )
        return body
