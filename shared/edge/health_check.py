"""One question to one other region: is it healthy?"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from shared.core import routes
from shared.core.health import is_report_of_healthy
from shared.edge.outbound import OutboundError, exchange, open_session
from shared.edge.tls import Transfer

if TYPE_CHECKING:
    import requests

REPLY_SECONDS = 0.5
# TCP and TLS to another continent take longer than the reply of a healthy region.
CONNECT_SECONDS = 2.0
# A kept connection follows no DNS change: it is renewed as often as records may change.
_CONNECTION_SECONDS = 300.0
_MAX_REPORT_BYTES = 64 * 1024


class HealthCheck:
    """Asks one region for its health. Blocking, for one thread at a time."""

    def __init__(
        self, host: str, *, region: str, own_region: str, ca_bundle: str
    ) -> None:
        """Ask the deployment at ``host`` (with its port, if any).

        Args:
            host: of the region that is asked.
            region: its code, which its report must name.
            own_region: code of this deployment, which asks.
            ca_bundle: see ``sessions.make_session``.
        """
        self._url = f"https://{host}{routes.HEALTH}"
        self._region = region
        self._headers = {
            "Accept": "application/json",
            routes.REGION_HEADER: own_region,
        }
        self._ca_bundle = ca_bundle
        self._session: requests.Session | None = None
        self._opened_at = 0.0

    def __call__(self) -> bool:
        """Tell whether the region says in time that it is healthy; never raises."""
        try:
            if self._is_connected():
                return self._ask(REPLY_SECONDS)
            started_at = time.monotonic()
            is_healthy = self._ask(CONNECT_SECONDS)
            if time.monotonic() - started_at <= REPLY_SECONDS:
                return is_healthy
            # It may have been the connection that took so long.
            return is_healthy and self._ask(REPLY_SECONDS)
        except OutboundError:
            self.close()
            return False

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def _is_connected(self) -> bool:
        age = time.monotonic() - self._opened_at
        return self._session is not None and age < _CONNECTION_SECONDS

    def _ask(self, seconds: float) -> bool:
        reply = exchange(
            self._connection(),
            "GET",
            self._url,
            headers=self._headers,
            transfer=Transfer(
                ends_at=time.monotonic() + seconds, max_bytes=_MAX_REPORT_BYTES
            ),
        )
        return reply.status == HTTPStatus.OK and is_report_of_healthy(
            reply.body, self._region
        )

    def _connection(self) -> requests.Session:
        if self._session is None or not self._is_connected():
            self.close()
            self._session = open_session(self._ca_bundle, connections=1)
            self._opened_at = time.monotonic()
        return self._session
