"""TLS sessions with deadlines that hold, and the only module that imports ``requests``.

Timeouts of an HTTP client bound the wait for the next byte, not the whole exchange: a
server that drips one byte a second is never too late. Here every read and write of a
TLS socket asks a deadline that the calling thread has set, so that headers and body
end in time.

``requests`` is imported when a session is opened: replies that need no outgoing call
do not pay for it.
"""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Buffer, Callable, Iterator

    import requests

_current = threading.local()


@contextmanager
def deadline(at: float) -> Iterator[None]:
    """Let every TLS read of this thread end at ``at`` (``time.monotonic`` seconds)."""
    before = getattr(_current, "deadline", None)
    _current.deadline = at
    try:
        yield
    finally:
        _current.deadline = before


@contextmanager
def watch_for_sending() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether this thread has sent anything meanwhile."""
    _current.was_sent = False
    yield lambda: _current.was_sent


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


def make_session(ca_bundle: str, *, connections: int) -> requests.Session:
    """Make a session that trusts the usual authorities and those of ``ca_bundle``.

    It keeps up to ``connections`` connections a host and no cookies, and reads neither
    proxies nor credentials from the environment. Redirects are the caller's business:
    pass ``allow_redirects=False``.

    Raises:
        OSError: ``ca_bundle`` cannot be read.
    """
    # 45 ms that a reply without a call must not pay.
    from http import cookiejar  # noqa: PLC0415

    import requests  # noqa: PLC0415

    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", _adapter_class()(_context(ca_bundle), connections))
    return session


@cache
def _context(ca_bundle: str) -> ssl.SSLContext:
    """Make the TLS context of all sessions that trust the same authorities.

    Once, because a context takes a megabyte outside of Python, and a session that met
    an error is freed by the garbage collector at some later time. Where the bundle
    cannot be read, the next session tries again.
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
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - see make_session

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
