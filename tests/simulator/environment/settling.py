"""When an environment is healthy: Traffic Manager and all peers say so."""

import time
from collections.abc import Iterator, Mapping, Sequence

from tests.simulator.environment.events import LogWritten, RegionChanged
from tests.simulator.platform.journal import Entry, Journal
from tests.simulator.services.traffic_manager import ProbeAnswered

# A call that ends like this speaks against its region (docs/behaviour.md, section 1).
_FAILURES = {"answer-unavailable", "credential-unavailable", "credential-refused"}
_PEER_LINES = {"peer.healthy": True, "peer.unhealthy": False}
# Two looks that a restart spoils are a second apart. The second may come so late.
_LATE_LOOK_SECONDS = 1.5


class KnownHealth:
    """What Traffic Manager and the regions last found out about each other."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._probes: dict[str, bool] = {}
        self._probed_at: dict[str, float] = {}
        self._peers: dict[tuple[str, str], bool] = {}
        self._started: set[str] = set()
        self._back_at: dict[str, float] = {}

    def take(self, entry: Entry) -> None:
        """Learn from an event; a process that starts anew knows nothing."""
        event = entry.event
        match event:
            case ProbeAnswered():
                self._probes[event.region] = event.status == 200
                self._probed_at[event.region] = entry.seconds
            case RegionChanged(state="running"):
                if event.region in self._started:
                    self._back_at[event.region] = entry.seconds
                self._started.add(event.region)
            case RegionChanged(state="starting"):
                self._probes.pop(event.region, None)
                for seen in [key for key in self._peers if key[0] == event.region]:
                    del self._peers[seen]
            case LogWritten() if event.line.get("event") in _PEER_LINES:
                key = (event.region, str(event.line.get("peer")))
                self._peers[key] = _PEER_LINES[str(event.line["event"])]
            case _:
                pass

    def missing(
        self, probed: Sequence[str], named: Mapping[str, Sequence[str]]
    ) -> Iterator[str]:
        """Yield what is not known to be healthy: regions, and peers of regions."""
        yield from (code for code in probed if not self._probes.get(code))
        for code, peers in named.items():
            yield from (
                f"{code} of {peer}"
                for peer in peers
                if peer != code and not self._finds(code, peer, code in probed)
            )

    def _finds(self, code: str, peer: str, is_probed: bool) -> bool:
        """Tell whether a region finds a peer healthy, and has no more to say of it.

        What it saw while the peer was away is logged by its next probe, if it gets any.
        """
        back_at = self._back_at.get(peer)
        if is_probed and back_at is not None:
            told_at = self._probed_at.get(code, 0.0)
            if told_at < back_at + _LATE_LOOK_SECONDS:
                return False
        return self._peers.get((code, peer), False)


def wait_until_healthy(
    journal: Journal,
    probed: Sequence[str],
    named: Mapping[str, Sequence[str]],
    *,
    timeout_seconds: float,
) -> list[str]:
    """Wait until nothing is missing; return what still is when the time is up.

    Args:
        journal: of the environment.
        probed: regions that Traffic Manager must find healthy.
        named: for each running region the peers that its rules name.
        timeout_seconds: how long to wait.
    """
    deadline = time.monotonic() + timeout_seconds
    known = KnownHealth()
    number = journal.next_number
    with journal.subscribe(since=0) as subscription:
        while True:
            entry = subscription.get(max(0.0, deadline - time.monotonic()))
            if entry is None:
                return list(known.missing(probed, named))
            known.take(entry)
            # What is past may have changed again: judge when all of it is known.
            if entry.number >= number - 1 and not list(known.missing(probed, named)):
                return []


def failed_regions(entries: Sequence[Entry]) -> list[str]:
    """Return the regions of which calls ended for a reason of their own."""
    lines = [e.event for e in entries if isinstance(e.event, LogWritten)]
    return sorted({e.region for e in lines if e.line.get("reason") in _FAILURES})
