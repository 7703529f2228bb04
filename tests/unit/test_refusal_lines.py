"""Refusals of strangers in the log: short lines, and few of them in a flood."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.context import LogFacts
from shared.core.errors import (
    BodyRefusedError,
    BodyTooLargeError,
    KeysUnavailableError,
    SettingsUnusableError,
    TenantRefusedError,
    TokenRefusedError,
    WebhookError,
)
from shared.core.reasons import Reason
from shared.core.webhook import Correlation, WebhookRequest
from shared.edge.line_limits import MAX_LINES, RefusalLine, RefusalLines
from shared.edge.telemetry import RequestLog
from shared.service import Service
from tests.support.clock import FakeClock
from tests.support.service import Make, ScriptedNeighbours, receive

LARGE = "x" * 64
FORGED = TokenRefusedError(Reason.SIGNATURE_INVALID)


def handled(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the lines of requests, in their order."""
    lines = [json.loads(r.message) for r in caplog.records if r.name == "calling"]
    return [line for line in lines if line["event"] == "notification.handled"]


def write(log: RequestLog, refusal: WebhookError) -> None:
    """Log a refusal of a request that says as much as it can."""
    log.write(
        WebhookRequest(f"https://{LARGE}/", {"x": LARGE}, b"x", LARGE, LARGE),
        Correlation(LARGE, LARGE, LARGE),
        LogFacts(),
        refusal,
        {"duration_ms": 0.4, "region": "weu", "build": "b", "key_age_seconds": 12},
    )


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    "refusal",
    [
        FORGED,
        TokenRefusedError(Reason.AUDIENCE_REFUSED),
        BodyTooLargeError(),
        SettingsUnusableError(),
        KeysUnavailableError(),
    ],
    ids=str,
)
def test_without_a_valid_token_nothing_of_the_request_is_logged(
    refusal: WebhookError, caplog: pytest.LogCaptureFixture
) -> None:
    write(RequestLog(), refusal)

    assert handled(caplog) == [
        {
            "event": "notification.handled",
            "reason": refusal.reason,
            "status": refusal.status,
            "duration_ms": 0.4,
            "region": "weu",
            "build": "b",
        }
    ]


@pytest.mark.requirement("R27")
def test_a_stranger_leaves_little_in_the_log(
    neighbours: ScriptedNeighbours,
    service: Service,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    large = "\U0001f4a3" * 1000
    headers = dict.fromkeys(("scenario-id", "x-microsoft-skype-chain-id"), large)
    token = neighbours.tokens.variant("forged")
    request = neighbours.follow_up(token=token, headers=headers, partition=large)
    receive(service, request)

    [record] = [r for r in caplog.records if "signature-invalid" in r.message]
    assert len(record.message) < 150
    assert large[:1] not in str(vars(record))


def test_ten_refusals_of_a_reason_a_second_have_lines_of_their_own(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Those of another reason have their own ten."""
    log = RequestLog(clock)
    for _ in range(5):
        for _ in range(10):
            write(log, FORGED)
            write(log, TokenRefusedError(Reason.TOKEN_EXPIRED))
        clock.now += 1

    lines = handled(caplog)
    assert Counter(line["reason"] for line in lines) == {
        "signature-invalid": 50,
        "token-expired": 50,
    }
    assert not any("count" in line for line in lines)


def test_a_flood_has_one_line_a_second_with_its_count(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    log = RequestLog(clock)
    for _ in range(500):
        write(log, FORGED)
        clock.now += 0.01

    lines = handled(caplog)
    assert [line.get("count", 1) for line in lines] == [1] * 10 + [100] * 4
    clock.now += 1
    write(log, FORGED)
    assert handled(caplog)[-1]["count"] == 500 - 410 + 1


def test_after_a_flood_refusals_have_lines_of_their_own_again(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    log = RequestLog(clock)
    for _ in range(100):
        write(log, FORGED)
    for seconds in (1.0, 1.0, 0.2, 0.2):
        clock.now += seconds
        write(log, FORGED)

    counts = [line.get("count", 1) for line in handled(caplog)]
    assert counts == [1] * 10 + [91, 1, 1, 1]


@pytest.mark.parametrize("is_probe", [True, False], ids=["probe", "notification"])
def test_the_end_of_a_flood_is_logged_by_whatever_comes_next(
    is_probe: bool,
    neighbours: ScriptedNeighbours,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Else nobody would know how large it was."""
    caplog.set_level(logging.INFO)
    service, clock = make(), FakeClock()
    monkeypatch.setattr(service, "_log", RequestLog(clock))
    forged = neighbours.follow_up(token=neighbours.tokens.variant("forged"))
    for _ in range(30):
        receive(service, forged)
    clock.now += 1
    if is_probe:
        asyncio.run(service.health({}))
    else:
        receive(service, neighbours.follow_up())

    lines = handled(caplog)
    refused = [line for line in lines if line["reason"] == "signature-invalid"]
    assert len(refused) == MAX_LINES + 1
    assert refused[-1]["count"] == 20


@pytest.mark.parametrize(
    "refusal",
    [TenantRefusedError(), BodyRefusedError(Reason.BODY_NOT_JSON)],
    ids=str,
)
def test_whoever_has_a_valid_token_has_a_line_for_every_request(
    refusal: WebhookError, caplog: pytest.LogCaptureFixture
) -> None:
    log = RequestLog(FakeClock())
    for _ in range(50):
        write(log, refusal)

    lines = handled(caplog)
    assert len(lines) == 50
    assert all(line["message_id"] == LARGE for line in lines)


def lines_of(pauses: Iterable[float], reason: Reason) -> list[tuple[float, int]]:
    """Let refusals come after these pauses; return when each line came, and its count.

    At last the time comes for whatever waits.
    """
    clock = FakeClock()
    refusals = RefusalLines(clock)
    lines = []
    for pause in pauses:
        clock.now += pause
        refusals.add(reason, RefusalLine(logging.WARNING, {}))
        lines += [(clock.now, line) for line in refusals.due()]
    clock.now += 60
    lines += [(clock.now, line) for line in refusals.due()]
    return [(at, int(str(line.fields.get("count", 1)))) for at, line in lines]


@given(
    st.lists(st.sampled_from([0.0, 0.01, 0.1, 0.3, 1.0, 7.0]), max_size=300),
    st.sampled_from([(Reason.TOKEN_EXPIRED, 1.0), (Reason.UNEXPECTED_ERROR, 60.0)]),
)
def test_no_refusal_is_lost_and_ten_lines_are_the_most_of_any_period(
    pauses: list[float], kind: tuple[Reason, float]
) -> None:
    reason, period_seconds = kind
    lines = lines_of(pauses, reason)

    assert sum(count for _at, count in lines) == len(pauses)
    for (first, _), (last, _) in zip(lines, lines[MAX_LINES:], strict=False):
        assert last - first >= period_seconds - 1e-6
    for (earlier, _), (later, count) in pairwise(lines):
        assert count == 1 or later - earlier >= period_seconds - 1e-6
