"""What a scenario's events amount to: paths of calls, losses, hops, latencies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import ceil
from typing import Any

from tests.simulator.drill.scenario import ScenarioResult
from tests.simulator.platform.calls import REDIRECTS
from tests.simulator.platform.events import CallEnded

# The events that the figures and charts need; notifications and headers are left out.
_KINDS = frozenset(
    {
        "call-placed",
        "step-ended",
        "call-ended",
        "probe-answered",
        "endpoint-changed",
        "region-changed",
        "fault-injected",
        "fault-healed",
        "rules-changed",
        "traffic-changed",
        "forged-refused",
    }
)
_LINES = ("peer.", "keys.")

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPath(CallEnded):
    """A call that has ended, with all its POSTs as JSON has them."""

    steps: Sequence[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long the calls of a region waited for their answer, in seconds."""

    region: str
    calls: int
    median: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What a fault in a region led to, in seconds after it; None: never."""

    fault: str
    region: str
    injected_at_seconds: float
    traffic_manager: float | None
    peers: Mapping[str, float]
    last_lost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of a scenario."""

    calls: Sequence[CallPath]
    answered: int
    rejected: int
    lost: Sequence[CallPath]
    refused: int
    redirects: int
    max_hops: int
    latencies: Sequence[Latency]
    detections: Sequence[Detection]


def relevant(entries: Iterable[Json]) -> list[Json]:
    """Return the events that a figure needs."""
    return [entry for entry in entries if _is_relevant(entry)]


def figures_of(result: ScenarioResult) -> Figures:
    """Compute the figures of a scenario."""
    paths = _paths(result.entries)
    answered = [path for path in paths if path.outcome == "answered"]
    lost = [path for path in paths if path.outcome == "lost"]
    return Figures(
        calls=paths,
        answered=len(answered),
        rejected=sum(path.outcome == "rejected" for path in paths),
        lost=lost,
        refused=sum(path.outcome == "refused" for path in paths),
        redirects=sum(
            step["status"] in REDIRECTS for path in paths for step in path.steps
        ),
        max_hops=max((path.hops for path in paths), default=0),
        latencies=_latencies(answered),
        detections=_detections(result.entries, lost),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that ``percent`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(percent / 100 * len(ordered)) - 1)]


def _is_relevant(entry: Json) -> bool:
    if entry["kind"] == "log-written":
        return str(entry["line"].get("event", "")).startswith(_LINES)
    return entry["kind"] in _KINDS


def _paths(entries: Iterable[Json]) -> list[CallPath]:
    steps: dict[str, list[Json]] = {}
    paths = []
    for entry in entries:
        if entry["kind"] == "step-ended":
            steps.setdefault(entry["call_id"], []).append(entry)
        elif entry["kind"] == "call-ended":
            # Follow-ups come later and are added to the same list.
            taken = steps.setdefault(entry["call_id"], [])
            members = {field.name: entry[field.name] for field in fields(CallEnded)}
            paths.append(CallPath(**members, steps=taken))
    return paths


def _latencies(answered: Sequence[CallPath]) -> list[Latency]:
    by_region: dict[str, list[float]] = {}
    for path in answered:
        by_region.setdefault(path.region or "?", []).append(path.answer_seconds)
    return [
        Latency(
            region=region,
            calls=len(seconds),
            median=percentile(seconds, 50),
            p95=percentile(seconds, 95),
            p99=percentile(seconds, 99),
            longest=max(seconds),
        )
        for region, seconds in sorted(by_region.items())
    ]


def _detections(entries: Sequence[Json], lost: Sequence[CallPath]) -> list[Detection]:
    found = [
        _detection(entry, entries, lost)
        for entry in entries
        if entry["kind"] == "fault-injected" and entry["region"] is not None
    ]
    # A restart that nobody noticed is not a fault that was missed.
    return [d for d in found if d.traffic_manager or d.peers or d.last_lost]


def _detection(
    fault: Json, entries: Sequence[Json], lost: Sequence[CallPath]
) -> Detection:
    at, region = fault["seconds"], fault["region"]
    healed_at = next(
        (
            entry["seconds"]
            for entry in entries
            if entry["kind"] == "fault-healed"
            and (entry["fault"], entry["region"]) == (fault["fault"], region)
        ),
        float("inf"),
    )
    meanwhile = [entry for entry in entries if at <= entry["seconds"] <= healed_at]
    degraded = [
        entry["seconds"] - at
        for entry in meanwhile
        if entry["kind"] == "endpoint-changed"
        and (entry["region"], entry["status"]) == (region, "degraded")
    ]
    peers: dict[str, float] = {}
    faulty = {e["region"] for e in entries if e["kind"] == "fault-injected"}
    for entry in meanwhile:
        if entry["kind"] != "log-written" or entry["line"].get("peer") != region:
            continue
        # A region that has a fault itself says nothing about the others.
        if entry["region"] in faulty:
            continue
        if entry["line"]["event"] == "peer.unhealthy":
            seconds = entry["seconds"] - entry.get("late_by_seconds", 0.0)
            peers.setdefault(entry["region"], seconds - at)
    lost_since = [
        path.placed_at_seconds - at
        for path in lost
        if at <= path.placed_at_seconds <= healed_at
    ]
    return Detection(
        fault=fault["fault"],
        region=region,
        injected_at_seconds=at,
        traffic_manager=min(degraded, default=None),
        peers=peers,
        last_lost=max(lost_since, default=None),
    )
