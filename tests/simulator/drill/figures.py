"""What a scenario's events add up to: paths of calls, losses, hops, latencies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from tests.simulator.drill.scenario import ScenarioResult

_REDIRECTS = (302, 307)
# What the figures and the charts need; notifications and their headers stay out.
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
class CallPath:
    """One call: where it went, with times, and how it ended."""

    call_id: str
    caller: str
    placed_at_seconds: float
    outcome: str
    why: str | None
    region: str | None
    hops: int
    attempts: int
    answer_seconds: float
    steps: Sequence[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Seconds from the placing of a call to its answer, of one region's calls."""

    region: str
    calls: int
    median: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """How long after a fault in a region what happened, in seconds; None: never."""

    fault: str
    region: str
    injected_at_seconds: float
    traffic_manager: float | None
    peers: Mapping[str, float]
    last_lost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A scenario in figures."""

    calls: Sequence[CallPath]
    answered: int
    lost: Sequence[CallPath]
    refused: int
    redirects: int
    max_hops: int
    latencies: Sequence[Latency]
    detections: Sequence[Detection]


def relevant(entries: Iterable[Json]) -> list[Json]:
    """Leave out what no figure needs."""
    return [entry for entry in entries if _is_relevant(entry)]


def figures_of(result: ScenarioResult) -> Figures:
    """Add a scenario up."""
    paths = _paths(result.entries)
    answered = [path for path in paths if path.outcome == "answered"]
    lost = [path for path in paths if path.outcome == "lost"]
    return Figures(
        calls=paths,
        answered=len(answered),
        lost=lost,
        refused=sum(path.outcome == "refused" for path in paths),
        redirects=sum(
            step["status"] in _REDIRECTS for path in paths for step in path.steps
        ),
        max_hops=max((path.hops for path in paths), default=0),
        latencies=_latencies(answered),
        detections=_detections(result.entries, lost),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent do not exceed (nearest rank)."""
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
            # Follow-ups come later; the list is the same.
            taken = steps.setdefault(entry["call_id"], [])
            members = {name: entry[name] for name in _MEMBERS}
            paths.append(CallPath(**members, steps=taken))
    return paths


_MEMBERS = (
    "call_id",
    "caller",
    "placed_at_seconds",
    "outcome",
    "why",
    "region",
    "hops",
    "attempts",
    "answer_seconds",
)


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
    # A restart that nobody noticed is no fault that nobody found.
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
    struck = {e["region"] for e in entries if e["kind"] == "fault-injected"}
    for entry in meanwhile:
        if entry["kind"] != "log-written" or entry["line"].get("peer") != region:
            continue
        # One that was struck itself has other worries.
        if entry["region"] in struck:
            continue
        if entry["line"]["event"] == "peer.unhealthy":
            peers.setdefault(entry["region"], entry["seconds"] - at)
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
