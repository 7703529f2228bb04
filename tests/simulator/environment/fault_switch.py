"""Turns the faults of ``faults.FAULTS`` on and off."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import NamedTuple

from starlette.responses import Response

from tests.simulator.environment.events import FaultHealed, FaultInjected
from tests.simulator.environment.faults import FAULTS
from tests.simulator.environment.rollout import Rollout
from tests.simulator.environment.traffic import Traffic
from tests.simulator.platform.journal import Journal
from tests.simulator.services.graph_api import Fault, error_reply
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.signing import SigningKey
from tests.simulator.services.traffic_manager import TrafficManager
from tests.support.servers import status

CLOCK_SKEW_SECONDS = 240
GRAPH_SLOW_SECONDS = 2.0
FORGED_TIMES = 20
# Out of the allowed range, so that the region answers 503 to everybody.
BROKEN_SETTINGS = {"CALLING_TOKEN_LEEWAY_SECONDS": "301"}
# Nobody listens on this port.
WITHOUT_GRAPH = {"CALLING_GRAPH_URL": "https://127.0.0.1:9/v1.0"}


class _Switch(NamedTuple):
    on: Callable[[], object]
    off: Callable[[], object]


class FaultSwitch:
    """Turns faults on and off; each at most once at a time."""

    def __init__(
        self,
        *,
        rollout: Rollout,
        traffic_manager: TrafficManager,
        neighbours: Neighbours,
        traffic: Traffic,
        journal: Journal,
    ) -> None:
        """Act on these."""
        self._rollout = rollout
        self._traffic_manager = traffic_manager
        self._neighbours = neighbours
        self._traffic = traffic
        self._journal = journal
        self._lock = threading.Lock()
        self._active: set[tuple[str, str | None]] = set()

    @property
    def active(self) -> list[tuple[str, str | None]]:
        """The faults that are on, each with its region or None."""
        with self._lock:
            return sorted(self._active, key=str)

    def inject(self, name: str, region: str | None = None) -> bool:
        """Turn a fault on; tell whether it was off.

        Raises:
            KeyError: there is no such fault or region.
            ValueError: a region is missing, or one too many.
        """
        switch = self._switch(name, region)
        if not self._mark(name, region, is_on=True):
            return False
        self._journal.append(FaultInjected(fault=name, region=region))
        try:
            switch.on()
        finally:
            if FAULTS[name].is_instant:
                self._mark(name, region, is_on=False)
        return True

    def heal(self, name: str, region: str | None = None) -> bool:
        """Turn a fault off; tell whether it was on."""
        switch = self._switch(name, region)
        if not self._mark(name, region, is_on=False):
            return False
        switch.off()
        self._journal.append(FaultHealed(fault=name, region=region))
        return True

    def heal_all(self) -> None:
        """Turn off all faults that are on."""
        for name, region in self.active:
            self.heal(name, region)

    def _mark(self, name: str, region: str | None, *, is_on: bool) -> bool:
        key = (name, region)
        with self._lock:
            if (key in self._active) == is_on:
                return False
            (self._active.add if is_on else self._active.remove)(key)
            return True

    def _switch(self, name: str, region: str | None) -> _Switch:
        kind = FAULTS[name]
        if kind.is_regional != (region is not None):
            message = f"{name} affects {'one region' if kind.is_regional else 'all'}"
            raise ValueError(message)
        return self._general(name) if region is None else self._regional(name, region)

    def _regional(self, name: str, code: str) -> _Switch:
        rollout, region = self._rollout, self._rollout.regions[code]
        enable = self._traffic_manager.enable
        switches = {
            "region-killed": _Switch(region.kill, partial(rollout.start, code)),
            "region-hanging": _Switch(region.suspend, region.resume),
            "region-misconfigured": _Switch(
                partial(rollout.override, code, BROKEN_SETTINGS),
                partial(rollout.override, code, {}),
            ),
            "region-disabled": _Switch(
                partial(enable, code, is_enabled=False),
                partial(enable, code, is_enabled=True),
            ),
            "region-without-graph": _Switch(
                partial(rollout.override, code, WITHOUT_GRAPH),
                partial(rollout.override, code, {}),
            ),
            "region-restart": _Switch(partial(rollout.restart, code), _nothing),
        }
        return switches[name]

    def _general(self, name: str) -> _Switch:
        neighbours, freeze = self._neighbours, self._traffic_manager.freeze
        provider, graph = neighbours.provider, neighbours.graph
        skew = partial(_attribute, neighbours.tokens, "skew_seconds", off=0)
        switches = {
            "dns-frozen": _Switch(
                partial(freeze, is_frozen=True), partial(freeze, is_frozen=False)
            ),
            "provider-down": _Switch(
                partial(provider.follow, status(503)), partial(provider.follow, None)
            ),
            "provider-hanging": _Switch(
                provider.is_hanging.set, provider.is_hanging.clear
            ),
            "key-rotation": _Switch(self._rotate_key, _nothing),
            "graph-path-gone": _Switch(graph.lose_paths, _nothing),
            "entra-down": _attribute(neighbours.entra, "fault", _unavailable, off=None),
            "identity-down": _attribute(
                neighbours.identity, "fault", _unavailable, off=None
            ),
            "clock-ahead": skew(CLOCK_SKEW_SECONDS),
            "clock-behind": skew(-CLOCK_SKEW_SECONDS),
            "forged-traffic": _Switch(
                partial(self._traffic.forge, FORGED_TIMES),
                partial(self._traffic.forge, 0),
            ),
            **{
                name: _attribute(graph, "standing_fault", make, off=Fault)
                for name, make in _graph_faults()
            },
        }
        return switches[name]

    def _rotate_key(self) -> None:
        """Publish a new key, then sign with it; the old one stays published."""
        provider, key = self._neighbours.provider, SigningKey()
        provider.keys = [key, *provider.keys]
        self._neighbours.tokens.key = key


def _attribute(owner: object, name: str, on: object, *, off: object) -> _Switch:
    return _Switch(
        partial(setattr, owner, name, on), partial(setattr, owner, name, off)
    )


def _nothing() -> None:
    pass


def _unavailable() -> Response:
    return Response(status_code=503)


def _graph_faults() -> Iterator[tuple[str, Callable[[], Fault]]]:
    asked = count()

    def throttle() -> Fault:
        return Fault() if next(asked) % 3 == 2 else Fault(reply=throttled)

    throttled = partial(
        error_reply, 429, "Throttled", "slow down", {"Retry-After": "1"}
    )
    forgotten = partial(error_reply, 404, "8522", "Call not found.")
    failing = partial(error_reply, 503, "Unavailable", "try later")
    yield "graph-slow", partial(Fault, delay_seconds=GRAPH_SLOW_SECONDS)
    yield "graph-throttling", throttle
    yield "graph-not-found", partial(Fault, reply=forgotten)
    yield "graph-failing", partial(Fault, reply=failing)
