"""The log: one canonical line per request, and one line per event beside requests.

The message itself is one line of JSON, because Application Insights' classic mode gets
message, level and category only (query with ``parse_json(message)``); the same fields
are in ``extra`` for OpenTelemetry. Ids are logged, cut at 64 characters and escaped by
JSON (a call id, which was vetted, whole); tokens, bodies, names and links never are.
"""

import json
import logging
from collections.abc import Callable, Mapping

from shared.core.decisions import Trail
from shared.core.reasons import NOTHING, Reason
from shared.core.transport import Correlation, WebhookRequest

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


def build_encode() -> Callable[[Mapping[str, object]], str]:
    """Build what turns a line into JSON: an encoder, made once.

    ``JSONEncoder.encode`` makes its encoder in C anew for every line, which takes as
    long as to use it. Python without one is served by ``encode`` itself.
    """
    plain = json.JSONEncoder(separators=(",", ":"), default=str, check_circular=False)
    make_encoder = getattr(json.encoder, "c_make_encoder", None)
    if make_encoder is None:
        return plain.encode
    iterate = make_encoder(
        None,
        plain.default,
        json.encoder.encode_basestring_ascii,
        plain.indent,
        plain.key_separator,
        plain.item_separator,
        plain.sort_keys,
        plain.skipkeys,
        plain.allow_nan,
    )
    return lambda line: "".join(iterate(line, 0))


_encode = build_encode()


def shorten_records() -> None:
    """Leave threads, processes and tasks out of the log records of this process.

    Functions shows none of them, and looking them up is a quarter of the cost of a
    line: https://docs.python.org/3/howto/logging.html#optimization
    """
    logging.logThreads = False
    logging.logProcesses = False
    logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # since 3.12


def log_event(level: int, event: str, **fields: object) -> None:
    """Log an event that belongs to no request; ``None`` is left out."""
    if logger.isEnabledFor(level):
        present = {name: value for name, value in fields.items() if value is not None}
        _log(level, {"event": event, **present})


def log_request(
    request: WebhookRequest,
    correlation: Correlation,
    trail: Trail,
    *,
    reason: Reason,
    status: int,
    fields: Mapping[str, object],
) -> None:
    """Log the canonical line of a request: everything about it, in one place.

    Args:
        request: what came.
        correlation: its ids.
        trail: what was learnt about it.
        reason: why it got its reply.
        status: of the reply.
        fields: more of it; those without a value are left out.
    """
    level = _level_of(reason, status, trail.notes)
    if not logger.isEnabledFor(level):
        return
    facts = {
        "event": "notification.handled",
        "reason": reason,
        "status": status,
        "next_step": None if reason.cure is NOTHING else reason.cure,
        "invocation_id": request.invocation_id,
        "tenant_id": trail.tenant_id,
        "call_id": trail.call_ids[0] if trail.call_ids else None,
        "message_id": correlation.message_id[:_MAX_TEXT] or None,
        "scenario_id": correlation.scenario_id[:_MAX_TEXT] or None,
        "chain_id": correlation.chain_id[:_MAX_TEXT] or None,
        "partition": request.partition and clip(request.partition),
        "notes": sorted(trail.notes) if trail.notes else None,
        **fields,
    }
    line = {name: value for name, value in facts.items() if value is not None}
    if len(trail.call_ids) > 1:
        line["call_ids"] = trail.call_ids[:_MAX_CALL_IDS]
    _log(level, line)


def clip(text: str) -> str:
    """Cut a text of somebody else's choosing before it is logged."""
    return text[:_MAX_TEXT]


def _log(level: int, line: dict[str, object]) -> None:
    """Log a line.

    The record is made here and not by ``logger.log``, which would look for its caller
    in the stack (always this line) and take the message for a format string.
    """
    message = _encode(line)
    record = logger.makeRecord(logger.name, level, __file__, 0, message, (), None)
    record.__dict__.update(line)
    logger.handle(record)


def _level_of(reason: Reason, status: int, notes: set[Reason]) -> int:
    """Return the level of a request's line: what went wrong is easy to find."""
    if status >= 500 or reason is Reason.ANSWER_REFUSED:  # noqa: PLR2004 - RFC 9110
        return logging.ERROR
    if status >= 400 or (notes and not _ALARMING.isdisjoint(notes)):  # noqa: PLR2004
        return logging.WARNING
    return logging.INFO
