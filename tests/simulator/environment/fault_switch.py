"""Turns the faults of ``faults.FAULTS`` on and off."""

import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import count

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

CLOCK_SKEW_SECONDS = 240
GRAPH_SLOW_SECONDS = 2.0
FORGED_TIMES = 20
# Out of the allowed range, so that the region answers 503 to everybody.
BROKEN_SETTINGS = {"CALLING_TOKEN_LEEWAY_SECONDS": "301"}

type _Switch = Callable[[], object]


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
        on, _off = self._switches(name, region)
        if not self._mark(name, region, is_on=True):
            return False
        self._journal.append(FaultInjected(fault=name, region=region))
        try:
            on()
        finally:
            if FAULTS[name].is_instant:
                self._mark(name, region, is_on=False)
        return True

    def heal(self, name: str, region: str | None = None) -> bool:
        """Turn a fault off; tell whether it was on."""
        _on, off = self._switches(name, region)
        if not self._mark(name, region, is_on=False):
            return False
        off()
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

    def _switches(self, name: str, region: str | None) -> tuple[_Switch, _Switch]:
        kind = FAULTS[name]
        if kind.is_regional != (region is not None):
            message = f"{name} affects {'one region' if kind.is_regional else 'all'}"
            raise ValueError(message)
        if region is not None:
            return self._regional(name, region)
        return self._general(name)

    def _regional(self, name: str, code: str) -> tuple[_Switch, _Switch]:
        rollout, manager = self._rollout, self._traffic_manager
        region = rollout.regions[code]
        switches: Mapping[str, tuple[_Switch, _Switch]] = {
            "region-killed": (region.kill, lambda: rollout.start(code)),
            "region-hanging": (region.halt, region.wake),
            "region-misconfigured": (
                lambda: rollout.override(code, BROKEN_SETTINGS),
                lambda: rollout.override(code, {}),
            ),
            "region-disabled": (
                lambda: manager.enable(code, is_enabled=False),
                lambda: manager.enable(code, is_enabled=True),
            ),
            "region-restart": (lambda: rollout.restart(code), _nothing),
        }
        return switches[name]

    def _general(self, name: str) -> tuple[_Switch, _Switch]:
        manager, entra = self._traffic_manager, self._neighbours.entra
        provider, tokens = self._neighbours.provider, self._neighbours.tokens
        switches: Mapping[str, tuple[_Switch, _Switch]] = {
            "dns-frozen": (
                lambda: manager.freeze(is_frozen=True),
                lambda: manager.freeze(is_frozen=False),
            ),
            "provider-down": (
                lambda: self._set_provider(_unavailable),
                lambda: self._set_provider(None),
            ),
            "provider-hanging": (provider.is_hanging.set, provider.is_hanging.clear),
            "key-rotation": (self._rotate_key, _nothing),
            "entra-down": (
                lambda: setattr(entra, "fault", _unavailable),
                lambda: setattr(entra, "fault", None),
            ),
            "clock-ahead": (
                lambda: setattr(tokens, "skew_seconds", CLOCK_SKEW_SECONDS),
                lambda: setattr(tokens, "skew_seconds", 0),
            ),
            "clock-behind": (
                lambda: setattr(tokens, "skew_seconds", -CLOCK_SKEW_SECONDS),
                lambda: setattr(tokens, "skew_seconds", 0),
            ),
            "forged-traffic": (
                lambda: self._traffic.forge(FORGED_TIMES),
                lambda: self._traffic.forge(0),
            ),
            **{
                name: (self._graph_fault(make), self._graph_fault(Fault))
                for name, make in _graph_faults()
            },
        }
        return switches[name]

    def _graph_fault(self, make: Callable[[], Fault]) -> _Switch:
        return lambda: setattr(self._neighbours.graph, "standing_fault", make)

    def _set_provider(self, fault: Callable[[], Response] | None) -> None:
        provider = self._neighbours.provider
        provider.configuration_fault = fault
        provider.key_set_fault = fault

    def _rotate_key(self) -> None:
        """Publish a new key, then sign with it; the old one stays published."""
        provider, key = self._neighbours.provider, SigningKey()
        provider.keys = [key.jwk(), *provider.keys]
        self._neighbours.tokens.key = key


def _nothing() -> None:
    pass


def _unavailable() -> Response:
    return Response(status_code=503)


def _graph_faults() -> Iterator[tuple[str, Callable[[], Fault]]]:
    asked = count()

    def throttle() -> Fault:
        if next(asked) % 3 == 2:
            return Fault()
        wait = {"Retry-After": "1"}
        return Fault(reply=lambda: error_reply(429, "Throttled", "slow down", wait))

    yield "graph-slow", lambda: Fault(delay_seconds=GRAPH_SLOW_SECONDS)
    yield "graph-throttling", throttle
    yield (
        "graph-not-found",
        lambda: Fault(reply=lambda: error_reply(404, "8522", "Call not found.")),
    )
    yield (
        "graph-failing",
        lambda: Fault(reply=lambda: error_reply(503, "Unavailable", "try later")),
    )
