"""Requests as plain data, and the replies to them."""

import json

import pytest

from shared.core.decisions import Accept, AskForGraph
from shared.core.errors import (
    BodyRefusedError,
    BodyTooLargeError,
    KeysUnavailableError,
    LengthRequiredError,
    PartitionIllegalError,
    SettingsUnusableError,
    TenantRefusedError,
    TokenRefusedError,
    UnexpectedError,
    WebhookError,
)
from shared.core.outcomes import ItemOutcome, Taken
from shared.core.reasons import Reason
from shared.core.redirects import RedirectTo
from shared.core.replies import Outcome, reply_to
from shared.core.rules import RULES
from shared.core.webhook import Correlation, WebhookRequest

IDS = Correlation(message_id="m-1", scenario_id="s-1", chain_id="c-1")
NO_IDS = Correlation("", "", "")
ACCEPTED = Accept(Reason.FOLLOW_UP)


def test_every_reply_closes_the_connection_and_is_not_stored() -> None:
    """A connection that stays open keeps the platform on one instance."""
    reply = reply_to(ACCEPTED, NO_IDS)

    assert reply.status == 202
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Connection"] == "close"
    assert reply.body is None


def test_replies_echo_the_ids() -> None:
    headers = reply_to(ACCEPTED, IDS).headers

    assert headers["Client-Request-Id"] == "m-1"
    assert headers["Scenario-Id"] == "s-1"


def test_the_chain_id_stands_in_for_a_scenario_id() -> None:
    """Notifications of incoming calls have no Scenario-ID yet."""
    headers = reply_to(ACCEPTED, IDS._replace(scenario_id="")).headers

    assert headers["Scenario-Id"] == "c-1"


@pytest.mark.requirement("R20")
@pytest.mark.parametrize(
    "value",
    [
        "", "a\r\nX: y", "a\n", "é", "\x00", "\x7f", "a\tb", " a", "a ", "a" * 257,
        "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_safe_header_value_is_not_echoed(value: str) -> None:
    """The host would answer 500, or split the header."""
    headers = reply_to(ACCEPTED, Correlation(value, value, "")).headers

    assert "Client-Request-Id" not in headers
    assert "Scenario-Id" not in headers


def test_ids_are_read_from_their_headers() -> None:
    headers = {
        "x-microsoft-skype-message-id": "m",
        "x-microsoft-skype-chain-id": "c",
        "scenario-id": "s",
    }

    assert Correlation.of(headers) == Correlation("m", "s", "c")
    assert Correlation.of({}) == NO_IDS


@pytest.mark.requirement("R17")
def test_a_refused_token_gets_the_same_reply_whatever_the_reason() -> None:
    """An attacker learns nothing from it, and no id is echoed."""
    replies = {
        repr(reply_to(TokenRefusedError(reason), ids))
        for reason in Reason
        for ids in (IDS, NO_IDS)
    }

    assert len(replies) == 1
    reply = reply_to(TokenRefusedError(Reason.TOKEN_EXPIRED), IDS)
    assert reply.status == 401
    assert reply.body is None
    assert dict(reply.headers) == {
        "Cache-Control": "no-store",
        "Connection": "close",
        "Content-Type": "text/plain; charset=utf-8",
        "WWW-Authenticate": "Bearer",
    }


def test_a_body_that_is_too_large_gets_no_echo() -> None:
    """Its sender has not shown a token."""
    reply = reply_to(BodyTooLargeError(), IDS)

    assert reply.status == 413
    assert "Client-Request-Id" not in reply.headers


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (SettingsUnusableError(), 503, "30"),
        (KeysUnavailableError(), 503, "1"),
        (UnexpectedError(), 503, "1"),
        (TenantRefusedError(), 403, None),
        (PartitionIllegalError(), 404, None),
    ],
)
def test_refusals_without_a_body(
    error: WebhookError, status: int, retry_after: str | None
) -> None:
    reply = reply_to(error, IDS)

    assert reply.status == status
    assert reply.headers.get("Retry-After") == retry_after
    assert reply.headers["Client-Request-Id"] == "m-1"
    assert reply.body is None


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BodyRefusedError(Reason.BODY_NOT_JSON), 400, "body-not-json"),
        (LengthRequiredError(), 411, "length-required"),
    ],
)
def test_refused_bodies_are_told_why_in_a_code_and_a_sentence(
    error: BodyRefusedError, status: int, code: str
) -> None:
    reply = reply_to(error, IDS)

    assert reply.status == status
    assert reply.headers["Content-Type"] == "application/json"
    told = {"code": code, "message": error.reason.cause}
    assert json.loads(reply.body or b"") == {"error": told}


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("https://h/api/calls", ""),
        ("https://h/api/calls?", ""),
        ("https://h/api/calls?hop", "hop"),
        ("https://h/api/calls?a=&hop=", "a=&hop="),
        ("https://[::1/api?x=1", "x=1"),
        ("?a#b", "a"),
        ("", ""),
    ],
)
def test_the_query_is_as_it_was_sent(url: str, query: str) -> None:
    """The library drops empty values, and a broken Host must not matter."""
    assert WebhookRequest(url=url, headers={}, body=b"").raw_query == query


def test_a_redirect_has_its_location_and_the_status_of_the_settings() -> None:
    reply = reply_to(RedirectTo("sea", "https://sea.example/api/calls?hop=1", 307), IDS)

    assert reply.status == 307
    assert reply.headers["Location"] == "https://sea.example/api/calls?hop=1"
    assert reply.headers["Scenario-Id"] == "s-1"


def test_a_legacy_notification_gets_204_without_a_body() -> None:
    reply = reply_to(AskForGraph(), IDS)

    assert (reply.status, reply.body) == (204, None)


@pytest.mark.parametrize(
    ("reasons", "status", "retry_after"),
    [
        ([Reason.ANSWERED], 202, None),
        ([Reason.ANSWER_REFUSED, Reason.CALL_OVER], 202, None),
        ([Reason.ANSWERED, Reason.ANSWER_UNAVAILABLE], 503, "1"),
        ([Reason.CREDENTIAL_UNAVAILABLE], 503, "1"),
    ],
)
def test_one_call_that_could_not_be_answered_makes_all_come_again(
    reasons: list[Reason], status: int, retry_after: str | None
) -> None:
    outcomes = [ItemOutcome(reason, is_incoming=True) for reason in reasons]

    reply = reply_to(Taken(outcomes, has_incoming=True), IDS)

    assert (reply.status, reply.headers.get("Retry-After")) == (status, retry_after)


def test_every_outcome_belongs_to_a_rule_that_may_end_so() -> None:
    """The table of rules, from which README's chart is drawn, knows every reply."""
    outcomes: list[Outcome] = [
        BodyTooLargeError(),
        SettingsUnusableError(),
        TokenRefusedError(Reason.TOKEN_EXPIRED),
        KeysUnavailableError(),
        TenantRefusedError(),
        PartitionIllegalError(),
        BodyRefusedError(Reason.BODY_EMPTY),
        LengthRequiredError(),
        AskForGraph(),
        RedirectTo("sea", "https://sea.example/api/calls?hop=1", 302),
        Taken([ItemOutcome(Reason.ANSWERED)], has_incoming=True),
        Taken([ItemOutcome(Reason.ANSWER_UNAVAILABLE)], has_incoming=True),
        Accept(Reason.FOLLOW_UP),
        Taken([ItemOutcome(Reason.HANDLED)], join_reply={}),
        Taken([ItemOutcome(Reason.DELIVERY_UNAVAILABLE)]),
    ]
    ends = {(o.rule.number, int(o.status)) for o in outcomes if o.rule}

    assert ends == {(rule.number, status) for rule in RULES for status in rule.ends}
    assert [rule.number for rule in RULES] == list(range(1, 10))
