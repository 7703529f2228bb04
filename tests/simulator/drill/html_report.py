"""The report as one HTML file with charts, light and dark.

The page has no script and loads nothing.
"""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from tests.simulator.drill.charts import latency_chart, timeline_chart
from tests.simulator.drill.text_report import after

_TEMPLATE = Path(__file__).with_name("report.html")

type Json = Mapping[str, Any]


def to_html(report: Json) -> str:
    """Return the page for a report of ``json_report``."""
    scenarios = report["scenarios"]
    passed = sum(scenario["isPassed"] for scenario in scenarios)
    template = Template(_TEMPLATE.read_text("utf-8"))
    return template.substitute(
        title=escape(f"Drill of {report['environment']}, {report['at']}"),
        outcome="passed" if report["isPassed"] else "failed",
        summary=escape(
            f"{passed} of {len(scenarios)} scenarios passed in "
            f"{report['seconds']:.0f} s on {report['machine']['cpus']} CPUs."
        ),
        overview="\n".join(map(_overview_row, scenarios)),
        scenarios="\n".join(map(_section, scenarios)),
    )


def _overview_row(scenario: Json) -> str:
    figures = scenario["figures"]
    name = escape(scenario["name"])
    cells = [
        f'<th scope="row"><a href="#{name}">{escape(scenario["title"])}</a></th>',
        _cell(_outcome(scenario["isPassed"])),
        _number(f"{scenario['seconds']:.0f}"),
        _number(len(figures["calls"])),
        _number(figures["answered"]),
        _number(figures["rejected"]),
        _number(len(figures["lost"])),
        _number(figures["refused"]),
        _number(figures["redirects"]),
        _number(figures["max_hops"]),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _section(scenario: Json) -> str:
    figures = scenario["figures"]
    parts = [
        f'<section id="{escape(scenario["name"])}">',
        f"<h2>{escape(scenario['title'])} {_outcome(scenario['isPassed'])}</h2>",
        f"<p>{escape(scenario['explanation'])}</p>",
        f"<p class=quiet>{_platform(scenario)}</p>",
        _checks(scenario["checks"]),
    ]
    if figures["calls"]:
        parts.append(timeline_chart(scenario))
        parts.append(latency_chart(figures["latencies"]))
    parts.append(_notes(scenario["notes"]))
    parts.append(_detections(figures["detections"]))
    parts.append(_calls("Calls that were not answered", figures["lost"], is_open=True))
    parts.append(_calls("All calls", figures["calls"], is_open=False))
    parts.append("</section>")
    return "\n".join(part for part in parts if part)


def _platform(scenario: Json) -> str:
    if scenario["attemptsOfThePlatform"] == 1:
        return "The platform announces each call once."
    return "After no reply or 503 the platform announces a call again (assumed)."


def _checks(checks: list[Json]) -> str:
    rows = [
        f"<li class={'ok' if check['is_met'] else 'bad'}>"
        f"{escape(check['sentence'])}"
        f"<span class=quiet> {escape(check['found'])}</span></li>"
        for check in checks
    ]
    return f"<ul class=checks>{''.join(rows)}</ul>"


def _notes(notes: Json) -> str:
    if not notes:
        return ""
    rows = [
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in notes.items()
    ]
    return f"<dl>{''.join(rows)}</dl>"


def _detections(detections: list[Json]) -> str:
    if not detections:
        return ""
    rows = []
    for found in detections:
        peers = ", ".join(
            f"{code} {after(seconds)}" for code, seconds in found["peers"].items()
        )
        cells = [
            f'<th scope="row">{escape(found["fault"])} {escape(found["region"])}</th>',
            _cell(after(found["traffic_manager"])),
            _cell(escape(peers) or "never"),
            _cell(after(found["last_lost"])),
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = _head("fault", "Traffic Manager", "other regions", "last call lost")
    return f"<h3>Time to detect</h3><table>{head}{''.join(rows)}</table>"


def _calls(title: str, calls: list[Json], *, is_open: bool) -> str:
    if not calls:
        return ""
    rows = "".join(map(_call_row, calls))
    head = _head("at s", "caller", "outcome", "region", "hops", "ms", "path")
    attribute = " open" if is_open else ""
    return (
        f"<details{attribute}><summary>{title}: {len(calls)}</summary>"
        f"<table class=calls>{head}{rows}</table></details>"
    )


def _call_row(call: Json) -> str:
    outcome = (
        call["outcome"] if not call["why"] else f"{call['outcome']}: {call['why']}"
    )
    cells = [
        _number(f"{call['placed_at_seconds']:.1f}"),
        _cell(escape(call["caller"])),
        f"<td class={escape(call['outcome'])}>{escape(outcome)}</td>",
        _cell(escape(call["region"] or "")),
        _number(call["hops"]),
        _number(f"{call['answer_seconds'] * 1000:.0f}"),
        _cell(" → ".join(_steps(call["steps"]))),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _steps(steps: list[Json]) -> Iterator[str]:
    for step in steps:
        reply = escape(str(step["status"] or step["error"]))
        region = escape(step["region"] or "?")
        milliseconds = f"{step['took_seconds'] * 1000:.0f}"
        title = escape(f"{step['what']}: {step['url']}, {milliseconds} ms", quote=True)
        yield f'<span title="{title}">{escape(step["what"])} {region} {reply}</span>'


def _head(*names: str) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return f"<thead><tr>{cells}</tr></thead>"


def _cell(html: str) -> str:
    return f"<td>{html}</td>"


def _number(value: object) -> str:
    return f"<td class=number>{escape(str(value))}</td>"


def _outcome(is_passed: bool) -> str:
    word, style = ("passed", "ok") if is_passed else ("failed", "bad")
    return f"<span class={style}>{word}</span>"
