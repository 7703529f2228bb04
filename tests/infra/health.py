"""The health report that the gate of the roll-out reads, made by the app's own code."""

import json

from shared.core.health import HealthReport, KeyFreshness
from shared.core.replies import health_reply
from shared.settings import read_settings
from tests.simulator.services.signing import APP_ID
from tests.support.servers import reply

CODES = ("weu", "eus2", "sea")


def health(code: str = "weu", keys: KeyFreshness = "fresh", **settings: str) -> bytes:
    """Return the report of a region with these settings, as an HTTP reply."""
    environ = {
        "MicrosoftAppId": APP_ID,
        "CALLING_ANSWER": "false",
        "CALLING_REGION": code,
        "CALLING_REGION_HOSTS": json.dumps({c: f"{c}.example" for c in CODES}),
    }
    report = read_settings({**environ, **settings})
    answer = health_reply(
        HealthReport(report.region, keys, report.problems, report.warnings)
    )
    return reply(answer.status, answer.body or b"", Content_Type="application/json")
