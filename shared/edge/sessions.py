"""HTTP sessions of ``requests`` over bounded sockets; nobody else imports ``requests``.

It takes 45 ms to import: ``outbound`` does so when a session is opened, so that replies
that need no outgoing call do not pay for it.
"""

from http.cookiejar import DefaultCookiePolicy
from socket import socket
from typing import Any, override

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from shared.edge.tls import PlainSocket, idle_seconds, tls_context

# A load balancer or NAT may forget a quiet connection without a word; Azure's do so
# after four minutes, others sooner:
# https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset
_MAX_IDLE_SECONDS = 60.0


def make_session(ca_bundle: str, *, connections: int) -> requests.Session:
    """Make a session that trusts the usual authorities and those of ``ca_bundle``.

    It keeps up to ``connections`` connections a host and no cookies. A connection that
    was idle for over 60 s is not used again. Neither proxies nor credentials are read
    from the environment.
    Redirects are the caller's business: pass ``allow_redirects=False``.

    Raises:
        OSError: ``ca_bundle`` cannot be read.
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = BoundedAdapter(ca_bundle, connections)
    session.mount("https://", adapter)
    # The managed identity endpoint of the machine itself speaks plain HTTP.
    session.mount("http://", adapter)
    return session


class _Connection(HTTPConnection):
    """Counts as closed once it has been idle for too long."""

    @property
    @override
    def is_connected(self) -> bool:
        return super().is_connected and idle_seconds(self.sock) <= _MAX_IDLE_SECONDS


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _PlainConnection(_Connection):
    @override
    def _new_conn(self) -> socket:
        return PlainSocket.taking_over(super()._new_conn())


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class BoundedAdapter(HTTPAdapter):
    """Uses our TLS context as it is, and our connections.

    Attributes:
        context: with the trusted authorities.
    """

    def __init__(self, ca_bundle: str, connections: int) -> None:
        """Keep ``connections`` connections a host."""
        self.context = tls_context(ca_bundle)
        super().__init__(pool_connections=4, pool_maxsize=connections)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _PlainPool,
            "https": _TlsPool,
        }

    @override
    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,
        cert: str | tuple[str, str] | None = None,
    ) -> tuple[Any, Any]:
        host, _pool = super().build_connection_pool_key_attributes(
            request, verify, cert
        )
        is_tls = host["scheme"] == "https"
        return host, {"ssl_context": self.context} if is_tls else {}

    @override
    def cert_verify(self, *_args: Any) -> None:
        """Leave the connection alone: the context requires a certificate."""
