"""HTTP as plain data: what a request is to the rules, and the replies they give.

Knows the contract's reply headers; knows neither Azure Functions nor sockets.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple, Self

from shared.core.errors import (
    BodyRefusedError,
    BodyTooLargeError,
    TokenRefusedError,
    WebhookError,
)

MAX_BODY_BYTES = 1024 * 1024

_MAX_ECHO = 256

# A kept connection sticks to one instance and no DNS change moves it; Microsoft's
# sample closes each one, too:
# https://github.com/microsoftgraph/microsoft-graph-comms-samples (PolicyRecordingBot)
# The Content-Type is what the host sends in any case where a reply has no body.
# It comes first because the worker library looks for it.
_EVERY_REPLY = {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "Connection": "close",
}


class Correlation(NamedTuple):
    """The platform's ids of a POST, as sent; empty where it has none.

    https://github.com/microsoftgraph/microsoft-graph-comms-samples/issues/664
    """

    message_id: str
    scenario_id: str
    chain_id: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """Read the ids that replies echo and the log shows."""
        return cls(
            headers.get("x-microsoft-skype-message-id", ""),
            headers.get("scenario-id", ""),
            headers.get("x-microsoft-skype-chain-id", ""),
        )


class WebhookRequest(NamedTuple):
    """One POST of the calling platform.

    Attributes:
        url: as the host gives it; only its query is read.
        headers: names in lower case, or a mapping that ignores case.
        body: the bytes as received, undecoded.
        partition: of the callback route; ``None`` on the calling webhook.
        invocation_id: the host's id of this invocation, for the log.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    partition: str | None = None
    invocation_id: str = ""

    @property
    def raw_query(self) -> str:
        """The query as sent: Functions' own ``params`` drop empty values."""
        return self.url.partition("?")[2].partition("#")[0]


class WebhookReply(NamedTuple):
    """What goes back: status, headers and a body (``None``: no body)."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None = None


def reply_to(
    correlation: Correlation,
    status: int,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> WebhookReply:
    """Make a reply that carries the contract's headers and echoes the ids."""
    return WebhookReply(
        status=status,
        headers={**_EVERY_REPLY, **_echoes(correlation), **(headers or {})},
        body=body,
    )


def refusal_of(correlation: Correlation, error: WebhookError) -> WebhookReply:
    """Turn a refusal into its reply: ``401`` and ``413`` are constant."""
    match error:
        case TokenRefusedError():
            return _UNAUTHORIZED
        case BodyTooLargeError():
            return _BODY_TOO_LARGE
        case BodyRefusedError():
            json_type = {"Content-Type": "application/json"}
            return reply_to(correlation, error.status, json_type, _explain(error))
        case _:
            wait = error.retry_after_seconds
            headers = {} if wait is None else {"Retry-After": str(wait)}
            return reply_to(correlation, error.status, headers)


_UNAUTHORIZED = WebhookReply(
    status=HTTPStatus.UNAUTHORIZED,
    headers={**_EVERY_REPLY, "WWW-Authenticate": "Bearer"},
)
_BODY_TOO_LARGE = WebhookReply(
    status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, headers=_EVERY_REPLY
)


def _explain(error: WebhookError) -> bytes:
    explanation = {"code": error.reason.value, "message": error.reason.cause}
    return json.dumps({"error": explanation}).encode()


def _echoes(correlation: Correlation) -> dict[str, str]:
    """Return the ids as the Graph Communications SDK sends them back."""
    echoes = {}
    if _is_safe_header_value(correlation.message_id):
        echoes["Client-Request-Id"] = correlation.message_id
    scenario_id = correlation.scenario_id or correlation.chain_id
    if _is_safe_header_value(scenario_id):
        echoes["Scenario-Id"] = scenario_id
    return echoes


def _is_safe_header_value(value: str) -> bool:
    """Tell whether a value may be sent back: printable ASCII, bounded, not padded."""
    return (
        0 < len(value) <= _MAX_ECHO
        and value.isascii()
        and value.isprintable()
        and value.strip() == value
    )
