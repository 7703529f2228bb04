"""Traffic Manager's Performance routing: probes, endpoint states, the order of regions.

Each enabled endpoint is probed every ``interval_seconds``: HTTPS GET of ``path`` with
the global name as Host and SNI. The certificate is not checked, redirects are not
followed, 200 is expected within ``timeout_seconds``. More than ``tolerated_failures``
failures in a row degrade an endpoint, one success brings it back. A question is
answered with the nearest endpoint that is online; if none is, with all enabled ones.

https://learn.microsoft.com/azure/traffic-manager/traffic-manager-monitoring
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.simulator.services.failures import name_of
from tests.simulator.services.places import distance_km
from tests.support.running import Running

_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswered:
    """Event: a probe of a region got a status, or failed with an ``error``."""

    region: str
    status: int | None
    error: str | None
    took_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChanged:
    """Event: an endpoint is now online, degraded or disabled."""

    region: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How endpoints are probed and how long answers hold; as the templates say."""

    interval_seconds: float = 10.0
    timeout_seconds: float = 5.0
    tolerated_failures: int = 2
    ttl_seconds: int = 30
    path: str = "/api/health"

    @property
    def detection_seconds(self) -> float:
        """How long after a fault the last answer expires that names the region."""
        probing = (self.tolerated_failures + 1) * self.interval_seconds
        return probing + self.timeout_seconds + self.ttl_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A region as Traffic Manager knows it."""

    code: str
    location: str
    address: str
    port: int
    is_enabled: bool = True


@dataclass(slots=True)
class _Health:
    """The state of an endpoint; new ones count as online until probes say otherwise."""

    is_enabled: bool
    failures: int = 0
    is_degraded: bool = False

    @property
    def status(self) -> str:
        if not self.is_enabled:
            return "disabled"
        return "degraded" if self.is_degraded else "online"


class TrafficManager(Running):
    """One profile with its endpoints. Probes run in threads of its own."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        global_name: str,
        profile: Profile,
        tell: Callable[[ProbeAnswered | EndpointChanged], object],
    ) -> None:
        """Probe ``endpoints`` from the ``with`` block on; ``tell`` gets the events."""
        self.profile = profile
        self._endpoints = tuple(endpoints)
        self._global_name = global_name
        self._tell = tell
        self._lock = threading.Lock()
        self._health = {e.code: _Health(e.is_enabled) for e in self._endpoints}
        self._frozen: Mapping[str, str] | None = None
        self._stopping = threading.Event()
        # Without the certificates of the system: to load them takes long, and none is
        # checked.
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    def start(self, stack: ExitStack) -> None:
        """Start to probe."""
        for endpoint in self._endpoints:
            thread = threading.Thread(
                target=self._probe_on, args=(endpoint,), daemon=True
            )
            thread.start()
            stack.callback(thread.join, 2 * self.profile.timeout_seconds)
        stack.callback(self._stopping.set)

    def statuses(self) -> dict[str, str]:
        """Return online, degraded or disabled for every region."""
        with self._lock:
            return {code: health.status for code, health in self._health.items()}

    def answer(self, location: str | None) -> list[Endpoint]:
        """Return the endpoints for a question that comes from an Azure location.

        None is an unknown location: the endpoints are in the order of the profile.
        """
        statuses = self._frozen or self.statuses()
        enabled = [e for e in self._endpoints if statuses[e.code] != "disabled"]
        if location is not None:
            enabled.sort(key=lambda e: distance_km(location, e.location))
        online = [e for e in enabled if statuses[e.code] == "online"]
        return online[:1] or enabled

    def enable(self, code: str, *, is_enabled: bool) -> None:
        """Enable or disable an endpoint; once enabled it counts as online."""
        with self._lock:
            self._health[code] = _Health(is_enabled)
            status = self._health[code].status
        self._tell(EndpointChanged(region=code, status=status))

    def probe(self, code: str) -> None:
        """Probe an endpoint once more, now; the real one probes from many places."""
        [endpoint] = [e for e in self._endpoints if e.code == code]
        if self._health[code].is_enabled:
            self._probe(endpoint)

    def freeze(self, *, is_frozen: bool) -> None:
        """Keep answering as now, whatever probes find, until told otherwise."""
        self._frozen = self.statuses() if is_frozen else None

    def _probe_on(self, endpoint: Endpoint) -> None:
        next_at = time.monotonic()
        while not self._stopping.wait(max(0.0, next_at - time.monotonic())):
            next_at += self.profile.interval_seconds
            if self._health[endpoint.code].is_enabled:
                self._probe(endpoint)

    def _probe(self, endpoint: Endpoint) -> None:
        started_at = time.monotonic()
        status, error = self._ask(endpoint)
        if self._stopping.is_set():
            return
        self._tell(
            ProbeAnswered(
                region=endpoint.code,
                status=status,
                error=error,
                took_seconds=time.monotonic() - started_at,
            )
        )
        with self._lock:
            health = self._health[endpoint.code]
            before = health.status
            health.failures = 0 if status == http.client.OK else health.failures + 1
            health.is_degraded = health.failures > self.profile.tolerated_failures
            after = health.status
        if before != after:
            self._tell(EndpointChanged(region=endpoint.code, status=after))

    def _ask(self, endpoint: Endpoint) -> tuple[int | None, str | None]:
        """Ask for health once; return the status, or an error of ``failures``."""
        address = (endpoint.address, endpoint.port)
        seconds = self.profile.timeout_seconds
        is_connected = False
        try:
            with (
                socket.create_connection(address, seconds) as plain,
                self._context.wrap_socket(
                    plain, server_hostname=self._global_name
                ) as connection,
            ):
                is_connected = True
                connection.sendall(
                    f"GET {self.profile.path} HTTP/1.1\r\n"
                    f"Host: {self._global_name}:{endpoint.port}\r\n"
                    "User-Agent: Azure Traffic Manager Endpoint Monitor\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
                response = http.client.HTTPResponse(connection)
                response.begin()
                response.read(_MAX_BYTES)
                return response.status, None
        except (OSError, http.client.HTTPException) as failure:
            return None, name_of(failure, is_connected=is_connected)
