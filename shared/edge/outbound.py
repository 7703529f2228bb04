"""One outgoing HTTPS exchange: bounded in time and size, with one error for all ends.

Every module that asks somebody uses ``open_session`` and ``exchange`` or ``send``.
"""

from __future__ import annotations

import asyncio
import threading
import time
from email.utils import parsedate_to_datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from shared.edge.tls import Transfer

_CONNECT_SECONDS = 2.0
# A thread whose deadline has come says so at once, unless the processor is busy.
_STATUS_SECONDS = 0.5


class OutboundError(Exception):
    """An exchange brought no reply.

    Attributes:
        is_late: the time was up.
        was_sent: the request may have reached the server, and taken effect.
        status: of a reply whose body broke off.
        headers: of the same.
    """

    def __init__(
        self,
        *,
        is_late: bool,
        was_sent: bool,
        status: int | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Describe what happened."""
        super().__init__(f"is_late={is_late} was_sent={was_sent} status={status}")
        self.is_late = is_late
        self.was_sent = was_sent
        self.status = status
        self.headers = headers


class OutboundReply(NamedTuple):
    """A reply.

    Attributes:
        body: its first bytes.
        is_cut: there was more, or it broke off before its announced end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool


def open_session(ca_bundle: str, *, connections: int) -> requests.Session:
    """Open a session as ``sessions.make_session`` does.

    Raises:
        OutboundError: CALLING_CA_BUNDLE was readable at start, but is no longer.
    """
    from shared.edge.sessions import make_session  # noqa: PLC0415 - see there

    try:
        return make_session(ca_bundle, connections=connections)
    except OSError as error:
        raise OutboundError(is_late=False, was_sent=False) from error


class SharedSession:
    """A session of all threads of a client, opened when it is first needed."""

    def __init__(self, ca_bundle: str, *, connections: int) -> None:
        """Keep what ``open_session`` will be called with."""
        self._ca_bundle = ca_bundle
        self._connections = connections
        self._opening = threading.Lock()
        self._session: requests.Session | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether anybody has needed it."""
        return self._session is not None

    def open(self) -> requests.Session:
        """Return the session.

        Raises:
            OutboundError: as ``open_session``.
        """
        with self._opening:
            if self._session is None:
                self._session = open_session(
                    self._ca_bundle, connections=self._connections
                )
            return self._session

    def close(self) -> None:
        """Close the session and its connections."""
        with self._opening:
            if self._session is not None:
                self._session.close()


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    transfer: Transfer,
    headers: Mapping[str, str],
    json: object = None,
) -> OutboundReply:
    """Send one request and read the reply, following no redirect.

    Args:
        session: of ``open_session``.
        method: GET, POST or DELETE.
        url: https.
        transfer: when to give up, and how much of the body to read.
        headers: of the request. A compressed reply is never asked for: it could
            grow without bound.
        json: body of the request.

    Raises:
        OutboundError: no reply came; nothing else escapes.
    """
    request = partial(session.request, method, url, json=json)
    return _exchange(request, headers, transfer)


def send(
    session: requests.Session,
    method: str,
    url: str,
    data: bytes,
    *,
    transfer: Transfer,
    headers: Mapping[str, str],
) -> OutboundReply:
    """Send ``data`` as they are by PUT or POST, else as ``exchange`` does.

    Raises:
        OutboundError: no reply came; nothing else escapes.
    """
    return _exchange(
        partial(session.request, method, url, data=data), headers, transfer
    )


def _exchange(
    request: Callable[..., requests.Response],
    headers: Mapping[str, str],
    transfer: Transfer,
) -> OutboundReply:
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - comes with requests

    status: int | None = None
    reply_headers: Mapping[str, str] = {}
    try:
        seconds = transfer.seconds_left()
        with (
            transfer.on_this_thread(),
            request(
                headers={**headers, "Accept-Encoding": "identity"},
                timeout=(min(seconds, _CONNECT_SECONDS), seconds),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            status, reply_headers = response.status_code, response.headers
            transfer.has_status = True
            size = transfer.max_bytes
            body = response.raw.read(size + 1, decode_content=False)
            # A read that wants more than comes reports no end that is too early.
            is_cut = len(body) > size or bool(response.raw.length_remaining)
            return OutboundReply(status, response.headers, body[:size], is_cut)
    # requests' errors are OSErrors, urllib3's are not; odd URLs end in ValueErrors.
    except (OSError, HTTPError, ValueError) as error:
        is_late = time.monotonic() >= transfer.ends_at
        raise OutboundError(
            is_late=is_late or _is_caused_by(error, TimeoutError),
            was_sent=transfer.was_sent,
            status=status,
            headers=reply_headers,
        ) from error


async def has_ended(exchange: asyncio.Future[Any], transfer: Transfer) -> bool:
    """Wait for an exchange on a thread; tell whether it ended in time.

    Where the status came and only the body is late, the thread meets the deadline when
    we do, and says a moment later what the status was.
    """
    seconds = max(transfer.ends_at - time.monotonic(), 0)
    done, _pending = await asyncio.wait({exchange}, timeout=seconds)
    if not done and transfer.has_status:
        done, _pending = await asyncio.wait({exchange}, timeout=_STATUS_SECONDS)
    return bool(done)


def retry_after_seconds(value: str | None) -> float | None:
    """Read ``Retry-After``, seconds or a date (RFC 9110 section 10.2.3), as seconds.

    ``None`` if there is none, or it is neither.
    """
    if value is None:
        return None
    seconds = _whole_seconds(value)
    if seconds is not None:
        return seconds
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None


def sent_at_seconds(headers: Mapping[str, str]) -> float | None:
    """Tell when a reply left its server or its cache, in epoch seconds by their clock.

    That is ``Date``, when the reply was made, and ``Age``, how long a cache has had it
    (RFC 9110 section 6.6.1, RFC 9111 section 5.1). ``None`` if there is no such date.
    """
    try:
        made_at = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
    return made_at + (_whole_seconds(headers.get("Age", "")) or 0.0)


def _whole_seconds(text: str) -> float | None:
    """Read ``delta-seconds`` (RFC 9111 section 1.2.2), of bounded size."""
    return float(text[:9]) if text.isascii() and text.isdigit() else None


def _is_caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Tell whether an error, or one that it wraps, is of a kind."""
    pending: list[object] = [error]
    seen: list[object] = []
    while pending:
        cause = pending.pop()
        if isinstance(cause, kind):
            return True
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            pending += [*cause.args, cause.__cause__, cause.__context__]
            pending.append(getattr(cause, "reason", None))
    return False
