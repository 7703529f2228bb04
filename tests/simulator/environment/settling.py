"""When a world is well: every region probed and good, and known as healthy to peers."""

import time
from collections.abc import Iterator, Mapping, Sequence

from tests.simulator.environment.events import (
    Event,
    EventLog,
    LogWritten,
    ProbeAnswered,
    RegionChanged,
)

_GOOD = 200


class Views:
    """What Traffic Manager and the regions last found of each other."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._probes: dict[str, bool] = {}
        self._peers: dict[tuple[str, str], bool] = {}

    def take(self, event: Event) -> None:
        """Learn from an event; a process that starts anew knows nothing."""
        match event:
            case ProbeAnswered():
                self._probes[event.region] = event.status == _GOOD
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
        """Yield what is not well yet: regions without a good probe, peers unseen."""
        yield from (code for code in probed if not self._probes.get(code))
        for code, peers in named.items():
            yield from (
                f"{code} of {peer}"
                for peer in peers
                if peer != code and not self._peers.get((code, peer))
            )


_PEER_LINES = {"peer.healthy": True, "peer.unhealthy": False}


def wait_until_well(
    events: EventLog,
    probed: Sequence[str],
    named: Mapping[str, Sequence[str]],
    *,
    timeout_seconds: float,
) -> list[str]:
    """Wait until nothing is missing; return what still is when the time is up.

    Args:
        events: of the world.
        probed: regions that Traffic Manager must find good.
        named: for each running region the peers that its rules name.
        timeout_seconds: how long to wait.
    """
    deadline = time.monotonic() + timeout_seconds
    views = Views()
    number = events.next_number
    with events.subscribe(since=0) as subscription:
        while True:
            entry = subscription.get(max(0.0, deadline - time.monotonic()))
            if entry is None:
                return list(views.missing(probed, named))
            views.take(entry.event)
            # What is past may have changed again: judge when all of it is known.
            if entry.number >= number - 1 and not list(views.missing(probed, named)):
                return []
