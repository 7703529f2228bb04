"""The attack table, claims: see ``attacks``."""

from collections.abc import Callable, Iterator
from typing import Any

from shared.core.reasons import Reason
from tests.security.attack_kit import (
    DAY,
    HOUR,
    Attack,
    Make,
    now_seconds,
    to_json,
    values,
    with_claims,
    with_header,
    with_raw_payload,
    with_value,
)


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
        yield Attack(
            f"iss {issuer!r}", why, with_claims(iss=issuer), Reason.ISSUER_REFUSED
        )
    for issuer in (
        "https://sts.windows.net/3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87/",
        "https://login.microsoftonline.com/common/v2.0",
    ):
        yield Attack(
            f"iss {issuer[:30]}",
            "a migration to Entra must be noticed (R6)",
            with_claims(iss=issuer),
            Reason.ISSUER_ENTRA,
        )
    why = "CVE-2026-75509: types (R6)"
    for value in values(["https://api.botframework.com"], {}, 1, True, 1.5):
        yield Attack(
            f"iss {value!r}", why, with_claims(iss=value), Reason.CLAIMS_MALFORMED
        )
    yield Attack("iss missing", why, with_claims(iss=None), Reason.CLAIMS_MALFORMED)
    app_id = "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10"
    for audience in (
        app_id.upper(), f"api://{app_id}", f"api://botid-{app_id}", f"{app_id} ", "",
        f"{app_id},{app_id}", app_id[:-1], "https://api.botframework.com",
        f"{{{app_id}}}", "00000000-0000-0000-0000-000000000000",
    ):  # fmt: skip
        yield Attack(
            f"aud {audience[:40]!r}",
            why,
            with_claims(aud=audience),
            Reason.AUDIENCE_REFUSED,
        )
    for value in values([app_id], [app_id, "other"], {}, 1, True):
        yield Attack(
            f"aud {value!r}", why, with_claims(aud=value), Reason.CLAIMS_MALFORMED
        )
    yield Attack("aud missing", why, with_claims(aud=None), Reason.CLAIMS_MALFORMED)


def tenant_rows() -> Iterator[Attack]:
    """A17: the tenant, without which a token is a chat token."""
    why = "RFC 8725 3.12: tokens of the chat channel name no tenant (R6)"
    yield Attack("tid missing", why, with_claims(tid=None), Reason.TENANT_MISSING)
    chat = with_claims(tid=None, serviceurl="https://smba.trafficmanager.net/emea/")
    yield Attack("chat channel token", why, chat, Reason.TENANT_MISSING)
    yield Attack("tid null", why, with_value("tid", "null"), Reason.TENANT_MISSING)
    why = "the tenant becomes part of a URL of Entra (R6)"
    for tenant in values(
        "", " ", "common", "organizations", "contoso.example", "../common", "*", "0",
        "3c9a1d5e7f244b688e130a5d2c6b4f87", "{3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87}",
        "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87/",
        "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87\n",
        "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f8g", [], {}, 1, True, False, 0,
        ["3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87"],
    ):  # fmt: skip
        yield Attack(
            f"tid {tenant!r}",
            why,
            with_claims(tid=tenant),
            Reason.CLAIMS_MALFORMED,
        )


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
            is_json = text not in {"NaN", "Infinity", "-Infinity", "9" * 5000}
            verdict = Reason.CLAIMS_MALFORMED if is_json else Reason.TOKEN_MALFORMED
            name = f"{claim} {text[:16]} ({len(text)})"
            yield Attack(name, why, with_value(claim, text), verdict)
    yield Attack("exp missing", why, with_claims(exp=None), Reason.CLAIMS_MALFORMED)
    yield Attack("nbf missing", why, with_claims(nbf=None), Reason.CLAIMS_MALFORMED)
    now = now_seconds()
    why = "RFC 7519 4.1.4, 4.1.5; leeway of 300 s at most (R7)"
    times: tuple[tuple[str, dict[str, int], Reason], ...] = (
        ("expired", {"nbf": now - HOUR, "exp": now - 600}, Reason.TOKEN_EXPIRED),
        ("expired long ago", {"nbf": 1, "exp": 301}, Reason.TOKEN_EXPIRED),
        (
            "not yet valid",
            {"nbf": now + 600, "exp": now + 900},
            Reason.TOKEN_NOT_YET_VALID,
        ),
        ("issued in the future", {"iat": now + 600}, Reason.TOKEN_NOT_YET_VALID),
        ("ends at its start", {"nbf": now, "exp": now}, Reason.TOKEN_LIFETIME),
        ("ends before its start", {"nbf": now, "exp": now - 60}, Reason.TOKEN_LIFETIME),
        (
            "a day and a second",
            {"nbf": now, "exp": now + DAY + 1},
            Reason.TOKEN_LIFETIME,
        ),
        (
            "a hundred years",
            {"nbf": now, "exp": now + 36_500 * DAY},
            Reason.TOKEN_LIFETIME,
        ),
        (
            "issued in the future, valid already",
            {"nbf": now, "exp": now + HOUR, "iat": now + 400},
            Reason.TOKEN_NOT_YET_VALID,
        ),
    )
    for what, claims, verdict in times:
        yield Attack(what, why, with_claims(**claims), verdict)


def payload_rows() -> Iterator[Attack]:
    """A10, A11, A13: the payload is one strict JSON object."""
    why = "RFC 7519 7.2, RFC 8725 3.7: strict UTF-8 JSON, an object (R5)"
    rows: tuple[tuple[str, Callable[[dict[str, Any]], bytes]], ...] = (
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
        (
            "huge number aside",
            lambda c: b'{"x":' + b"9" * 5_000 + b"," + to_json(c)[1:],
        ),
    )
    for what, change in rows:
        verdict = Reason.TOKEN_MALFORMED
        if what == "deep":
            verdict = Reason.CLAIMS_MALFORMED  # legal JSON, but no claims
        yield Attack(f"payload: {what}", why, with_raw_payload(change), verdict)


def accepted_rows() -> Iterator[Attack]:
    """What must be accepted: the real token, and all that is harmless."""
    why = "MicrosoftDocs/bot-docs issue 2242; the documentation page"
    now = now_seconds()
    rows: tuple[tuple[str, Make], ...] = (
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
        ("unknown members in the header", with_header(ver="1.0", nonce="x")),
        ("unknown claims", with_claims(jti="x", sub="y", deep={"a": [1, 2.5, None]})),
        ("tid in capitals", with_claims(tid="3C9A1D5E-7F24-4B68-8E13-0A5D2C6B4F87")),
        ("expired within the leeway", with_claims(nbf=now - 300, exp=now - 10)),
        ("starts within the leeway", with_claims(nbf=now + 200, exp=now + 500)),
        ("a payload of several KiB", with_claims(x="x" * 8_000)),
    )
    for what, make in rows:
        yield Attack(f"accepted: {what}", why, make, None)
