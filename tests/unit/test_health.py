"""shared.edge.health: shallow, and never about others."""

import json

import pytest

from shared.edge.health import health_reply
from shared.edge.signing_keys import Freshness
from shared.settings import SettingsReport, read_settings

APP_ID = "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10"
GOOD = {"MicrosoftAppId": APP_ID, "CALLING_ANSWER": "false"}


def report(**changes: str) -> SettingsReport:
    """Return the report about settings that are good but for the changes."""
    return read_settings({**GOOD, **changes})


@pytest.mark.parametrize(
    ("keys", "status", "word"),
    [
        ("fresh", 200, "ok"),
        ("stale", 200, "ok"),
        ("none", 503, "unavailable"),
    ],
)
def test_keys_decide_while_settings_are_usable(
    keys: Freshness, status: int, word: str
) -> None:
    """Old keys still let calls in."""
    reply = health_reply(report(), keys)

    assert reply.status == status
    assert json.loads(reply.body or b"") == {
        "status": word,
        "region": "",
        "keys": keys,
        "problems": [],
        "warnings": [],
    }
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"


def test_problems_are_listed_and_make_it_unavailable() -> None:
    """By name and sentence, never by value."""
    reply = health_reply(report(CALLING_CLOUD="secret-value"), "none")
    body = json.loads(reply.body or b"")

    assert reply.status == 503
    assert body["status"] == "unavailable"
    assert body["problems"] == ["CALLING_CLOUD: must be one of public, gcc-high, dod."]
    assert b"secret-value" not in (reply.body or b"")


def test_warnings_are_listed_and_change_nothing() -> None:
    """An unknown setting may belong to newer code."""
    reply = health_reply(report(CALLING_NEW="secret-value"), "fresh")

    assert reply.status == 200
    body = json.loads(reply.body or b"")
    assert body["warnings"] == ["CALLING_NEW: unknown setting."]


def test_the_region_is_named() -> None:
    """So that a person sees where Traffic Manager led."""
    hosts = json.dumps({"weu": "weu.example"})
    settings = report(CALLING_REGION="weu", CALLING_REGION_HOSTS=hosts)
    body = json.loads(health_reply(settings, "fresh").body or b"")
    assert body["region"] == "weu"
