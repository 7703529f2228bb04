"""shared.core.health: shallow, and never about others."""

import json

import pytest

from shared.core.health import HealthReport, KeyFreshness
from shared.core.replies import health_reply
from shared.core.webhook import WebhookReply
from shared.settings import read_settings
from tests.simulator.services.signing import APP_ID

GOOD = {"MicrosoftAppId": APP_ID, "CALLING_ANSWER": "false"}


def reply_with(keys: KeyFreshness, **changes: str) -> WebhookReply:
    """Return the reply for settings that are good but for the changes."""
    report = read_settings({**GOOD, **changes})
    return health_reply(
        HealthReport(report.region, keys, report.problems, report.warnings)
    )


@pytest.mark.parametrize(
    ("keys", "status", "word"),
    [
        ("fresh", 200, "ok"),
        ("stale", 200, "ok"),
        ("none", 503, "unavailable"),
    ],
)
def test_keys_decide_while_settings_are_usable(
    keys: KeyFreshness, status: int, word: str
) -> None:
    """Stale keys still let calls in."""
    reply = reply_with(keys)

    assert reply.status == status
    assert json.loads(reply.body or b"") == {
        "status": word,
        "region": "",
        "keys": keys,
        "problems": [],
        "warnings": [],
        "notices": [],
    }
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"


def test_problems_are_listed_and_make_it_unavailable() -> None:
    """They name the setting, but never its value."""
    reply = reply_with("none", CALLING_CLOUD="secret-value")
    body = json.loads(reply.body or b"")

    assert reply.status == 503
    assert body["status"] == "unavailable"
    assert body["problems"] == ["CALLING_CLOUD: must be one of public, gcc-high, dod."]
    assert b"secret-value" not in (reply.body or b"")


def test_warnings_are_listed_and_change_nothing() -> None:
    """An unknown setting may belong to newer code."""
    reply = reply_with("fresh", CALLING_NEW="secret-value")

    assert reply.status == 200
    body = json.loads(reply.body or b"")
    assert body["warnings"] == ["CALLING_NEW: unknown setting."]


def test_the_region_is_named() -> None:
    """It shows people where Traffic Manager led them."""
    hosts = json.dumps({"weu": "weu.example"})
    reply = reply_with("fresh", CALLING_REGION="weu", CALLING_REGION_HOSTS=hosts)
    body = json.loads(reply.body or b"")
    assert body["region"] == "weu"
