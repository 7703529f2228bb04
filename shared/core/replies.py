"""Replies: the one place where a decision, a refusal or a health report becomes HTTP.

``docs/behaviour.md`` section 2 lists statuses and headers.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from shared.core.decisions import Accept, AskForGraph
from shared.core.errors import (
    BodyRefusedError,
    BodyTooLargeError,
    TokenRefusedError,
    WebhookError,
)
from shared.core.headers import is_safe_header_value
from shared.core.health import HealthReport
from shared.core.outcomes import Taken
from shared.core.redirects import RedirectTo
from shared.core.webhook import Correlation, WebhookReply

# What a request ends with: its rule, name, status and reason, and what the log adds.
type Outcome = AskForGraph | RedirectTo | Taken | Accept | WebhookError

# A kept connection sticks to one instance and no DNS change moves it; Microsoft's
# sample closes each one, too:
# https://github.com/microsoftgraph/microsoft-graph-comms-samples (PolicyRecordingBot)
# The host sends this Content-Type with empty replies anyway.
_EVERY_REPLY: Mapping[str, str] = {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "Connection": "close",
}
_JSON: Mapping[str, str] = {"Content-Type": "application/json"}

# Constant: whoever sent these has shown no token, and learns nothing from the reply.
_UNAUTHORIZED = WebhookReply(
    status=HTTPStatus.UNAUTHORIZED,
    headers={**_EVERY_REPLY, "WWW-Authenticate": "Bearer"},
)
_BODY_TOO_LARGE = WebhookReply(
    status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, headers=_EVERY_REPLY
)


def reply_to(outcome: Outcome, correlation: Correlation) -> WebhookReply:
    """Turn what a request ends with into its reply, which echoes the platform's ids."""
    match outcome:
        case TokenRefusedError():
            return _UNAUTHORIZED
        case BodyTooLargeError():
            return _BODY_TOO_LARGE
        case BodyRefusedError():
            return _reply(outcome.status, correlation, _JSON, _explain(outcome))
        case RedirectTo():
            location = {"Location": outcome.location}
            return _reply(outcome.status, correlation, location)
        case Taken(join_reply=dict() as reply):
            body = json.dumps(reply).encode()
            return _reply(outcome.status, correlation, _JSON, body)
        case _:
            retry = _retry_after(outcome.retry_after_seconds)
            return _reply(outcome.status, correlation, retry)


def health_reply(report: HealthReport) -> WebhookReply:
    """Turn a health report into its reply: 200 if calls can be taken, else 503."""
    status = HTTPStatus.OK if report.is_ok else HTTPStatus.SERVICE_UNAVAILABLE
    headers = {**_JSON, "Cache-Control": "no-store"}
    return WebhookReply(status, headers, json.dumps(report.members()).encode())


def _reply(
    status: int,
    correlation: Correlation,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> WebhookReply:
    echoes = _echoes(correlation)
    return WebhookReply(status, {**_EVERY_REPLY, **echoes, **headers}, body)


def _retry_after(seconds: int | None) -> Mapping[str, str]:
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _explain(error: BodyRefusedError) -> bytes:
    explanation = {"code": error.reason.value, "message": error.reason.cause}
    return json.dumps({"error": explanation}).encode()


def _echoes(correlation: Correlation) -> dict[str, str]:
    """Return the ids as the Graph Communications SDK sends them back."""
    echoes = {}
    if is_safe_header_value(correlation.message_id):
        echoes["Client-Request-Id"] = correlation.message_id
    scenario_id = correlation.scenario_id or correlation.chain_id
    if is_safe_header_value(scenario_id):
        echoes["Scenario-Id"] = scenario_id
    return echoes
