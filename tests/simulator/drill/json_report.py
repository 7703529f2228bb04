"""The report as JSON, with everything, for other programs."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from tests.simulator.drill.figures import figures_of
from tests.simulator.drill.scenario import ScenarioResult
from tests.simulator.drill.scenarios import SCENARIOS
from tests.simulator.services.traffic_manager import Profile

FORMAT = 2


def to_json(
    results: Sequence[ScenarioResult], *, environment: str, seconds: float
) -> dict[str, Any]:
    """Return the report; times are in seconds, counted from the start of the world."""
    return {
        "format": FORMAT,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": environment,
        "machine": {
            "cpus": os.process_cpu_count(),
            "python": platform.python_version(),
        },
        "trafficManager": asdict(Profile()),
        "isPassed": all(result.is_passed for result in results),
        "seconds": round(seconds, 1),
        "scenarios": [_scenario(result) for result in results],
    }


def _scenario(result: ScenarioResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "explanation": result.explanation,
        "isPassed": result.is_passed,
        "seconds": round(result.seconds, 1),
        "attemptsOfThePlatform": SCENARIOS[result.name].retries.attempts,
        "checks": [asdict(check) for check in result.checks],
        "phases": [asdict(phase) for phase in result.phases],
        "notes": result.notes,
        "figures": asdict(figures_of(result)),
        "events": [
            entry
            for entry in result.entries
            if not entry["kind"].startswith("call-") and entry["kind"] != "step-ended"
        ],
    }
