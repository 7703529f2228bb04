"""The attack table, header and form: see ``attacks``."""

from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm, RSAPSSAlgorithm

from shared.core.reasons import Reason
from tests.security.attack_kit import (
    Attack,
    Make,
    hmac_as_rs256,
    hmac_with,
    public_bytes,
    public_pem,
    respell,
    signed_as,
    signed_respelt,
    signed_with,
    to_json,
    values,
    with_claims,
    with_header,
    with_parts,
    with_raw_header,
)
from tests.simulator.services.signing import SigningKey, TokenFactory, base64url


def _algorithm(name: Any) -> Iterator[Attack]:
    yield Attack(
        f"alg {name!r}",
        "RFC 8725 2.1; exact allow-list of one (R1)",
        with_header(alg=name) if name is not None else with_raw_header('{"kid":"%s"}'),
        Reason.TOKEN_ALGORITHM,
    )


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
        ("JWK text", lambda key: to_json(key.jwk())),
        ("modulus text", lambda key: str(key.jwk()["n"]).encode()),
        ("PEM", public_pem),
        (
            "PEM of PKCS 1",
            lambda key: public_bytes(key, Encoding.PEM, PublicFormat.PKCS1),
        ),
        (
            "DER",
            lambda key: public_bytes(
                key, Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            ),
        ),
        ("key id", lambda key: key.key_id.encode()),
    ):
        yield Attack(
            f"HS256 with {what}", why, hmac_with(secret), Reason.TOKEN_ALGORITHM
        )
    why = "CVE-2026-48523: announced RS256, signed otherwise (R1)"
    for bits in ("SHA384", "SHA512"):
        other = RSAAlgorithm(getattr(RSAAlgorithm, bits))
        yield Attack(
            f"{bits} as RS256",
            why,
            signed_as(other, "RS256"),
            Reason.SIGNATURE_INVALID,
        )
    yield Attack(
        "PSS as RS256",
        why,
        signed_as(RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256), "RS256"),
        Reason.SIGNATURE_INVALID,
    )
    yield Attack("HMAC with PEM as RS256", why, hmac_as_rs256, Reason.SIGNATURE_INVALID)


def header_rows() -> Iterator[Attack]:
    """A4 to A10: everything else in the header."""
    why = "RFC 7515 4.1.11, CVE-2026-32597: extensions (R2)"
    for member, value in (
        ("crit", ["exp"]), ("crit", []), ("crit", "b64"), ("crit", [""]), ("crit", {}),
        ("crit", ["b64", "exp"]), ("b64", False), ("b64", True), ("b64", "false"),
        ("zip", "DEF"), ("zip", ""), ("enc", "A256GCM"), ("enc", 0),
    ):  # fmt: skip
        yield Attack(
            f"{member} {value!r}",
            why,
            with_header(**{member: value}),
            Reason.TOKEN_HEADER,
        )
    for member in ("crit", "b64", "zip", "enc"):
        text = f'{{"alg":"RS256","kid":"%s","{member}":null}}'
        yield Attack(f"{member} null", why, with_raw_header(text), Reason.TOKEN_HEADER)
    why = "RFC 8725 3.11: typ of another kind (R2)"
    for kind in values(
        "JWE", "at+jwt", "secevent+jwt", "application/jwt", "JOSE", "", " JWT", 1, [],
        {}, True, "JWT,JWE",
    ):  # fmt: skip
        yield Attack(f"typ {kind!r}", why, with_header(typ=kind), Reason.TOKEN_HEADER)
    why = "RFC 8725 3.10: kid injection (R3)"
    for key_id in values(
        "", "a" * 257, "é", "a\nb", "a\r\nX: y", "a\x00", "\x7f", "\u202e", 7, True, [],
        {}, 1.5, ["a"],
    ):  # fmt: skip
        yield Attack(
            f"kid {repr(key_id)[:12]}",
            why,
            with_header(kid=key_id),
            Reason.TOKEN_KEY_ID,
        )
    yield Attack(
        "kid of 64 KiB", why, with_header(kid="a" * 65_536), Reason.TOKEN_TOO_LARGE
    )
    yield Attack("kid missing", why, with_header(kid=None), Reason.TOKEN_KEY_ID)
    yield Attack(
        "kid null",
        why,
        with_raw_header('{"alg":"RS256","kid":null}'),
        Reason.TOKEN_KEY_ID,
    )
    for key_id in (
        "unknown", "../../etc/passwd", "' OR 1=1 --", "/dev/null", "%s%n", "$(id)",
        "__class__", "keys", " ", "a" * 256, "PLATFORM-KEY", "platform-key ",
        "https://127.0.0.1:1/keys", "http://169.254.169.254/", "\\\\evil.example\\k",
    ):  # fmt: skip
        yield Attack(
            f"kid {key_id!r}", why, with_header(kid=key_id), Reason.SIGNING_KEY_UNKNOWN
        )
    why = (
        "CVE-2026-48522, RFC 8725 3.10: keys and URLs from the token are not used (R3)"
    )
    attacker = SigningKey("attacker")
    for member, value in values(
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
        '{"alg":"RS256","\\u0061lg":"none","kid":"%s"}',
        '{"alg":"RS256","kid":"%s","k\\u0069d":"x"}',
    ):
        yield Attack(
            f"header {text[:60]}", why, with_raw_header(text), Reason.TOKEN_MALFORMED
        )
    why = "RFC 7515 4: the header is a JSON object (R2, R5)"
    for text in (
        "", "null", "[]", '"RS256"', "1", "{", '{"alg":"RS256"', "{'alg':'RS256'}",
        '{"alg":"RS256","kid":"%s"}x', '{"alg":"RS256","kid":"%s","x":NaN}',
        "\ufeff" + '{"alg":"RS256","kid":"%s"}', '{"alg":"RS256","kid":"%s",}',
        '{"a":' * 2000, '{"alg":"RS256","kid":"%s"}\x00',
        '\x00{"alg":"RS256","kid":"%s"}',
        '{"alg":"RS256","kid":"%s",//\n"x":1}', '{"alg":"RS256","kid":"%s"}\u2028',
    ):  # fmt: skip
        yield Attack(
            f"header {text[:60]!r}", why, with_raw_header(text), Reason.TOKEN_MALFORMED
        )


def form_rows() -> Iterator[Attack]:
    """A7, A11, A13 to A15: the form of the token."""
    why = "RFC 7515 7.1: compact, three segments, base64url alone (R2)"
    malformed: tuple[tuple[str, Make], ...] = (
        ("one segment", with_parts(lambda h, _p, _s: h)),
        ("two segments", with_parts(lambda h, p, _s: f"{h}.{p}")),
        ("empty signature", with_parts(lambda h, p, _s: f"{h}.{p}.")),
        ("empty payload", with_parts(lambda h, _p, s: f"{h}..{s}")),
        ("empty header", with_parts(lambda _h, p, s: f".{p}.{s}")),
        ("four segments", with_parts(lambda h, p, s: f"{h}.{p}.{s}.{s}")),
        ("five segments, as JWE", with_parts(lambda h, p, s: f"{h}.{p}.{s}.{p}.{s}")),
        ("trailing dot", with_parts(lambda h, p, s: f"{h}.{p}.{s}.")),
        ("JSON serialization", lambda t: '{"protected":"' + t.mint() + '"}'),
        ("quoted", lambda t: f'"{t.mint()}"'),
        ("dots only", lambda _t: ".."),
        ("text", lambda _t: "token"),
        ("full-width dots", with_parts(lambda h, p, s: f"{h}\uff0e{p}\uff0e{s}")),
        ("non-ASCII", lambda t: t.mint() + "é"),
        ("lone surrogate", lambda t: t.mint() + "\ud800"),
        ("NUL", lambda t: t.mint() + "\x00"),
        ("newline at the end", lambda t: t.mint() + "\n"),
        ("newline inside", with_parts(lambda h, p, s: f"{h}.\n{p}.{s}")),
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
        ("padded payload", with_parts(lambda h, p, s: f"{h}.{p}=.{s}")),
        ("padded header", with_parts(lambda h, p, s: f"{h}==.{p}.{s}")),
        ("junk !!!!", lambda t: t.mint() + "!!!!"),
        ("plus for minus", with_parts(lambda h, p, s: f"{h}.{p}.{s[:-1]}+")),
        ("slash for underscore", with_parts(lambda h, p, s: f"{h}.{p}.{s[:-1]}/")),
        ("one character more", lambda t: t.mint() + "AAA"),
        ("other last bits", lambda t: respell(t.mint())),
    )
    for what, make in spellings:
        yield Attack(what, why, make, Reason.TOKEN_MALFORMED)
    why = "RFC 7515 2, 3.3: one spelling also where the signature covers it (R2)"
    for what, make in (
        ("header signed in another spelling", signed_respelt(0)),
        ("payload signed in another spelling", signed_respelt(1)),
        ("payload signed with padding", signed_with("=")),
        ("payload signed with a newline", signed_with("\n")),
        ("payload signed with a slash", signed_with("/")),
    ):
        yield Attack(what, why, make, Reason.TOKEN_MALFORMED)
    why = "CVE-2025-61920: size is bounded before decoding (R4)"
    for size in (16 * 1024 + 1, 20_000, 32_000, 1_000_000):

        def grow(tokens: TokenFactory, size: int = size) -> str:
            return tokens.mint().ljust(size, "A")

        yield Attack(f"{size} bytes", why, grow, Reason.TOKEN_TOO_LARGE)
    yield Attack(
        "a signed claim of 16 KiB",
        why,
        with_claims(x="x" * 16_384),
        Reason.TOKEN_TOO_LARGE,
    )


def signature_rows() -> Iterator[Attack]:
    """Tampering: the signature covers header and payload."""
    why = "RFC 7515 5.2: the signature is verified before any claim counts (R7)"

    def swap(tokens: TokenFactory) -> str:
        return tokens.variant("tampered")

    def other_header(tokens: TokenFactory) -> str:
        _head, payload, signature = tokens.mint().split(".")
        head = base64url(to_json({**tokens.header(), "x": 1}))
        return f"{head}.{payload}.{signature}"

    rows: tuple[tuple[str, Make], ...] = (
        ("payload of another token", swap),
        ("header changed", other_header),
        ("signed by another key", lambda t: t.mint(key=SigningKey(t.key.key_id))),
        ("signature of zeros", with_parts(lambda h, p, _s: f"{h}.{p}.{'A' * 342}")),
        ("signature of one byte", with_parts(lambda h, p, _s: f"{h}.{p}.AA")),
        ("signature cut", with_parts(lambda h, p, s: f"{h}.{p}.{s[:340]}")),
        ("signature too long", with_parts(lambda h, p, s: f"{h}.{p}.{s[:-2]}AAAAAA")),
        ("expired and forged", lambda t: t.mint(key=SigningKey(t.key.key_id), exp=1)),
    )
    for what, make in rows:
        yield Attack(what, why, make, Reason.SIGNATURE_INVALID)
