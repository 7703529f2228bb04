"""Notifications in the log of Microsoft's calling SDK, as people paste them in public.

A record names what was sent, each header on an indented line, and the body re-indented
below, without an empty line between them:

    $>2026-01-05T10:36:31.1044090Z Info: CommunicationsClientExtensions.cs:220
    TransactionDirection: Incoming
    request: POST https://bot.example.org/api/calls
    headers:
      Accept: application/json
      Authorization: (redacted)
    {
      "@odata.type": "#microsoft.graph.commsNotifications",

Records of replies repeat the request line and go on with ``response:``; records of what
the bot sent say ``TransactionDirection: Outgoing``.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

_REQUEST = re.compile(r"^[ \t]*request:[ \t]*([A-Z]+)[ \t]+(\S+).*$", re.MULTILINE)
_OUTGOING = re.compile(r"^[ \t]*TransactionDirection:[ \t]*Outgoing\b", re.MULTILINE)
_HEADER = re.compile(r"[ \t]*([^\s:{]+:[^\n]*)")
# The next record: its time, after the SDK's own mark or without it.
_NEXT_RECORD = re.compile(r"^(?:\$>)?\d{4}-\d\d-\d\dT", re.MULTILINE)
# As a logged body has other bytes than the one that came, its length says nothing.
_LEFT_OUT = ("headers:", "content-length:")


class LoggedRequests(NamedTuple):
    """What a log says that the platform sent.

    Attributes:
        first: the first request, in the form of HTTP; None: there is none.
        total: how many requests there are.
    """

    first: bytes | None
    total: int


def find_requests(data: bytes) -> LoggedRequests | None:
    """Find what the platform sent; None: ``data`` is no such log."""
    # Whatever is no UTF-8 comes out again as it went in.
    text = data.decode("utf-8", "surrogateescape")
    if not _REQUEST.search(text):
        return None
    found = list(_requests(text))
    first = found[0].encode("utf-8", "surrogateescape") if found else None
    return LoggedRequests(first, len(found))


def _requests(text: str) -> Iterator[str]:
    matches = list(_REQUEST.finditer(text))
    starts = [0, *(match.end() for match in matches)]
    for number, match in enumerate(matches):
        before = text[starts[number] : match.start()]
        last = number + 1 == len(matches)
        after = text[match.end() : None if last else matches[number + 1].start()]
        is_reply = after.lstrip().lower().startswith("response:")
        if not is_reply and not _OUTGOING.search(before):
            yield f"{match[1]} {match[2]}\n{_as_http(after)}"


def _as_http(text: str) -> str:
    """Return headers and body, with an empty line between them."""
    headers = []
    lines = text.splitlines(keepends=True)
    while lines and not lines[0].lstrip().startswith(("{", "[")):
        line = lines.pop(0)
        header = _HEADER.fullmatch(line.rstrip("\r\n"))
        if header and not header[1].lower().startswith(_LEFT_OUT):
            headers.append(header[1])
    return "\n".join([*headers, "", _body("".join(lines))])


def _body(text: str) -> str:
    """Return the JSON that ``text`` starts with, or all up to the next record."""
    try:
        _value, end = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        record = _NEXT_RECORD.search(text)
        return text[: record.start() if record else None]
    return text.lstrip()[:end]
