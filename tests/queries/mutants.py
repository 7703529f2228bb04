"""Mistakes that the checks must notice, in the lines and in the queries.

A mistake in the lines is one that a change of the product could make: a field with
another name, another code, another unit.
"""

import re
from typing import NamedTuple


class LineMutant(NamedTuple):
    """``pattern`` of each line is replaced; the check of ``query`` must fail."""

    query: str
    pattern: str
    replacement: str

    def __str__(self) -> str:
        return f"{self.query}: {self.pattern}"

    def mutate(self, text: str) -> str:
        return re.sub(self.pattern, self.replacement, text)


class QueryMutant(NamedTuple):
    """``old`` of a query is replaced by ``new``; its check must fail."""

    query: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.query}: {self.old}"


def renamed(query: str, field: str) -> LineMutant:
    """Return the mistake that a field has another name."""
    return LineMutant(query, f'"{field}":', f'"{field}_":')


def recoded(query: str, code: str) -> LineMutant:
    """Return the mistake that a reason or an event is told by another code."""
    return LineMutant(query, f'"{code}"', f'"{code}-"')


LINES = (
    renamed("calls", "event"),
    renamed("calls", "reason"),
    renamed("calls", "call_id"),
    renamed("calls", "call_state"),
    renamed("calls", "region"),
    renamed("calls", "tenant_id"),
    renamed("calls", "items"),
    renamed("calls", "actions"),
    recoded("calls", "answered"),
    recoded("calls", "call-rejected"),
    recoded("calls", "call-redirected"),
    recoded("calls", "recording-unhandled"),
    recoded("calls", "incoming"),
    recoded("calls-over-time", "answered"),
    renamed("lost-calls", "graph_code"),
    renamed("lost-calls", "entra_code"),
    renamed("lost-calls", "next_step"),
    renamed("lost-calls", "chain_id"),
    renamed("lost-calls", "attempts"),
    renamed("lost-calls", "status"),
    renamed("answer-times", "duration_ms"),
    LineMutant("answer-times", r'"duration_ms":\d+\.\d', '"duration_ms":0.3'),
    recoded("answer-times", "recording-unhandled"),
    recoded("failures", "answer-refused"),
    recoded("failures", "bot-failed"),
    renamed("reasons", "count"),
    renamed("reasons", "status"),
    renamed("notes", "notes"),
    recoded("notes", "redirect-suppressed"),
    renamed("redirects", "redirect_region"),
    recoded("redirects", "redirected"),
    renamed("refusals", "count"),
    recoded("refusals", "token-expired"),
    recoded("refusals", "signing-keys-none"),
    renamed("call-ends", "result_code"),
    renamed("call-ends", "result_subcode"),
    renamed("call-ends", "bot_event"),
    recoded("call-ends", "terminated"),
    recoded("setup", "established"),
    recoded("setup", "answered"),
    renamed("one-call", "duration_ms"),
    renamed("one-call", "actions"),
    renamed("one-call", "bot_event"),
    recoded("bot-events", "handled"),
    recoded("bot-events", "follow-up"),
    recoded("bot-events", "already-answered"),
    recoded("bot-events", "action-refused"),
    renamed("bot-failures", "type"),
    renamed("bot-failures", "file"),
    renamed("bot-failures", "line"),
    renamed("bot-failures", "function"),
    renamed("bot-actions", "name"),
    renamed("bot-actions", "attempts"),
    renamed("bot-actions", "status"),
    renamed("bot-actions", "graph_code"),
    renamed("keys", "key_age_seconds"),
    renamed("keys", "keys"),
    LineMutant("keys", r'"key_age_seconds":(\d+)', r'"key_age_seconds":\g<1>999'),
    recoded("keys", "keys.refreshed"),
    recoded("keys", "keys.refresh-failed"),
    renamed("credentials", "detail"),
    recoded("credentials", "credential.failed"),
    recoded("credentials", "credential-refused"),
    renamed("peers", "peer"),
    renamed("peers", "happened_at"),
    recoded("peers", "peer.healthy"),
    renamed("first-answers", "duration_ms"),
    renamed("problems", "warnings"),
    renamed("problems", "notice"),
    recoded("problems", "settings.warnings"),
    renamed("builds", "region"),
    renamed("instances", "instance"),
    renamed("instances", "delivery_ms"),
    renamed("instances", "delivery_status"),
    renamed("instances", "delivery_attempts"),
    recoded("instances", "delivered"),
    recoded("instances", "delivery-refused"),
)
QUERIES = (
    QueryMutant("calls", "arg_min(rank, ", "arg_max(rank, "),
    QueryMutant("calls", 'reason == "redirected", 5', 'reason == "redirected", 1'),
    QueryMutant("calls", "isnull(line.items)", "true"),
    QueryMutant("calls-over-time", "bin(timestamp, 5m)", "timestamp"),
    QueryMutant("lost-calls", "where rank == 4", "where rank >= 3"),
    QueryMutant("answer-times", "where rank <= 4", "where rank <= 6"),
    QueryMutant("answer-times", "is_recording, 4000", "is_recording, 4"),
    QueryMutant("reasons", 'coalesce(toint(line["count"]), 1)', "1"),
    QueryMutant("refusals", 'sender == "stranger", "any"', "false, reason"),
    QueryMutant("call-ends", "480, 10037", "480, 10076"),
    QueryMutant("setup", "iff(is_answered, 1, 2)", "1"),
    QueryMutant(
        "one-call", "tostring(item.call_id), tostring(line.chain", "tostring(line.chain"
    ),
    QueryMutant(
        "bot-actions", "sumif(itemCount, status between (200 .. 299))", "sum(itemCount)"
    ),
    QueryMutant("keys", "/ 60.0", "* 60.0"),
    QueryMutant(
        "peers",
        "coalesce(todatetime(line.happened_at), timestamp)",
        "datetime(2026-01-01)",
    ),
    QueryMutant("first-answers", "arg_min(timestamp", "arg_max(timestamp"),
    QueryMutant(
        "instances", "todouble(item.delivery_ms)", "todouble(line.duration_ms)"
    ),
    QueryMutant("builds", "severityLevel >= 3", "severityLevel >= 2"),
)
