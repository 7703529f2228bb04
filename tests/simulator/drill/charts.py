"""Charts as inline SVG; the page sets their colours, for light and dark."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

_WIDTH = 900
_LEFT = 60
_LANE = 44
_TOP = 26
_BOTTOM = 24
_BAR = 22
_MIN_SECONDS = 1.0
_TICKS = 8

type Json = Mapping[str, Any]


def timeline_chart(scenario: Json) -> str:
    """Draw calls over time: a lane for each region, one for calls nobody answered.

    Within a lane, higher means slower. Phases are marked at the top, and what Traffic
    Manager found at the bottom.
    """
    calls = scenario["figures"]["calls"]
    start = min(call["placed_at_seconds"] for call in calls)
    end = max(call["placed_at_seconds"] + call["answer_seconds"] for call in calls)
    lanes = sorted({call["region"] or "" for call in calls}, key=lambda r: (not r, r))
    height = _TOP + _LANE * len(lanes) + _BOTTOM
    scale = _Scale(start, max(end - start, _MIN_SECONDS))
    parts = [
        *_lanes(lanes),
        *_ticks(scale, height),
        *_phases(scenario["phases"], scale, height),
        *_endpoints(scenario["events"], scale, height),
        *_dots(calls, lanes, scale),
    ]
    label = f"Calls over time: {len(calls)} calls in {scale.seconds:.0f} seconds"
    return _svg(height, label, parts)


def latency_chart(latencies: Sequence[Json]) -> str:
    """Draw the median, 95th and 99th percentile of each region as bars."""
    if not latencies:
        return ""
    longest = max(latency["p99"] for latency in latencies) or _MIN_SECONDS
    height = _BAR * len(latencies) + 8
    parts = []
    for row, latency in enumerate(latencies):
        y = row * _BAR + 4
        parts.append(_text(4, y + 15, latency["region"]))
        for name in ("p99", "p95", "median"):
            width = max(1.0, (_WIDTH - _LEFT - 260) * latency[name] / longest)
            parts.append(
                f'<rect class="bar {name}" x="{_LEFT}" y="{y + 3}" '
                f'width="{width:.1f}" height="{_BAR - 8}"/>'
            )
        figures = " / ".join(
            f"{latency[name] * 1000:.0f}" for name in ("median", "p95", "p99")
        )
        text = f"{figures} ms, {latency['calls']} calls"
        parts.append(_text(_WIDTH - 250, y + 15, text))
    return _svg(height, "Latency by region: median, 95th, 99th percentile", parts)


class _Scale:
    """Converts seconds to pixels."""

    def __init__(self, start: float, seconds: float) -> None:
        self.start = start
        self.seconds = seconds

    def x(self, second: float) -> float:
        share = (second - self.start) / self.seconds
        return _LEFT + (_WIDTH - _LEFT - 12) * min(max(share, 0.0), 1.0)


def _lanes(lanes: Sequence[str]) -> Iterator[str]:
    for number, region in enumerate(lanes):
        y = _TOP + _LANE * number
        yield (
            f'<rect class="lane" x="{_LEFT}" y="{y + 2}" '
            f'width="{_WIDTH - _LEFT}" height="{_LANE - 4}"/>'
        )
        yield _text(4, y + _LANE / 2 + 4, region or "nobody")


def _ticks(scale: _Scale, height: int) -> Iterator[str]:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if scale.seconds / s <= _TICKS)
    for number in range(int(scale.seconds / step) + 1):
        x = scale.x(scale.start + number * step)
        yield _text(x, height - 6, f"{number * step} s", style="tick")


def _phases(phases: Sequence[Json], scale: _Scale, height: int) -> Iterator[str]:
    for number, phase in enumerate(phases):
        x = scale.x(phase["seconds"])
        yield (
            f'<line class="phase" x1="{x:.1f}" x2="{x:.1f}" '
            f'y1="{_TOP - 6}" y2="{height - _BOTTOM}"/>'
        )
        is_last = x > _WIDTH - _LEFT
        style = "phase last" if is_last else "phase"
        x += -3 if is_last else 3
        yield _text(x, 10 + 10 * (number % 2), phase["name"], style=style)


def _endpoints(events: Sequence[Json], scale: _Scale, height: int) -> Iterator[str]:
    for event in events:
        if event["kind"] != "endpoint-changed":
            continue
        x = scale.x(event["seconds"])
        title = f"Traffic Manager: {event['region']} {event['status']}"
        yield (
            f'<path class="endpoint {escape(event["status"])}" '
            f'd="M{x:.1f} {height - _BOTTOM} l5 9 h-10 z">'
            f"<title>{escape(title)}</title></path>"
        )


def _dots(calls: Sequence[Json], lanes: Sequence[str], scale: _Scale) -> Iterator[str]:
    slowest = max(call["answer_seconds"] for call in calls) or _MIN_SECONDS
    for call in calls:
        lane = lanes.index(call["region"] or "")
        rise = (_LANE - 14) * call["answer_seconds"] / slowest
        y = _TOP + _LANE * (lane + 1) - 7 - rise
        title = (
            f"{call['caller']}: {call['outcome']} {call['why'] or ''} "
            f"{call['answer_seconds'] * 1000:.0f} ms, {call['hops']} hops"
        )
        yield (
            f'<circle class="{escape(call["outcome"])}" '
            f'cx="{scale.x(call["placed_at_seconds"]):.1f}" cy="{y:.1f}" r="3">'
            f"<title>{escape(title)}</title></circle>"
        )


def _text(x: float, y: float, text: str, *, style: str = "label") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _svg(height: int, label: str, parts: Sequence[str]) -> str:
    return (
        f'<div class="scroll"><svg viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg></div>'
    )
