"""shared.edge.telemetry: one line of JSON each, and nothing hostile or secret in it."""

import asyncio
import json
import logging
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.context import LogFacts
from shared.core.decisions import Accept, AskForGraph
from shared.core.errors import TenantRefusedError, TokenRefusedError, UnexpectedError
from shared.core.notifications import read_notification
from shared.core.outcomes import ItemOutcome, Taken
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.core.replies import Outcome
from shared.core.webhook import Correlation, WebhookRequest
from shared.edge.log_fields import clip
from shared.edge.telemetry import (
    RequestLog,
    log_event,
    logger,
    prepare_logging,
    write_events,
)

HOSTILE = "a\r\nb\x1b[31m\u2028\u0085\x00\ud800<script>%s%n{}" + "x" * 100


class Captured(logging.Handler):
    """Keeps what the product logs."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def line(self) -> dict[str, Any]:
        """Return the fields of the only line; the message must be one line of JSON."""
        [record] = self.records
        message = record.getMessage()
        assert message.isascii()
        assert message.isprintable()
        line = json.loads(message)
        assert isinstance(line, dict)
        return line


@pytest.fixture(autouse=True)
def captured(monkeypatch: pytest.MonkeyPatch) -> Captured:
    """Attach to the product's logger, with every level on."""
    handler = Captured()
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    return handler


def answered(reason: Reason) -> Taken:
    """Return the outcome of one incoming call."""
    return Taken([ItemOutcome(reason)], has_incoming=True)


FOLLOW_UP = Accept(Reason.FOLLOW_UP)


def handle(
    outcome: Outcome = FOLLOW_UP,
    *,
    log: RequestLog | None = None,
    facts: LogFacts | None = None,
    correlation: Correlation | None = None,
    partition: str | None = None,
    **fields: object,
) -> None:
    """Log the line of a request."""
    (log or RequestLog()).write(
        WebhookRequest(
            url="https://localhost/api/calls?secret=1",
            headers={"authorization": "Bearer secret"},
            body=b'{"secret": 1}',
            partition=partition,
            invocation_id="invocation",
        ),
        correlation or Correlation("", "", ""),
        facts or LogFacts(),
        outcome,
        fields,
    )


def test_an_event_is_one_line_of_json_with_the_same_fields_in_extra(
    captured: Captured,
) -> None:
    """Classic Application Insights sees the message, OpenTelemetry the fields."""
    log_event(logging.WARNING, "keys.refreshed", keys=2, reason=None)
    write_events()

    line = captured.line()
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:]{8}\.\d{3}Z", line.pop("happened_at"))
    assert line == {"event": "keys.refreshed", "keys": 2}
    [record] = captured.records
    assert record.levelname == "WARNING"
    assert record.name == "calling"
    assert vars(record)["event"] == "keys.refreshed"
    assert vars(record)["keys"] == 2


def test_a_request_has_one_line_with_everything_about_it(captured: Captured) -> None:
    """Operators find all they search for in one place."""
    call = read_notification({"resourceUrl": "/communications/calls/call"})
    facts = LogFacts("tenant", [call], notes={Reason.TENANT_DIFFERS})
    handle(
        facts=facts,
        correlation=Correlation("message", "scenario", "chain"),
        partition="p0",
        key_age_seconds=12,
        region=None,
    )

    assert captured.line() == {
        "event": "notification.handled",
        "reason": "follow-up",
        "status": 202,
        "invocation_id": "invocation",
        "tenant_id": "tenant",
        "call_id": "call",
        "message_id": "message",
        "scenario_id": "scenario",
        "chain_id": "chain",
        "partition": "p0",
        "notes": ["tenant-differs"],
        "decision": "accept",
        "key_age_seconds": 12,
    }


def test_what_is_not_known_is_left_out(captured: Captured) -> None:
    handle(TenantRefusedError())
    assert set(captured.line()) == {
        "event",
        "reason",
        "status",
        "decision",
        "next_step",
        "invocation_id",
    }


def test_a_reason_with_a_cure_says_what_to_do(captured: Captured) -> None:
    handle(TenantRefusedError())
    assert captured.line()["next_step"] == Reason.TENANT_REFUSED.cure


def test_a_batch_names_its_first_calls(captured: Captured) -> None:
    """The length of a line is bounded."""
    call_ids = [f"call-{number}" for number in range(1000)]
    items = [read_notification({"resource": f"/app/calls/{one}"}) for one in call_ids]
    handle(facts=LogFacts(items=items))
    line = captured.line()
    assert line["call_id"] == "call-0"
    assert line["call_ids"] == call_ids[:20]


@pytest.mark.parametrize(
    ("outcome", "notes", "level"),
    [
        (Accept(Reason.FOLLOW_UP), set(), "INFO"),
        (AskForGraph(), set(), "INFO"),
        (RedirectTo("sea", "https://sea.example", 302), set(), "INFO"),
        (Accept(Reason.FOLLOW_UP), {Reason.TENANT_DIFFERS}, "INFO"),
        (Accept(Reason.FOLLOW_UP), {Reason.UNREADABLE_ITEM}, "WARNING"),
        (answered(Reason.ANSWERED), {Reason.REDIRECT_SUPPRESSED}, "WARNING"),
        (TokenRefusedError(Reason.TOKEN_EXPIRED), set(), "WARNING"),
        (TokenRefusedError(Reason.UNEXPECTED_ERROR), set(), "ERROR"),
        (answered(Reason.ANSWER_REFUSED), set(), "ERROR"),
        (answered(Reason.ANSWER_UNAVAILABLE), set(), "ERROR"),
        (UnexpectedError(), set(), "ERROR"),
    ],
    ids=str,
)
def test_the_level_shows_what_went_wrong(
    captured: Captured, outcome: Outcome, notes: set[Reason], level: str
) -> None:
    """An alert on errors finds lost calls."""
    handle(outcome, facts=LogFacts(notes=notes))
    assert captured.records[0].levelname == level


def refused_by_defect(message: str = "secret") -> TokenRefusedError:
    """Return what a defect of ours in the reading of a token leads to."""
    refusal = TokenRefusedError(Reason.UNEXPECTED_ERROR)
    try:
        json.loads(message)
    except ValueError as defect:
        refusal.__cause__ = defect
    return refusal


def test_a_defect_is_told_by_its_place_and_never_by_its_message(
    captured: Captured,
) -> None:
    """The message may hold a part of the token."""
    handle(refused_by_defect())

    line = captured.line()
    assert line["reason"] == "unexpected-error"
    assert (line["type"], line["function"]) == ("JSONDecodeError", "raw_decode")
    assert line["file"] == json.decoder.__file__
    assert isinstance(line["line"], int)
    assert "secret" not in str(vars(captured.records[0]))


def test_strangers_can_log_ten_defects_a_minute(captured: Captured) -> None:
    """A defect that every token meets does not fill the log; other lines go on."""
    now = 100.0
    log = RequestLog(clock=lambda: now)
    for _ in range(12):
        handle(refused_by_defect(), log=log)
    assert len(captured.records) == 10

    handle(TokenRefusedError(Reason.TOKEN_EXPIRED), log=log)
    handle(UnexpectedError.of(KeyError("a call behind a valid token")), log=log)
    assert len(captured.records) == 12
    now = 159.9
    handle(refused_by_defect(), log=log)
    assert len(captured.records) == 12
    now = 160.0
    handle(refused_by_defect(), log=log)
    assert len(captured.records) == 13


@pytest.mark.requirement("R27")
def test_hostile_ids_are_cut_and_escaped(captured: Captured) -> None:
    """Nobody can forge a line, control a terminal or flood the log."""
    handle(correlation=Correlation(HOSTILE, HOSTILE, HOSTILE), partition=HOSTILE)
    line = captured.line()
    for name in ("message_id", "scenario_id", "chain_id", "partition"):
        assert line[name] == HOSTILE[:64]
    assert len(captured.records[0].getMessage()) < 2000


@pytest.mark.requirement("R27")
@given(text=st.text(max_size=200))
def test_any_text_of_a_stranger_makes_one_safe_line(text: str) -> None:
    own = Captured()
    logger.handlers[:] = [own]
    handle(correlation=Correlation(text, text, text), partition=text)
    assert own.line().get("message_id", "") == text[:64]


@pytest.mark.requirement("R27")
def test_neither_token_nor_body_nor_url_is_in_the_line(captured: Captured) -> None:
    handle(facts=LogFacts(tenant_id="tenant"))
    assert "secret" not in str(vars(captured.records[0]))


def test_a_level_that_is_off_costs_no_line(
    captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "level", logging.WARNING)
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    log_event(logging.INFO, "keys.refreshed")
    write_events()
    handle()
    assert captured.records == []
    logger.manager._clear_cache()  # type: ignore[attr-defined]


def test_clipping_keeps_short_texts() -> None:
    assert clip("8522") == "8522"
    assert clip("x" * 65) == "x" * 64


def test_short_records_leave_out_what_functions_never_shows(
    monkeypatch: pytest.MonkeyPatch, captured: Captured
) -> None:
    for name in ("Threads", "Processes", "Multiprocessing", "AsyncioTasks"):
        monkeypatch.setattr(logging, f"log{name}", True)

    async def log_in_a_task() -> None:
        log_event(logging.INFO, "keys.refreshed", keys=3)
        write_events()

    prepare_logging()
    asyncio.run(log_in_a_task())

    [record] = captured.records
    left_out = (record.threadName, record.processName, record.process, record.taskName)
    assert left_out == (None,) * 4
    assert (record.name, record.levelname, record.pathname) == ("calling", "INFO", "")
