"""The log: one canonical line per request, and one line per event beside requests.

An event is logged by the next request, with the time when it happened.

The message itself is one line of JSON, because Application Insights' classic mode gets
message, level and category only (query with ``parse_json(message)``); the same fields
are in ``extra`` for OpenTelemetry. Ids are logged, cut at 64 characters and escaped by
JSON (a call id, which was vetted, whole); tokens, bodies, names and links never are.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from shared.core.context import LogFacts
from shared.core.defects import describe_defect
from shared.core.errors import WebhookError
from shared.core.outcomes import Taken
from shared.core.reasons import Reason
from shared.core.replies import Outcome
from shared.core.webhook import Correlation, WebhookRequest
from shared.edge.kept_events import KeptEvents
from shared.edge.line_limits import RefusalLine, RefusalLines
from shared.edge.log_fields import clip, fields_of_items, present
from shared.edge.log_levels import level_of

logger = logging.getLogger("calling")
_kept_events = KeptEvents()

# The worker's own loggers, as its ``proxy_worker.logging`` tells them from an app's:
# https://github.com/Azure/azure-functions-python-worker
WORKER_LOGGERS = ("azure.functions", "azure_functions_runtime", "proxy_worker")

_MAX_CALL_IDS = 20
# All that a line says of a request whose token was not accepted, beside reason, status
# and the place of a defect: nothing that was sent.
_ANONYMOUS_FIELDS = ("duration_ms", "region", "build")

# A line never contains itself, so that check is left out.
_encode = json.JSONEncoder(
    separators=(",", ":"), default=str, check_circular=False
).encode


class RequestLog:
    """Writes the canonical line of each request."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Limit the lines of strangers by ``clock`` (monotonic seconds)."""
        self._refusals = RefusalLines(clock)

    def write(
        self,
        request: WebhookRequest,
        correlation: Correlation,
        facts: LogFacts,
        outcome: Outcome,
        fields: Mapping[str, object],
    ) -> None:
        """Write everything about a request into one line.

        Where no token was accepted, little of it; and beyond ten such refusals a
        second of one reason, one line for many of them.

        Args:
            request: what came.
            correlation: its ids.
            facts: what was learnt about it.
            outcome: what it ended with.
            fields: more of it; those without a value are left out.
        """
        notes = facts.notes | _notes_of(outcome)
        level = level_of(outcome, notes)
        if not logger.isEnabledFor(level):
            return
        members: dict[str, object] = {
            "event": "notification.handled",
            "reason": outcome.reason,
            "status": int(outcome.status),
        }
        if isinstance(outcome, WebhookError) and outcome.is_anonymous:
            members |= {name: fields.get(name) for name in _ANONYMOUS_FIELDS}
            line = present({**members, **outcome.log_fields})
            self._refusals.add(outcome.reason, RefusalLine(level, line))
            self.write_refusals()
            return
        call_ids = facts.call_ids
        line = {
            **members,
            "decision": outcome.name,
            "next_step": outcome.reason.next_step,
            "invocation_id": request.invocation_id,
            "tenant_id": facts.tenant_id,
            "call_id": call_ids[0] if call_ids else None,
            "message_id": clip(correlation.message_id) or None,
            "scenario_id": clip(correlation.scenario_id) or None,
            "chain_id": clip(correlation.chain_id) or None,
            "partition": request.partition and clip(request.partition),
            "notes": sorted(notes) if notes else None,
            **fields_of_items(facts, outcome),
            **fields,
            **outcome.log_fields,
            "call_ids": call_ids[:_MAX_CALL_IDS] if len(call_ids) > 1 else None,
        }
        _log(level, present(line))

    def write_refusals(self) -> None:
        """Write the lines that are due of refusals that had none."""
        for level, line in self._refusals.due():
            _log(level, line)


def prepare_logging() -> None:
    """Make log lines of this process cheap: ours, and those of the worker library.

    Records leave out threads, processes and tasks. Functions shows none of them, and
    looking them up is a quarter of the cost of a line:
    https://docs.python.org/3/howto/logging.html#optimization

    The worker library logs two lines per invocation at INFO, which nobody reads: both
    travel to the host through the gRPC stream that replies take, too. Without them a
    request costs 0.7 ms instead of 1.25, and a process takes 2,080 refusals a second
    instead of 1,340, seen behind gRPC. Its warnings and errors are still logged.
    """
    logging.logThreads = False
    logging.logProcesses = False
    logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # since 3.12
    for name in WORKER_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_event(level: int, event: str, **fields: object) -> None:
    """Let the next request log an event; ``None`` is left out.

    May be called from any thread and task: nothing is logged here, because whatever is
    logged outside an invocation is lost. See ``kept_events``.
    """
    if logger.isEnabledFor(level):
        _kept_events.keep(level, event, present(fields))


def write_events() -> None:
    """Log the events so far. For requests, before their own line."""
    for level, line in _kept_events.take():
        _log(level, line)


def log_defect(event: str, defect: BaseException) -> None:
    """Log where a defect of ours is that met no request."""
    reason = Reason.UNEXPECTED_ERROR
    log_event(
        logging.ERROR,
        event,
        reason=reason.value,
        next_step=reason.next_step,
        **describe_defect(defect),
    )


def _log(level: int, line: Mapping[str, object]) -> None:
    """Log a line.

    The record is made here and not by ``logger.log``, which would look for its caller
    in the stack (always this line, so it is left out) and take the message for a format
    string.
    """
    message = _encode(line)
    record = logger.makeRecord(logger.name, level, "", 0, message, (), None)
    record.__dict__.update(line)
    logger.handle(record)


def _notes_of(outcome: Outcome) -> AbstractSet[Reason]:
    return outcome.notes if isinstance(outcome, Taken) else frozenset()
