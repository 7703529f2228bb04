"""What the environment tells the journal: regions, faults, rules, traffic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionChanged:
    """The process of a region is now starting, running, hanging or stopped."""

    region: str
    state: str
    pid: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWritten:
    """A region wrote a line to its log; ``call_id`` if the line names a call.

    What threads notice is logged by the region's next request, ``late_by_seconds``
    after it happened.
    """

    region: str
    call_id: str | None
    line: Mapping[str, Any]
    late_by_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjected:
    """A fault of ``faults.FAULTS`` was turned on, for one region or for all."""

    fault: str
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultHealed:
    """A fault was turned off."""

    fault: str
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChanged:
    """The regions now run with these rules; ``region`` if only one does."""

    region: str | None
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficChanged:
    """The rates at which honest and forged calls are now placed."""

    calls_per_second: float
    forged_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgedRefused:
    """How many forged POSTs got which status since the last such event."""

    statuses: Mapping[str, int]
