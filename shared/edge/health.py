"""The health report: for Traffic Manager's probe and for a person's look.

Shallow on purpose: settings usable and keys held. It never asks other regions, or one
region's outage would take out all of them.
"""

import json
from http import HTTPStatus

from shared.core.transport import WebhookReply
from shared.edge.signing_keys import Freshness
from shared.settings import SettingsReport

_HEADERS = {"Cache-Control": "no-store", "Content-Type": "application/json"}


def health_reply(report: SettingsReport, keys: Freshness) -> WebhookReply:
    """Build the reply: 200 if this deployment can take calls, else 503."""
    is_ok = report.settings is not None and keys != "none"
    body = {
        "status": "ok" if is_ok else "unavailable",
        "region": report.region,
        "keys": keys,
        "problems": report.problems,
        "warnings": report.warnings,
    }
    return WebhookReply(
        status=HTTPStatus.OK if is_ok else HTTPStatus.SERVICE_UNAVAILABLE,
        headers=_HEADERS,
        body=json.dumps(body).encode(),
    )
