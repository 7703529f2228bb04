"""A stub resolver with a cache, as each of the platform's data centres has one.

It asks the simulated name server and nobody else, from the asker's address, and caches
an answer exactly as long as its TTL says.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from tests.simulator.services.failures import NameUnresolvedError

_QUERY_SECONDS = 2.0
_TRIES = 2


class Resolved(NamedTuple):
    """Addresses of a name, best first, and whether they came from the cache."""

    addresses: Sequence[str]
    is_cached: bool


class _Held(NamedTuple):
    addresses: Sequence[str]
    expires_at: float


class StubResolver:
    """Resolves names for several askers; safe for threads."""

    def __init__(
        self,
        server: tuple[str, int],
        *,
        query_seconds: float = _QUERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask ``server`` twice at most, waiting ``query_seconds`` each time."""
        self._server = server
        self._query_seconds = query_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._held: dict[tuple[str, str], _Held] = {}

    def resolve(self, name: str, *, asker: str) -> Resolved:
        """Resolve a name for the asker with this source address.

        Raises:
            NameUnresolvedError: there is no address.
        """
        key = (asker, name.lower())
        with self._lock:
            asking = self._locks.setdefault(key, threading.Lock())
        with asking:
            held = self._held.get(key)
            if held is not None and held.expires_at > self._clock():
                return Resolved(held.addresses, is_cached=True)
            addresses, ttl_seconds = self._ask(name, asker)
            self._held[key] = _Held(addresses, self._clock() + ttl_seconds)
            return Resolved(addresses, is_cached=False)

    def forget(self) -> None:
        """Empty the cache, as if the resolver had just been started."""
        self._held.clear()

    def _ask(self, name: str, asker: str) -> tuple[list[str], int]:
        question = dns.message.make_query(name, dns.rdatatype.A)
        host, port = self._server
        for _try in range(_TRIES):
            try:
                reply, _was_tcp = dns.query.udp_with_fallback(
                    question, host, timeout=self._query_seconds, port=port, source=asker
                )
            except (dns.exception.DNSException, OSError):
                continue
            found = [rrset for rrset in reply.answer if rrset.rdtype == dns.rdatatype.A]
            addresses = [record.address for rrset in found for record in rrset]
            if not addresses:
                message = f"{name}: {dns.rcode.to_text(reply.rcode())}"
                raise NameUnresolvedError(message)
            return addresses, min(rrset.ttl for rrset in found)
        message = f"{name}: no answer"
        raise NameUnresolvedError(message)
