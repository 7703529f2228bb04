"""What each query must find among the lines: our own figures.

A check gets the rows of its query, and the figures. It fails with ``AssertionError``.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.queries.play_instances import TAKES_SECONDS
from tests.queries.played import Own

type Row = Mapping[str, Any]
# Asks the check's own query, with values for its ``wanted_`` names.
type Ask = Callable[..., Sequence[Row]]
type Check = Callable[[Ask, Own], None]

CHECKS: dict[str, Check] = {}
_OUTCOMES = ("answered", "rejected", "sent_on", "lost", "redirected")


def check(function: Check) -> Check:
    """Register a check of the query that has the function's name."""
    CHECKS[function.__name__.replace("_", "-")] = function
    return function


def total(rows: Sequence[Row], value: str, *by: str) -> Counter[Any]:
    """Add a column up by others; a sum of nothing is left out."""
    found: Counter[Any] = Counter()
    for row in rows:
        key = tuple(row[name] for name in by)
        found[key if len(by) > 1 else key[0]] += row[value]
    return +found


@check
def calls(ask: Ask, own: Own) -> None:
    rows = ask()
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        assert row["placed"] == sum(row[name] for name in _OUTCOMES)
        for name in _OUTCOMES:
            found[row["region"], name] += row[name]
    assert +found == own.outcomes
    assert ask(build="another") == []


@check
def calls_over_time(ask: Ask, own: Own) -> None:
    rows = ask()
    for name in ("answered", "rejected", "sent_on", "lost"):
        expected = sum(n for (_, column), n in own.outcomes.items() if column == name)
        assert sum(row[name] for row in rows) == expected
    for row in rows:
        assert row["timestamp"].minute % 5 == row["timestamp"].second == 0


@check
def lost_calls(ask: Ask, own: Own) -> None:
    rows = {row["call"]: row for row in ask()}
    assert len(rows) == sum(n for (_, c), n in own.outcomes.items() if c == "lost")
    for reason in ("answer-refused", "answer-unavailable", "call-over"):
        assert rows[own.calls[reason]]["reason"] == reason
    refused = rows[own.calls["answer-refused"]]
    assert (refused["graph_code"], refused["status"], refused["attempts"]) == (
        "7505",
        202,
        1,
    )
    assert refused["next_step"].startswith("Look up graph_code")
    assert refused["chain"]
    assert refused["tenant"]
    unavailable = rows[own.calls["answer-unavailable"]]
    assert (unavailable["status"], unavailable["region"]) == (503, "weu")
    credential = rows[own.calls["credential-refused"]]
    assert credential["entra_code"] == "AADSTS7000215"


@check
def answer_times(ask: Ask, own: Own) -> None:
    rows = ask()
    assert all(row["p99_ms"] is not None for row in rows)
    assert own.slowest_ms <= max(row["p99_ms"] for row in rows) <= own.most_ms
    assert all(row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] for row in rows)
    taken = Counter[str]()
    for (region, outcome), number in own.outcomes.items():
        taken[region] += number if outcome != "lost" else 0
    assert total(rows, "taken", "region") == +taken
    assert total(rows, "in_budget", "region") == +taken
    requests = sum(n for n in own.outcomes.values())
    assert sum(row["requests"] for row in rows) == requests
    recordings = [row for row in rows if row["call_kind"] == "policy recording"]
    assert {row["budget_ms"] for row in recordings} == {4000}
    assert sum(row["taken"] for row in recordings) == sum(
        own.outcomes[region, "rejected"] for region in ("weu", "sea")
    )


@check
def failures(ask: Ask, own: Own) -> None:
    rows = ask()
    found = total(rows, "times", "reason")
    # Policy recordings are rejected, and that is a failure to see to.
    assert found.pop("recording-unhandled") == sum(
        own.outcomes[region, "rejected"] for region in ("weu", "sea")
    )
    assert found.pop("signing-keys-none", 0) == 0
    assert found == own.failures
    [refused] = [row for row in rows if row["reason"] == "answer-refused"]
    assert (refused["calls"], refused["graph_codes"]) == (2, '["7505"]')
    assert refused["first_seen"] <= refused["last_seen"]
    [secret] = [row for row in rows if row["reason"] == "credential-refused"]
    assert secret["entra_codes"] == '["AADSTS7000215"]'


@check
def reasons(ask: Ask, own: Own) -> None:
    found = total(ask(), "requests", "reason", "status")
    assert found["redirected", 302] == sum(own.redirects.values())
    assert found["signature-invalid", 401] == own.refused["stranger", "any"]
    assert found["token-expired", 401] == 1
    assert found["answer-unavailable", 503] == own.failures["answer-unavailable"]


@check
def notes(ask: Ask, own: Own) -> None:
    rows = ask()
    assert total(rows, "times", "note") == own.notes
    assert rows[0]["one_call"] == own.calls["suppressed"]


@check
def redirects(ask: Ask, own: Own) -> None:
    rows = ask()
    assert total(rows, "redirects", "from_region", "to_region") == own.redirects
    assert total(rows, "calls", "from_region", "to_region") == own.redirects


@check
def refusals(ask: Ask, own: Own) -> None:
    found = total(ask(), "requests", "sender", "reason")
    accepted = found.pop(("platform, token accepted", "answer-unavailable"))
    assert accepted == own.failures["answer-unavailable"]
    assert found == own.refused


@check
def call_ends(ask: Ask, own: Own) -> None:
    rows = ask()
    with_code = [row for row in rows if row["code"] is not None]
    assert total(with_code, "calls", "code", "subcode") == own.ends
    meanings = {(row["code"], row["subcode"]): row["meaning"] for row in with_code}
    assert meanings[480, 10037] == "The callee has no client."
    assert meanings[500, 1005].startswith("The platform could not reach the media")
    assert not meanings[0, 0]


@check
def setup(ask: Ask, own: Own) -> None:
    rows = ask()
    # A handler that failed is not among the answers: its call says bot-failed.
    answered = Counter(
        {r: n for (r, outcome), n in own.outcomes.items() if outcome == "answered"}
    )
    answered["neu"] -= 1
    assert total(rows, "answered", "region") == answered
    assert total(rows, "established", "region") == own.established
    for row in rows:
        percent = 100 * row["established"] / row["answered"]
        assert abs(row["established_percent"] - percent) <= 0.05


@check
def one_call(ask: Ask, own: Own) -> None:
    assert ask() == []
    rows = ask(call=own.calls["bot"])
    assert [row["what"] for row in rows] == ["incoming", "established", "tone"]
    assert [row["reason"] for row in rows] == ["answered", "handled", "bot-failed"]
    assert {row["region"] for row in rows} == {"neu"}
    assert '"playPrompt"' in rows[1]["actions"]
    [batch] = ask(call=own.calls["batch"])
    assert (batch["reason"], batch["call"]) == ("answered", own.calls["batch"])
    [slow] = ask(call=own.calls["slow"])
    assert slow["duration_ms"] is not None
    assert own.slowest_ms <= slow["duration_ms"] <= own.most_ms


@check
def bot_events(ask: Ask, own: Own) -> None:
    rows = ask()
    found = total(rows, "events", "region", "bot_event")
    assert found.items() >= own.events.items()
    counted = {(row["region"], row["bot_event"]): row for row in rows}
    assert counted["neu", "established"]["handled"] == own.established["neu"]
    assert counted["neu", "tone"]["failed"] == 1
    assert counted["neu", "operation_completed"]["actions_failed"] == 1
    assert counted["weu", "incoming"]["repeated"] == 1
    assert counted["weu", "participants"]["without_handler"] > 0


@check
def bot_failures(ask: Ask, own: Own) -> None:
    rows = ask()
    assert sum(row["times"] for row in rows) == own.failures["bot-failed"]
    [tone] = [row for row in rows if row["bot_event"] == "tone"]
    assert (tone["type"], tone["in_function"]) == ("LookupError", "fail")
    assert tone["file"].endswith("play_bots.py")
    assert tone["at_line"]
    assert tone["one_call"] == own.calls["bot"]


@check
def bot_actions(ask: Ask, own: Own) -> None:
    rows = ask()
    neu = [row for row in rows if row["region"] == "neu"]
    found = total(neu, "taken", "action")
    assert found == {n: k for (r, n, ok), k in own.actions.items() if r == "neu" and ok}
    asked = sum(k for (region, *_), k in own.actions.items() if region == "neu")
    assert sum(row["requests"] for row in neu) == asked
    # Without a token Graph is not even asked.
    assert (
        sum(row["asked"] for row in neu) == asked + own.failures["credential-refused"]
    )
    [transfer] = [row for row in neu if row["action"] == "transfer"]
    assert (transfer["refused"], transfer["graph_codes"]) == (1, '["7504"]')
    weu = [row for row in rows if row["region"] == "weu"]
    failed = sum(row["refused"] + row["unanswered"] for row in weu)
    assert failed == own.actions["weu", "answer", False]


@check
def keys(ask: Ask, own: Own) -> None:
    rows = {row["app"]: row for row in ask()}
    assert rows["func-weu"]["refreshed"] >= 1
    assert rows["func-weu"]["keys"] == 1
    assert rows["func-weu"]["oldest_minutes"] is not None
    assert 0 <= rows["func-weu"]["oldest_minutes"] < 5
    cold = rows["func-cold"]
    assert (cold["refresh_failed"], cold["failures"]) == (1, '["provider-status"]')
    assert (
        cold["without_keys"] == own.refused["anybody, our fault", "signing-keys-none"]
    )


@check
def credentials(ask: Ask, own: Own) -> None:
    rows = ask()
    found = total(rows, "times", "what")
    assert found["credential-refused"] == own.failures["credential-refused"]
    assert found["credential.failed"] >= 1
    [refused] = [row for row in rows if row["what"] == "credential-refused"]
    assert refused["entra_code"] == "AADSTS7000215"
    assert refused["tenant"]
    assert any("7000215" in row["detail"] for row in rows)


@check
def peers(ask: Ask, own: Own) -> None:
    rows = {(row["app"], row["peer"]): row for row in ask()}
    assert rows.keys() == {("func-weu", "sea"), ("func-sea", "weu")}
    for row in rows.values():
        assert row["state"] == "healthy"
        # The time is that of the event, not that of the line.
        assert row["since"] > datetime(2026, 1, 2)  # noqa: DTZ001 - UTC without a zone


@check
def first_answers(ask: Ask, own: Own) -> None:
    rows = {row["process"]: row for row in ask()}
    assert rows.keys() == {"weu-1", "sea-1", "func-neu"}
    for process, row in rows.items():
        assert row["timestamp"] == own.first_answers[process]
        assert row["first_ms"] is not None
        assert 0 < row["first_ms"] <= own.most_ms
        assert 0 < row["later_p50_ms"] <= own.most_ms


@check
def problems(ask: Ask, own: Own) -> None:
    rows = ask()
    notices = [row["says"] for row in rows if row["event"] == "health.notice"]
    assert any(says.startswith("CALLING_CERTIFICATE_PATH: ") for says in notices)
    warned = [row for row in rows if row["event"] == "settings.warnings"]
    assert {row["app"] for row in warned} >= {"func-weu", "func-sea"}
    assert all("CALLING_REGION_HOSTS" in row["says"] for row in warned[:2])


@check
def builds(ask: Ask, own: Own) -> None:
    rows = {row["region"]: row for row in ask()}
    assert rows.keys() == {"weu", "sea", "neu"}
    errors = own.failures["answer-refused"] + own.failures["answer-unavailable"]
    assert rows["weu"]["errors"] == errors + 1  # a policy recording
    assert rows["sea"]["errors"] == 1


@check
def instances(ask: Ask, own: Own) -> None:
    rows = {row["partition"]: row for row in ask()}
    assert rows.keys() == own.delivery_attempts.keys()
    columns = {
        "delivered": "delivered",
        "delivery-unavailable": "unavailable",
        "delivery-refused": "refused",
        "instance-without-call": "without_call",
    }
    for partition, row in rows.items():
        ends = {reason: own.deliveries[partition, reason] for reason in columns}
        assert row["deliveries"] == sum(ends.values())
        assert {reason: row[name] for reason, name in columns.items()} == ends
        # The last attempt of each may be cut off before the instance has read it.
        unread = row["attempts"] - own.delivery_attempts[partition]
        assert 0 <= unread <= ends["delivery-unavailable"]
        assert set(json.loads(row["statuses"])) == own.delivery_statuses[partition]
        slowest_ms = own.slowest_deliveries_ms[partition]
        assert row["p50_ms"] is not None
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= slowest_ms
        is_taken = own.deliveries[partition, "delivered"] > 0
        assert (row["last_success"] is not None) == is_taken
    assert rows["media-a"]["p50_ms"] >= TAKES_SECONDS * 1000
