"""The log: one canonical line per request, and one line per event beside requests.

The message itself is one line of JSON, because Application Insights' classic mode gets
message, level and category only (query with ``parse_json(message)``); the same fields
are in ``extra`` for OpenTelemetry. Ids are logged, cut at 64 characters and escaped by
JSON; tokens, bodies, names and links never are.
"""

import json
import logging
from collections.abc import Collection, Mapping

from shared.core.decisions import Trail
from shared.core.reasons import NOTHING, Reason

logger = logging.getLogger("calling")

_MAX_TEXT = 64
_MAX_CALL_IDS = 20
_ALARMING = frozenset(
    {
        Reason.REDIRECT_SUPPRESSED,
        Reason.REGION_UNHEALTHY,
        Reason.UNREADABLE_ITEM,
    }
)
# Of the calling platform, for its support: header name by field.
_CORRELATION_HEADERS = {
    "chain_id": "x-microsoft-skype-chain-id",
    "message_id": "x-microsoft-skype-message-id",
    "scenario_id": "scenario-id",
}
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


def log_event(level: int, event: str, **fields: object) -> None:
    """Log ``event`` with its fields; fields without a value are left out."""
    if logger.isEnabledFor(level):
        present: dict[str, object] = {"event": event}
        present.update((k, v) for k, v in fields.items() if v is not None)
        # The JSON is no format string: it goes in as an argument.
        logger.log(level, "%s", _encode(present), extra=present)


def correlation_of(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the platform's correlation ids that a request has, cut to a bound."""
    found = {}
    for field, name in _CORRELATION_HEADERS.items():
        if value := headers.get(name):
            found[field] = clip(value)
    return found


def clip(text: str) -> str:
    """Cut a text of a caller's choosing before it is logged."""
    return text[:_MAX_TEXT]


def log_request(trail: Trail, *, reason: Reason, status: int, **fields: object) -> None:
    """Log the canonical line of a request: everything about it, in one place."""
    notes = sorted(trail.notes)
    call_ids = trail.call_ids
    log_event(
        _level_of(reason, status, notes),
        "notification.handled",
        reason=reason,
        status=int(status),
        tenant_id=trail.tenant_id,
        call_id=call_ids[0] if call_ids else None,
        call_ids=call_ids[:_MAX_CALL_IDS] if len(call_ids) > 1 else None,
        notes=notes or None,
        next_step=None if reason.cure is NOTHING else reason.cure,
        **fields,
    )


def _level_of(reason: Reason, status: int, notes: Collection[Reason]) -> int:
    """Return the level of a request's line: what went wrong is easy to find."""
    if status >= 500 or reason is Reason.ANSWER_REFUSED:  # noqa: PLR2004 - RFC 9110
        return logging.ERROR
    if status >= 400 or not _ALARMING.isdisjoint(notes):  # noqa: PLR2004
        return logging.WARNING
    return logging.INFO
