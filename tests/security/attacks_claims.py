"""The attack table, claims: see ``attacks``."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from shared.core.reasons import Reason
from tests.security.attack_kit import (
    DAY,
    HOUR,
    Attack,
    Make,
    rows,
    to_json,
    values,
    with_claims,
    with_header,
    with_long_header,
    with_raw_payload,
    with_value,
)
from tests.simulator.services.signing import APP_ID, TENANT_ID


def issuer_and_audience_rows() -> Iterator[Attack]:
    """A16: exactly one string each."""
    why = "CVE-2024-53861: prefix, suffix, case, list (R6)"
    for issuer in (
        "https://api.botframework.co", "https://api.botframework.com/",
        "https://api.botframework.com.evil.example", "http://api.botframework.com",
        "HTTPS://API.BOTFRAMEWORK.COM", "api.botframework.com", "", " ",
        "https://api.botframework.com ", "https://api.botframework.us",
        "https://graph.microsoft.com/", "https://evil.example",
    ):  # fmt: skip
        make = with_claims(iss=issuer)
        yield Attack(f"iss {issuer!r}", why, make, Reason.ISSUER_REFUSED)
    why = "a migration to Entra must be noticed (R6)"
    for issuer in (
        f"https://sts.windows.net/{TENANT_ID}/",
        "https://login.microsoftonline.com/common/v2.0",
    ):
        make = with_claims(iss=issuer)
        yield Attack(f"iss {issuer[:30]}", why, make, Reason.ISSUER_ENTRA)
    why = "CVE-2026-75509: types (R6)"
    for value in values(["https://api.botframework.com"], {}, 1, True, 1.5):
        make = with_claims(iss=value)
        yield Attack(f"iss {value!r}", why, make, Reason.CLAIMS_MALFORMED)
    yield Attack("iss missing", why, with_claims(iss=None), Reason.CLAIMS_MALFORMED)
    for audience in (
        f"urn:{APP_ID}", f"api://{APP_ID}", f"api://botid-{APP_ID}", f"{APP_ID} ", "",
        f"{APP_ID},{APP_ID}", APP_ID[:-1], "https://api.botframework.com",
        f"{{{APP_ID}}}", "00000000-0000-0000-0000-000000000000",
    ):  # fmt: skip
        make = with_claims(aud=audience)
        yield Attack(f"aud {audience[:40]!r}", why, make, Reason.AUDIENCE_REFUSED)
    for value in values([APP_ID], [APP_ID, "other"], {}, 1, True):
        make = with_claims(aud=value)
        yield Attack(f"aud {value!r}", why, make, Reason.CLAIMS_MALFORMED)
    yield Attack("aud missing", why, with_claims(aud=None), Reason.CLAIMS_MALFORMED)


def tenant_rows() -> Iterator[Attack]:
    """A17: the tenant, without which a token is a chat token."""
    why = "RFC 8725 3.12: tokens of the chat channel name no tenant (R6)"
    chat = with_claims(tid=None, serviceurl="https://smba.trafficmanager.net/emea/")
    yield from rows(why, Reason.TENANT_MISSING, (
        ("tid missing", with_claims(tid=None)),
        ("chat channel token", chat),
        ("tid null", with_value("tid", "null")),
    ))  # fmt: skip
    why = "the tenant becomes part of a URL of Entra (R6)"
    for tenant in values(
        "", " ", "common", "organizations", "contoso.example", "../common", "*", "0",
        TENANT_ID.replace("-", ""), f"{{{TENANT_ID}}}", f"{TENANT_ID}/",
        f"{TENANT_ID}\n", f"{TENANT_ID[:-1]}g", [], {}, 1, True, False, 0, [TENANT_ID],
    ):  # fmt: skip
        make = with_claims(tid=tenant)
        yield Attack(f"tid {tenant!r}", why, make, Reason.CLAIMS_MALFORMED)


def time_rows() -> Iterator[Attack]:
    """A12, A18: times of exactly one type, and a life of a day at most."""
    why = "CVE-2026-102265 and measured peers: NumericDate of another type (R7)"
    texts = (
        "null", "true", "false", '"9999999999"', '"9_999_999_999"', "NaN", "Infinity",
        "-Infinity", "1e400", "1e10", "9999999999.0", "[]", "{}", "[9999999999]", "-1",
        "0", "1099511627776", "9" * 400, "9" * 5000,
    )  # fmt: skip
    for claim in ("exp", "nbf", "iat"):
        for text in texts:
            is_json = text not in {"NaN", "Infinity", "-Infinity", "1e400", "9" * 5000}
            verdict = Reason.CLAIMS_MALFORMED if is_json else Reason.TOKEN_MALFORMED
            name = f"{claim} {text[:16]} ({len(text)})"
            yield Attack(name, why, with_value(claim, text), verdict)
    yield Attack("exp missing", why, with_claims(exp=None), Reason.CLAIMS_MALFORMED)
    yield Attack("nbf missing", why, with_claims(nbf=None), Reason.CLAIMS_MALFORMED)
    now = int(time.time())
    why = "RFC 7519 4.1.4, 4.1.5; leeway of 300 s at most (R7)"
    yield from rows(why, Reason.TOKEN_EXPIRED, (
        ("expired", with_claims(nbf=now - HOUR, exp=now - 600)),
        ("expired long ago", with_claims(nbf=1, exp=301)),
    ))  # fmt: skip
    late = with_claims(nbf=now, exp=now + HOUR, iat=now + 3000)
    yield from rows(why, Reason.TOKEN_NOT_YET_VALID, (
        ("not yet valid", with_claims(nbf=now + 600, exp=now + 900)),
        ("issued in the future", with_claims(iat=now + 600)),
        ("issued in the future, valid already", late),
    ))  # fmt: skip
    yield from rows(why, Reason.TOKEN_LIFETIME, (
        ("ends at its start", with_claims(nbf=now, exp=now)),
        ("ends before its start", with_claims(nbf=now, exp=now - 60)),
        ("a day and a second", with_claims(nbf=now, exp=now + DAY + 1)),
        ("a hundred years", with_claims(nbf=now, exp=now + 36_500 * DAY)),
    ))  # fmt: skip


def payload_rows() -> Iterator[Attack]:
    """A10, A11, A13: the payload is one strict JSON object."""
    why = "RFC 7519 7.2, RFC 8725 3.7: strict UTF-8 JSON, an object (R5)"
    changes: tuple[tuple[str, Callable[[dict[str, Any]], bytes]], ...] = (
        ("duplicate claim", lambda c: b'{"tid":"x",' + to_json(c)[1:]),
        ("nested duplicate", lambda c: b'{"x":{"a":1,"a":1},' + to_json(c)[1:]),
        ("UTF-16", lambda c: to_json(c).decode().encode("utf-16")),
        ("UTF-16 without mark", lambda c: to_json(c).decode().encode("utf-16-le")),
        ("UTF-32", lambda c: to_json(c).decode().encode("utf-32")),
        ("byte order mark", lambda c: b"\xef\xbb\xbf" + to_json(c)),
        ("invalid UTF-8", lambda c: b'{"x":"\xff",' + to_json(c)[1:]),
        ("overlong UTF-8", lambda c: b'{"x":"\xc0\xaf",' + to_json(c)[1:]),
        ("trailing bytes", lambda c: to_json(c) + b"{}"),
        ("trailing NUL", lambda c: to_json(c) + b"\x00"),
        ("a list", lambda c: to_json([c])),
        ("a string", lambda c: to_json(to_json(c).decode())),
        ("null", lambda _c: b"null"),
        ("no JSON", lambda _c: b"claims"),
        ("a nested token", lambda _c: b"eyJhbGciOiJub25lIn0.eyJ0aWQiOiJ4In0."),
        ("escaped duplicate", lambda c: b'{"\\u0074id":"x",' + to_json(c)[1:]),
        ("comment", lambda c: b"/**/" + to_json(c)),
        ("two objects", lambda c: to_json(c) + b"\n" + to_json(c)),
        ("deep", lambda _c: b'{"a":' * 1_200 + b"1" + b"}" * 1_200),
        ("deep list", lambda _c: b"[" * 9_000),
        ("NaN aside", lambda c: b'{"x":NaN,' + to_json(c)[1:]),
        ("huge number aside", lambda c: b'{"x":%s,' % (b"9" * 5_000) + to_json(c)[1:]),
    )  # fmt: skip
    for what, change in changes:
        # A deep object is legal JSON, but has no claims.
        is_json = what == "deep"
        verdict = Reason.CLAIMS_MALFORMED if is_json else Reason.TOKEN_MALFORMED
        yield Attack(f"payload: {what}", why, with_raw_payload(change), verdict)


def accepted_rows() -> Iterator[Attack]:
    """What must be accepted: the real token, and all that is harmless."""
    why = "MicrosoftDocs/bot-docs issue 2242; the documentation page"
    now = int(time.time())
    tokens: tuple[tuple[str, Make], ...] = (
        ("the real token's exact shape", lambda t: t.mint()),
        ("issuer graph.microsoft.com", with_claims(iss="https://graph.microsoft.com")),
        ("no appid", with_claims(appid=None)),
        ("iat there", with_claims(iat=now)),
        ("the page's life of 3900 s", with_claims(nbf=now, exp=now + 3900, iat=now)),
        ("a day's life", with_claims(nbf=now, exp=now + DAY)),
        ("no typ", with_header(typ=None)),
        ("typ jwt", with_header(typ="jwt")),
        ("no cty", with_header(cty=None)),
        ("no x5t", with_header(x5t=None)),
        ("a header part of 1,024 characters", with_long_header(1024)),
        ("unknown members in the header", with_header(ver="1.0", nonce="x")),
        ("unknown claims", with_claims(jti="x", sub="y", deep={"a": [1, 2.5, None]})),
        ("tid in capitals", with_claims(tid="3C9A1D5E-7F24-4B68-8E13-0A5D2C6B4F87")),
        ("expired within the leeway", with_claims(nbf=now - 300, exp=now - 10)),
        ("starts within the leeway", with_claims(nbf=now + 200, exp=now + 500)),
        ("a payload of several KiB", with_claims(x="x" * 8_000)),
    )
    for what, make in tokens:
        yield Attack(f"accepted: {what}", why, make, None)
