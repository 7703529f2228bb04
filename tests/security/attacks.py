"""The attack table: a token a row: what is wrong, why it matters, the verdict.

``None`` as the verdict: the token must be accepted. References are CVE numbers, RFC
sections, or rows of docs/security.md.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jwt.algorithms import HMACAlgorithm, RSAAlgorithm

from shared.core.reasons import Reason
from tests.simulator.identity import SigningKey, TokenFactory, base64url

HOUR = 3600
DAY = 24 * HOUR

type Make = Callable[[TokenFactory], str]


@dataclass(frozen=True, slots=True)
class Attack:
    """One row. ``authorization`` replaces the whole header where the token is fine."""

    what: str
    why: str
    make: Make
    verdict: Reason | None

    @property
    def authorization(self) -> Callable[[TokenFactory], str]:
        """Return the header's maker."""
        return lambda tokens: f"Bearer {self.make(tokens)}"


def _any(*values: Any) -> tuple[Any, ...]:
    """Return values of several types."""
    return values


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _header(**changes: Any) -> Make:
    return lambda tokens: tokens.mint(changes)


def _claims(**changes: Any) -> Make:
    return lambda tokens: tokens.mint(**changes)


def _raw_header(text: str) -> Make:
    """Sign a header of this text; ``%s`` is the key id."""
    return lambda tokens: tokens.key.sign(
        text.replace("%s", tokens.key.key_id).encode(), _json(tokens.claims())
    )


def _raw_payload(change: Callable[[dict[str, Any]], bytes]) -> Make:
    """Sign a payload of these bytes."""
    return lambda tokens: tokens.key.sign(
        _json(tokens.header()), change(tokens.claims())
    )


def _with_value(claim: str, text: str) -> Make:
    """Sign claims in which one has this very JSON text."""

    def change(claims: dict[str, Any]) -> bytes:
        marked = _json({**claims, claim: "@@"})
        return marked.replace(b'"@@"', text.encode())

    return _raw_payload(change)


def _parts(change: Callable[[str, str, str], str]) -> Make:
    return lambda tokens: change(*tokens.mint().split("."))


def _algorithm(name: Any) -> Iterator[Attack]:
    yield Attack(
        f"alg {name!r}",
        "RFC 8725 2.1; exact allow-list of one (R1)",
        _header(alg=name) if name is not None else _raw_header('{"kid":"%s"}'),
        Reason.TOKEN_ALGORITHM,
    )


def _hmac_with(secret: Callable[[SigningKey], bytes]) -> Make:
    """Sign with HS256 and a secret made of the public key (CVE-2022-29217)."""

    def make(tokens: TokenFactory) -> str:
        header = {**tokens.header(), "alg": "HS256"}
        signing_input = (
            f"{base64url(_json(header))}.{base64url(_json(tokens.claims()))}"
        )
        algorithm = HMACAlgorithm(HMACAlgorithm.SHA256)
        signature = algorithm.sign(signing_input.encode(), secret(tokens.key))
        return f"{signing_input}.{base64url(signature)}"

    return make


def _signed_as(algorithm: Any, name: str) -> Make:
    """Sign with another RSA algorithm, announced as ``name``."""

    def make(tokens: TokenFactory) -> str:
        header = _json({**tokens.header(), "alg": name})
        signing_input = f"{base64url(header)}.{base64url(_json(tokens.claims()))}"
        signature = algorithm.sign(signing_input.encode(), tokens.key.private)
        return f"{signing_input}.{base64url(signature)}"

    return make


def _now() -> int:
    return int(time.time())


def algorithm_rows() -> Iterator[Attack]:
    """A1 to A3: algorithms."""
    names = (
        "none", "None", "NONE", "nOnE", "", "RS384", "RS512", "PS256", "ES256", "EdDSA",
        "HS256", "HS384", "HS512", "rs256", "Rs256", "RS256 ", " RS256", "RS256\n",
        "RSA256", "RS256,none", 256, True, False, ["RS256"], {"alg": "RS256"}, 0, None,
    )  # fmt: skip
    for name in names:
        yield from _algorithm(name)
    why = "CVE-2022-29217, CVE-2026-102268: public key as HMAC secret (R1)"
    for what, secret in (
        ("empty", lambda _key: b""),
        ("JWK text", lambda key: _json(key.jwk())),
        ("modulus text", lambda key: str(key.jwk()["n"]).encode()),
    ):
        yield Attack(
            f"HS256 with {what}", why, _hmac_with(secret), Reason.TOKEN_ALGORITHM
        )
    why = "CVE-2026-48523: announced RS256, signed otherwise (R1)"
    for bits in ("SHA384", "SHA512"):
        other = RSAAlgorithm(getattr(RSAAlgorithm, bits))
        yield Attack(
            f"{bits} as RS256",
            why,
            _signed_as(other, "RS256"),
            Reason.SIGNATURE_INVALID,
        )


def header_rows() -> Iterator[Attack]:
    """A4 to A10: everything else in the header."""
    why = "RFC 7515 4.1.11, CVE-2026-32597: extensions (R2)"
    for member, value in (
        ("crit", ["exp"]), ("crit", []), ("crit", "b64"), ("crit", [""]), ("crit", {}),
        ("crit", ["b64", "exp"]), ("b64", False), ("b64", True), ("b64", "false"),
        ("zip", "DEF"), ("zip", ""), ("enc", "A256GCM"), ("enc", 0),
    ):  # fmt: skip
        yield Attack(
            f"{member} {value!r}", why, _header(**{member: value}), Reason.TOKEN_HEADER
        )
    for member in ("crit", "b64", "zip", "enc"):
        text = f'{{"alg":"RS256","kid":"%s","{member}":null}}'
        yield Attack(f"{member} null", why, _raw_header(text), Reason.TOKEN_HEADER)
    why = "RFC 8725 3.11: typ of another kind (R2)"
    for kind in _any(
        "JWE", "at+jwt", "secevent+jwt", "application/jwt", "JOSE", "", " JWT", 1, [],
        {}, True, "JWT,JWE",
    ):  # fmt: skip
        yield Attack(f"typ {kind!r}", why, _header(typ=kind), Reason.TOKEN_HEADER)
    why = "RFC 8725 3.10: kid injection (R3)"
    for key_id in _any(
        "", "a" * 257, "é", "a\nb", "a\r\nX: y", "a\x00", "\x7f", "\u202e", 7, True, [],
        {}, 1.5, ["a"],
    ):  # fmt: skip
        yield Attack(
            f"kid {repr(key_id)[:12]}", why, _header(kid=key_id), Reason.TOKEN_KEY_ID
        )
    yield Attack("kid missing", why, _header(kid=None), Reason.TOKEN_KEY_ID)
    yield Attack(
        "kid null", why, _raw_header('{"alg":"RS256","kid":null}'), Reason.TOKEN_KEY_ID
    )
    for key_id in (
        "unknown", "../../etc/passwd", "' OR 1=1 --", "/dev/null", "%s%n", "$(id)",
        "__class__", "keys", " ",
    ):  # fmt: skip
        yield Attack(
            f"kid {key_id!r}", why, _header(kid=key_id), Reason.SIGNING_KEY_UNKNOWN
        )
    why = (
        "CVE-2026-48522, RFC 8725 3.10: keys and URLs from the token are not used (R3)"
    )
    attacker = SigningKey("attacker")
    for member, value in _any(
        ("jwk", attacker.jwk()),
        ("jku", "https://127.0.0.1:1/keys"),
        ("x5u", "https://127.0.0.1:1/cert"),
        ("x5c", ["MIIB"]),
    ):

        def embed(
            tokens: TokenFactory, member: str = member, value: object = value
        ) -> str:
            return tokens.mint({member: value}, attacker)

        yield Attack(f"own key in {member}", why, embed, Reason.SIGNATURE_INVALID)
    why = "RFC 7515 4: duplicate members, two readers see two tokens (R5)"
    for text in (
        '{"alg":"RS256","alg":"none","kid":"%s"}',
        '{"alg":"none","alg":"RS256","kid":"%s"}',
        '{"alg":"RS256","kid":"x","kid":"%s"}',
        '{"alg":"RS256","kid":"%s","x":{"a":1,"a":2}}',
    ):
        yield Attack(
            f"header {text[:60]}", why, _raw_header(text), Reason.TOKEN_MALFORMED
        )
    why = "RFC 7515 4: the header is a JSON object (R2, R5)"
    for text in (
        "", "null", "[]", '"RS256"', "1", "{", '{"alg":"RS256"', "{'alg':'RS256'}",
        '{"alg":"RS256","kid":"%s"}x', '{"alg":"RS256","kid":"%s","x":NaN}',
        "\ufeff" + '{"alg":"RS256","kid":"%s"}', '{"alg":"RS256","kid":"%s",}',
        '{"a":' * 2000,
    ):  # fmt: skip
        yield Attack(
            f"header {text[:60]!r}", why, _raw_header(text), Reason.TOKEN_MALFORMED
        )


def form_rows() -> Iterator[Attack]:
    """A7, A11, A13 to A15: the form of the token."""
    why = "RFC 7515 7.1: compact, three segments, base64url alone (R2)"
    malformed: tuple[tuple[str, Make], ...] = (
        ("one segment", _parts(lambda h, _p, _s: h)),
        ("two segments", _parts(lambda h, p, _s: f"{h}.{p}")),
        ("empty signature", _parts(lambda h, p, _s: f"{h}.{p}.")),
        ("empty payload", _parts(lambda h, _p, s: f"{h}..{s}")),
        ("empty header", _parts(lambda _h, p, s: f".{p}.{s}")),
        ("four segments", _parts(lambda h, p, s: f"{h}.{p}.{s}.{s}")),
        ("five segments, as JWE", _parts(lambda h, p, s: f"{h}.{p}.{s}.{p}.{s}")),
        ("trailing dot", _parts(lambda h, p, s: f"{h}.{p}.{s}.")),
        ("JSON serialization", lambda t: '{"protected":"' + t.mint() + '"}'),
        ("quoted", lambda t: f'"{t.mint()}"'),
        ("dots only", lambda _t: ".."),
        ("text", lambda _t: "token"),
        ("full-width dots", _parts(lambda h, p, s: f"{h}\uff0e{p}\uff0e{s}")),
        ("non-ASCII", lambda t: t.mint() + "é"),
        ("lone surrogate", lambda t: t.mint() + "\ud800"),
        ("NUL", lambda t: t.mint() + "\x00"),
        ("newline at the end", lambda t: t.mint() + "\n"),
        ("newline inside", _parts(lambda h, p, s: f"{h}.\n{p}.{s}")),
        ("percent encoded", lambda t: t.mint().replace(".", "%2E")),
    )
    for what, make in malformed:
        yield Attack(what, why, make, Reason.TOKEN_MALFORMED)
    why = (
        "CVE-2026-102269, CVE-2026-62995: a second spelling of the same token (R2, R15)"
    )
    spellings: tuple[tuple[str, Make], ...] = (
        ("padding =", lambda t: t.mint() + "="),
        ("padding ==", lambda t: t.mint() + "=="),
        ("padded payload", _parts(lambda h, p, s: f"{h}.{p}=.{s}")),
        ("padded header", _parts(lambda h, p, s: f"{h}==.{p}.{s}")),
        ("junk !!!!", lambda t: t.mint() + "!!!!"),
        ("plus for minus", _parts(lambda h, p, s: f"{h}.{p}.{s[:-1]}+")),
        ("slash for underscore", _parts(lambda h, p, s: f"{h}.{p}.{s[:-1]}/")),
        ("one character more", lambda t: t.mint() + "AAA"),
        ("other last bits", lambda t: _respell(t.mint())),
    )
    for what, make in spellings:
        yield Attack(what, why, make, Reason.TOKEN_MALFORMED)
    why = "CVE-2025-61920: size is bounded before decoding (R4)"
    for size in (16 * 1024 + 1, 20_000, 32_000, 1_000_000):

        def grow(tokens: TokenFactory, size: int = size) -> str:
            return tokens.mint().ljust(size, "A")

        yield Attack(f"{size} bytes", why, grow, Reason.TOKEN_TOO_LARGE)
    yield Attack(
        "a signed claim of 16 KiB", why, _claims(x="x" * 16_384), Reason.TOKEN_TOO_LARGE
    )


def _respell(token: str) -> str:
    """Change the unused low bits of the last character of the signature."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def signature_rows() -> Iterator[Attack]:
    """Tampering: the signature covers header and payload."""
    why = "RFC 7515 5.2: the signature is verified before any claim counts (R7)"

    def swap(tokens: TokenFactory) -> str:
        return tokens.variant("tampered")

    def other_header(tokens: TokenFactory) -> str:
        _head, payload, signature = tokens.mint().split(".")
        head = base64url(_json({**tokens.header(), "x": 1}))
        return f"{head}.{payload}.{signature}"

    rows: tuple[tuple[str, Make], ...] = (
        ("payload of another token", swap),
        ("header changed", other_header),
        ("signed by another key", lambda t: t.mint(key=SigningKey(t.key.key_id))),
        ("signature of zeros", _parts(lambda h, p, _s: f"{h}.{p}.{'A' * 342}")),
        ("signature of one byte", _parts(lambda h, p, _s: f"{h}.{p}.AA")),
        ("signature cut", _parts(lambda h, p, s: f"{h}.{p}.{s[:340]}")),
        ("signature too long", _parts(lambda h, p, s: f"{h}.{p}.{s[:-2]}AAAAAA")),
        ("expired and forged", lambda t: t.mint(key=SigningKey(t.key.key_id), exp=1)),
    )
    for what, make in rows:
        yield Attack(what, why, make, Reason.SIGNATURE_INVALID)


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
        yield Attack(f"iss {issuer!r}", why, _claims(iss=issuer), Reason.ISSUER_REFUSED)
    for issuer in (
        "https://sts.windows.net/3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87/",
        "https://login.microsoftonline.com/common/v2.0",
    ):
        yield Attack(
            f"iss {issuer[:30]}",
            "a migration to Entra must be noticed (R6)",
            _claims(iss=issuer),
            Reason.ISSUER_ENTRA,
        )
    why = "CVE-2026-75509: types (R6)"
    for value in _any(["https://api.botframework.com"], {}, 1, True, 1.5):
        yield Attack(f"iss {value!r}", why, _claims(iss=value), Reason.CLAIMS_MALFORMED)
    yield Attack("iss missing", why, _claims(iss=None), Reason.CLAIMS_MALFORMED)
    app_id = "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10"
    for audience in (
        app_id.upper(), f"api://{app_id}", f"api://botid-{app_id}", f"{app_id} ", "",
        f"{app_id},{app_id}", app_id[:-1], "https://api.botframework.com",
        f"{{{app_id}}}", "00000000-0000-0000-0000-000000000000",
    ):  # fmt: skip
        yield Attack(
            f"aud {audience[:40]!r}",
            why,
            _claims(aud=audience),
            Reason.AUDIENCE_REFUSED,
        )
    for value in _any([app_id], [app_id, "other"], {}, 1, True):
        yield Attack(f"aud {value!r}", why, _claims(aud=value), Reason.CLAIMS_MALFORMED)
    yield Attack("aud missing", why, _claims(aud=None), Reason.CLAIMS_MALFORMED)


def tenant_rows() -> Iterator[Attack]:
    """A17: the tenant, without which a token is a chat token."""
    why = "RFC 8725 3.12: tokens of the chat channel name no tenant (R6)"
    yield Attack("tid missing", why, _claims(tid=None), Reason.TENANT_MISSING)
    chat = _claims(tid=None, serviceurl="https://smba.trafficmanager.net/emea/")
    yield Attack("chat channel token", why, chat, Reason.TENANT_MISSING)
    yield Attack("tid null", why, _with_value("tid", "null"), Reason.TENANT_MISSING)
    why = "the tenant becomes part of a URL of Entra (R6)"
    for tenant in _any(
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
            _claims(tid=tenant),
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
            yield Attack(name, why, _with_value(claim, text), verdict)
    yield Attack("exp missing", why, _claims(exp=None), Reason.CLAIMS_MALFORMED)
    yield Attack("nbf missing", why, _claims(nbf=None), Reason.CLAIMS_MALFORMED)
    now = _now()
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
    )
    for what, claims, verdict in times:
        yield Attack(what, why, _claims(**claims), verdict)


def payload_rows() -> Iterator[Attack]:
    """A10, A11, A13: the payload is one strict JSON object."""
    why = "RFC 7519 7.2, RFC 8725 3.7: strict UTF-8 JSON, an object (R5)"
    rows: tuple[tuple[str, Callable[[dict[str, Any]], bytes]], ...] = (
        ("duplicate claim", lambda c: b'{"tid":"x",' + _json(c)[1:]),
        ("nested duplicate", lambda c: b'{"x":{"a":1,"a":1},' + _json(c)[1:]),
        ("UTF-16", lambda c: _json(c).decode().encode("utf-16")),
        ("UTF-16 without mark", lambda c: _json(c).decode().encode("utf-16-le")),
        ("UTF-32", lambda c: _json(c).decode().encode("utf-32")),
        ("byte order mark", lambda c: b"\xef\xbb\xbf" + _json(c)),
        ("invalid UTF-8", lambda c: b'{"x":"\xff",' + _json(c)[1:]),
        ("overlong UTF-8", lambda c: b'{"x":"\xc0\xaf",' + _json(c)[1:]),
        ("trailing bytes", lambda c: _json(c) + b"{}"),
        ("trailing NUL", lambda c: _json(c) + b"\x00"),
        ("a list", lambda c: _json([c])),
        ("a string", lambda c: _json(json.dumps(c))),
        ("null", lambda _c: b"null"),
        ("no JSON", lambda _c: b"claims"),
        ("deep", lambda _c: b'{"a":' * 1_200 + b"1" + b"}" * 1_200),
        ("deep list", lambda _c: b"[" * 9_000),
        ("NaN aside", lambda c: b'{"x":NaN,' + _json(c)[1:]),
        ("huge number aside", lambda c: b'{"x":' + b"9" * 5_000 + b"," + _json(c)[1:]),
    )
    for what, change in rows:
        verdict = Reason.TOKEN_MALFORMED
        if what == "deep":
            verdict = Reason.CLAIMS_MALFORMED  # legal JSON, but no claims
        yield Attack(f"payload: {what}", why, _raw_payload(change), verdict)


def accepted_rows() -> Iterator[Attack]:
    """What must be accepted: the real token, and all that is harmless."""
    why = "MicrosoftDocs/bot-docs issue 2242; the documentation page"
    now = _now()
    rows: tuple[tuple[str, Make], ...] = (
        ("the real token's exact shape", lambda t: t.mint()),
        ("issuer graph.microsoft.com", _claims(iss="https://graph.microsoft.com")),
        ("no appid", _claims(appid=None)),
        ("iat there", _claims(iat=now)),
        ("the page's life of 3900 s", _claims(nbf=now, exp=now + 3900, iat=now)),
        ("a day's life", _claims(nbf=now, exp=now + DAY)),
        ("no typ", _header(typ=None)),
        ("typ jwt", _header(typ="jwt")),
        ("no cty", _header(cty=None)),
        ("no x5t", _header(x5t=None)),
        ("unknown members in the header", _header(ver="1.0", nonce="x")),
        ("unknown claims", _claims(jti="x", sub="y", deep={"a": [1, 2.5, None]})),
        ("tid in capitals", _claims(tid="3C9A1D5E-7F24-4B68-8E13-0A5D2C6B4F87")),
        ("expired within the leeway", _claims(nbf=now - 300, exp=now - 10)),
        ("starts within the leeway", _claims(nbf=now + 200, exp=now + 500)),
        ("a payload of several KiB", _claims(x="x" * 8_000)),
    )
    for what, make in rows:
        yield Attack(f"accepted: {what}", why, make, None)


def all_rows() -> list[Attack]:
    """Return the whole table."""
    makers = (
        algorithm_rows,
        header_rows,
        form_rows,
        signature_rows,
        issuer_and_audience_rows,
        tenant_rows,
        time_rows,
        payload_rows,
        accepted_rows,
    )
    return [row for maker in makers for row in maker()]
