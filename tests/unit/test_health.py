"""shared.core.health: shallow, and never about others."""

import json
from typing import Any

import pytest

from shared.core.health import HealthReport, KeyFreshness
from shared.core.replies import health_reply
from shared.settings import read_settings
from tests.simulator.services.signing import APP_ID

GOOD = {"MicrosoftAppId": APP_ID, "CALLING_ANSWER": "false"}


def report_with(keys: KeyFreshness, **changes: str) -> tuple[int, dict[str, Any]]:
    """Return status and body of the report for good settings, but for the changes."""
    report = read_settings({**GOOD, **changes})
    reply = health_reply(
        HealthReport(report.region, keys, report.problems, report.warnings)
    )
    assert b"secret-value" not in (reply.body or b"")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    return reply.status, json.loads(reply.body or b"")


@pytest.mark.parametrize(
    ("keys", "status", "word"),
    [("fresh", 200, "ok"), ("stale", 200, "ok"), ("none", 503, "unavailable")],
)
def test_keys_decide_while_settings_are_usable(
    keys: KeyFreshness, status: int, word: str
) -> None:
    """Stale keys still let calls in."""
    assert report_with(keys) == (
        status,
        {
            "status": word,
            "region": "",
            "build": "dev",
            "keys": keys,
            "problems": [],
            "warnings": [],
            "answering": "unknown",
            "notices": [],
        },
    )


def test_problems_are_listed_and_make_it_unavailable() -> None:
    """They name the setting, but never its value."""
    status, body = report_with("none", CALLING_CLOUD="secret-value")

    assert (status, body["status"]) == (503, "unavailable")
    assert body["problems"] == ["CALLING_CLOUD: must be one of public, gcc-high, dod."]


def test_warnings_are_listed_and_change_nothing() -> None:
    """An unknown setting may belong to newer code."""
    status, body = report_with("fresh", CALLING_NEW="secret-value")

    assert (status, body["warnings"]) == (200, ["CALLING_NEW: unknown setting."])


def test_the_region_is_named() -> None:
    """It shows people where Traffic Manager led them."""
    hosts = json.dumps({"weu": "weu.example"})
    _status, body = report_with(
        "fresh", CALLING_REGION="weu", CALLING_REGION_HOSTS=hosts
    )

    assert body["region"] == "weu"
