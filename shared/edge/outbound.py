"""Outgoing HTTPS: one way to open a session, and deadlines that hold.

Timeouts of an HTTP client bound the wait for the next byte, not the whole exchange: a
server that drips one byte a second is never too late. Here every read and write of a
TLS socket asks a deadline that the calling thread has set, so that headers and body
end in time.

The only module that imports ``requests``, and only when a session is opened: replies
that need no outgoing call do not pay for it.
"""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Buffer, Callable, Iterator, Mapping

    import requests

_CONNECT_SECONDS = 2.0
_current = threading.local()


class OutboundError(Exception):
    """An exchange brought no reply.

    Attributes:
        is_late: the time was up.
        was_sent: the request may have reached the server, and taken effect.
        status: of a reply whose body broke off.
    """

    def __init__(
        self, *, is_late: bool, was_sent: bool, status: int | None = None
    ) -> None:
        """Describe what happened."""
        super().__init__(f"is_late={is_late} was_sent={was_sent} status={status}")
        self.is_late = is_late
        self.was_sent = was_sent
        self.status = status


class OutboundReply(NamedTuple):
    """Status, headers and the first bytes of the body; more is in ``is_cut``."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool


@contextmanager
def deadline(at: float) -> Iterator[None]:
    """Let every TLS read of this thread end at ``at`` (``time.monotonic`` seconds)."""
    before = getattr(_current, "deadline", None)
    _current.deadline = at
    try:
        yield
    finally:
        _current.deadline = before


class _DeadlineSocket(ssl.SSLSocket):
    """A TLS socket that respects the thread's deadline, after the handshake too."""

    def send(self, data: Buffer, flags: int = 0) -> int:
        """Send as ``SSLSocket`` does, but never past the deadline; remember it."""
        self._keep_deadline()
        _current.was_sent = True
        return super().send(data, flags)

    def recv_into(
        self, buffer: Buffer, nbytes: int | None = None, flags: int = 0
    ) -> int:
        """Read as ``SSLSocket`` does, but never past the deadline."""
        self._keep_deadline()
        return super().recv_into(buffer, nbytes, flags)

    def _keep_deadline(self) -> None:
        """Wait no longer than the deadline allows; raise where it has passed."""
        at = getattr(_current, "deadline", None)
        if at is not None:
            remaining = at - time.monotonic()
            if remaining <= 0:
                message = "the deadline has passed"
                raise TimeoutError(message)
            self.settimeout(remaining)


def open_session(ca_bundle: str, *, connections: int) -> requests.Session:
    """Open a session that trusts the usual authorities and those of ``ca_bundle``.

    It keeps up to ``connections`` connections a host and no cookies, and reads neither
    proxies nor credentials from the environment. Redirects are the caller's business:
    pass ``allow_redirects=False``.
    """
    # 45 ms that a reply without a call must not pay.
    from http import cookiejar  # noqa: PLC0415

    import requests  # noqa: PLC0415

    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", _adapter(_context(ca_bundle), connections))
    return session


def exchange(  # noqa: PLR0913 - one HTTP request has that many sides
    session: requests.Session,
    method: str,
    url: str,
    *,
    ends_at: float,
    max_bytes: int,
    headers: Mapping[str, str],
    json: object = None,
) -> OutboundReply:
    """Send one request and read the reply, following no redirect.

    Args:
        session: of ``open_session``.
        method: GET or POST.
        url: https.
        ends_at: when to give up, in ``time.monotonic`` seconds.
        max_bytes: how much of the body to read.
        headers: of the request. A compressed reply is never asked for: it could
            grow without bound.
        json: body of the request.

    Raises:
        OutboundError: no reply came; nothing else escapes.
    """
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - see open_session

    _current.was_sent = False
    status: int | None = None
    try:
        remaining = ends_at - time.monotonic()
        if remaining <= 0:
            raise OutboundError(is_late=True, was_sent=False)
        with (
            deadline(ends_at),
            session.request(
                method,
                url,
                headers={**headers, "Accept-Encoding": "identity"},
                json=json,
                timeout=(min(remaining, _CONNECT_SECONDS), remaining),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            status = response.status_code
            body = response.raw.read(max_bytes + 1, decode_content=False)
            return OutboundReply(
                status=status,
                headers=response.headers,
                body=body[:max_bytes],
                is_cut=len(body) > max_bytes,
            )
    # requests' errors are OSErrors, urllib3's are not; odd URLs end in ValueErrors.
    except (OSError, HTTPError, ValueError) as error:
        is_late = time.monotonic() >= ends_at or _is_caused_by(error, TimeoutError)
        raise OutboundError(
            is_late=is_late, was_sent=_current.was_sent, status=status
        ) from error


def retry_after_seconds(value: str | None) -> float | None:
    """Read ``Retry-After``, seconds or a date (RFC 9110 section 10.2.3), as seconds.

    ``None`` if there is none, or it is neither.
    """
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None


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


@cache
def _context(ca_bundle: str) -> ssl.SSLContext:
    """Make the TLS context of all sessions that trust the same authorities.

    Once: it takes a megabyte outside of Python, and a session that met an error is
    freed by the collector only, some time, with all that it holds. Raises ``OSError``
    where the bundle cannot be read; the next session tries again.
    """
    import certifi  # noqa: PLC0415 - comes with requests

    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _DeadlineSocket
    if ca_bundle:
        context.load_verify_locations(ca_bundle)
    return context


@cache
def _adapter_class() -> Callable[[ssl.SSLContext, int], requests.adapters.HTTPAdapter]:
    """Make the class of all adapters, once; the module must not import ``requests``."""
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - see open_session

    class ContextAdapter(HTTPAdapter):
        """Use our TLS context for every connection, as it is."""

        def __init__(self, context: ssl.SSLContext, connections: int) -> None:
            self._context = context
            super().__init__(pool_connections=4, pool_maxsize=connections)

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

        def build_connection_pool_key_attributes(
            self,
            request: requests.PreparedRequest,
            verify: bool | str,  # noqa: FBT001 - as in requests
            cert: str | tuple[str, str] | None = None,
        ) -> tuple[Any, Any]:
            host, _pool = super().build_connection_pool_key_attributes(
                request, verify, cert
            )
            return host, {"ssl_context": self._context}

        def cert_verify(self, *_args: Any) -> None:  # noqa: ANN401
            """Leave the connection alone: the context requires a certificate."""

    return ContextAdapter


def _adapter(
    context: ssl.SSLContext, connections: int
) -> requests.adapters.HTTPAdapter:
    return _adapter_class()(context, connections)
