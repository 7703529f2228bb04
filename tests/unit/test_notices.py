"""Notices: a certificate that ends soon and a clock that is wrong, told in time."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import (
    CertificateBuilder,
    Name,
    NameAttribute,
    NameOID,
    random_serial_number,
)

from shared.core.notices import certificate_notices, clock_notices
from shared.edge.outbound import sent_at_seconds
from shared.service import Service
from tests.support.servers import Peer, Request, reply
from tests.support.service import Make, ScriptedNeighbours, receive

DAY = 24 * 60 * 60
CLOCK_NOTICE = (
    "clock: it differs by more than 60 s from the clock of the identity provider."
)


@pytest.mark.parametrize(
    ("days_left", "expected"),
    [
        (365, []),
        (30, []),
        (29.99, ["CALLING_CERTIFICATE_PATH: the certificate ends on 2026-03-01."]),
        (0.01, ["CALLING_CERTIFICATE_PATH: the certificate ends on 2026-03-01."]),
        (0, ["CALLING_CERTIFICATE_PATH: the certificate ended on 2026-03-01."]),
        (-400, ["CALLING_CERTIFICATE_PATH: the certificate ended on 2026-03-01."]),
    ],
)
def test_a_certificate_is_told_of_thirty_days_before_its_end(
    days_left: float, expected: list[str]
) -> None:
    ends_at = datetime(2026, 3, 1, 23, 59, tzinfo=UTC).timestamp()

    assert [*certificate_notices(ends_at, now=ends_at - days_left * DAY)] == expected


def test_without_a_certificate_there_is_nothing_to_tell() -> None:
    assert [*certificate_notices(None, now=0)] == []


@pytest.mark.parametrize(
    ("seconds", "is_told"),
    [(None, False), (0, False), (60, False), (-60, False), (61, True), (-61, True)],
)
def test_a_clock_is_told_of_beyond_a_minute_in_either_direction(
    seconds: float | None, is_told: bool
) -> None:
    assert [*clock_notices(seconds)] == ([CLOCK_NOTICE] if is_told else [])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Date": "Thu, 01 Jan 1970 00:01:40 GMT"}, 100),
        ({"Date": "Thu, 01 Jan 1970 00:01:40 GMT", "Age": "500"}, 600),
        ({"Date": "Thu, 01 Jan 1970 00:01:40 GMT", "Age": "-5"}, 100),
        ({"Date": "Thu, 01 Jan 1970 00:01:40 GMT", "Age": "soon"}, 100),
        ({"Date": "tomorrow"}, None),
        ({"Date": ""}, None),
        ({"Date": "Thu, 99 Jan 1970 00:01:40 GMT"}, None),
        ({}, None),
    ],
)
def test_the_time_of_a_reply_is_its_date_and_what_a_cache_had_it_for(
    headers: dict[str, str], expected: float | None
) -> None:
    assert sent_at_seconds(headers) == expected


def dated(seconds_ahead: float, **headers: str) -> Callable[[Request, Peer], bytes]:
    """Publish the configuration from a machine whose clock is that far ahead."""

    def answer(request: Request, _peer: Peer) -> bytes:
        document = {
            "issuer": "https://api.botframework.com",
            "jwks_uri": f"https://{request.headers['host']}/v1/keys",
        }
        now = datetime.fromtimestamp(time.time() + seconds_ahead, UTC)
        date = format_datetime(now, usegmt=True)
        return reply(200, json.dumps(document).encode(), Date=date, **headers)

    return answer


def notices_of(service: Service) -> list[str]:
    """Return the notices of the health report, which stays healthy."""
    got = asyncio.run(service.health({}))
    assert got.status == 200
    report: dict[str, Any] = json.loads(got.body or b"")
    assert report["warnings"] == []
    notices: list[str] = report["notices"]
    return notices


@pytest.mark.parametrize(
    ("seconds_ahead", "headers", "is_told"),
    [
        (0, {}, False),
        (120, {}, True),
        (-120, {}, True),
        (-120, {"Age": "120"}, False),
        (0, {"Age": "120"}, True),
    ],
)
def test_the_providers_date_tells_that_the_clock_is_wrong(
    neighbours: ScriptedNeighbours,
    make: Make,
    seconds_ahead: float,
    headers: dict[str, str],
    is_told: bool,
) -> None:
    """The key set of the simulated provider has no date."""
    provider = neighbours.provider
    provider.configuration_script = dated(seconds_ahead, **headers)

    assert notices_of(make()) == ([CLOCK_NOTICE] if is_told else [])


def test_a_wrong_clock_is_told_also_where_the_keys_cannot_be_had(
    neighbours: ScriptedNeighbours, make: Make
) -> None:
    """A provider in trouble still knows what time it is."""
    now = datetime.fromtimestamp(time.time() - 3600, UTC)
    date = format_datetime(now, usegmt=True)
    neighbours.provider.configuration_script = lambda *_: reply(500, Date=date)

    got = asyncio.run(make().health({}))

    assert (got.status, json.loads(got.body or b"")["notices"]) == (503, [CLOCK_NOTICE])


def test_a_provider_without_a_date_tells_nothing(make: Make) -> None:
    assert notices_of(make()) == []


def certificate_file(directory: Path, *, days_left: float) -> str:
    """Write a certificate of the bot, and its key, that ends so many days from now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = Name([NameAttribute(NameOID.COMMON_NAME, "bot.example")])
    ends_at = time.time() + days_left * DAY
    certificate = (
        CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(random_serial_number())
        .not_valid_before(datetime.fromtimestamp(ends_at - 365 * DAY, UTC))
        .not_valid_after(datetime.fromtimestamp(ends_at, UTC))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = directory / "bot.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + pem)
    return str(path)


@pytest.mark.parametrize(
    ("days_left", "verb"), [(29, "ends on"), (-1, "ended on"), (31, "")]
)
def test_health_tells_of_the_bots_certificate(
    make: Make, tmp_path: Path, days_left: float, verb: str
) -> None:
    path = certificate_file(tmp_path, days_left=days_left)
    service = make(CALLING_CREDENTIAL="certificate", CALLING_CERTIFICATE_PATH=path)

    notices = notices_of(service)

    assert [verb in notice for notice in notices] == ([True] if verb else [])
    day = datetime.fromtimestamp(time.time() + days_left * DAY, UTC).date()
    assert all(notice.endswith(f"{day}.") for notice in notices)


def test_the_certificate_is_no_matter_where_it_is_not_used(
    make: Make, tmp_path: Path
) -> None:
    path = certificate_file(tmp_path, days_left=1)

    assert notices_of(make(CALLING_CERTIFICATE_PATH=path)) == []


def test_each_notice_is_logged_once_a_process_by_whichever_request_comes(
    neighbours: ScriptedNeighbours,
    make: Make,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A deployment without probes logs it with the next call."""
    caplog.set_level(logging.INFO)
    path = certificate_file(tmp_path, days_left=10)
    service = make(CALLING_CREDENTIAL="certificate", CALLING_CERTIFICATE_PATH=path)
    neighbours.provider.configuration_script = dated(600)

    def logged() -> list[tuple[int, str]]:
        records = [r for r in caplog.records if '"health.notice"' in r.message]
        return [(r.levelno, json.loads(r.message)["notice"]) for r in records]

    assert receive(service, neighbours.follow_up()).status == 202
    after_one_call = logged()
    assert receive(service, neighbours.follow_up()).status == 202
    notices = notices_of(service)

    assert len(notices) == 2
    assert logged() == after_one_call
    assert after_one_call == [(logging.WARNING, notice) for notice in notices]
