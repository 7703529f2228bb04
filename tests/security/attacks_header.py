"""The attack table, header and form: see ``attacks``."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm, RSAPSSAlgorithm

from shared.core.reasons import Reason
from tests.security.attack_kit import (
    Attack,
    hmac,
    public_bytes,
    public_pem,
    respell,
    rows,
    rsa,
    sealed_by,
    signed_respelt,
    signed_with,
    to_json,
    values,
    with_claims,
    with_header,
    with_long_header,
    with_parts,
    with_raw_header,
)
from tests.simulator.services.signing import SigningKey, TokenFactory, base64url


def algorithm_rows() -> Iterator[Attack]:
    """A1 to A3: algorithms."""
    why = "RFC 8725 2.1; exact allow-list of one (R1)"
    names = (
        "none", "None", "NONE", "nOnE", "", "RS384", "RS512", "PS256", "ES256", "EdDSA",
        "HS256", "HS384", "HS512", "rs256", "Rs256", "RS256 ", " RS256", "RS256\n",
        "RSA256", "RS256,none", 256, True, False, ["RS256"], {"alg": "RS256"}, 0,
    )  # fmt: skip
    named = [(f"alg {name!r}", with_header(alg=name)) for name in names]
    missing = ("alg None", with_raw_header('{"kid":"%s"}'))
    yield from rows(why, Reason.TOKEN_ALGORITHM, [*named, missing])
    why = "CVE-2022-29217, CVE-2026-102268: public key as HMAC secret (R1)"
    info, pkcs1 = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1
    for what, secret in (
        ("empty", lambda _key: b""),
        ("JWK text", lambda key: to_json(key.jwk())),
        ("modulus text", lambda key: str(key.jwk()["n"]).encode()),
        ("PEM", public_pem),
        ("PEM of PKCS 1", lambda key: public_bytes(key, Encoding.PEM, pkcs1)),
        ("DER", lambda key: public_bytes(key, Encoding.DER, info)),
        ("key id", lambda key: key.key_id.encode()),
    ):
        make = sealed_by(hmac(secret), alg="HS256")
        yield Attack(f"HS256 with {what}", why, make, Reason.TOKEN_ALGORITHM)
    why = "CVE-2026-48523: announced RS256, signed otherwise (R1)"
    others = (
        ("SHA384 as RS256", rsa(RSAAlgorithm(RSAAlgorithm.SHA384))),
        ("SHA512 as RS256", rsa(RSAAlgorithm(RSAAlgorithm.SHA512))),
        ("PSS as RS256", rsa(RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256))),
        ("HMAC with PEM as RS256", hmac(public_pem)),
    )
    forged = [(what, sealed_by(sign)) for what, sign in others]
    yield from rows(why, Reason.SIGNATURE_INVALID, forged)


def header_rows() -> Iterator[Attack]:
    """A4 and A6 to A10: extensions, types, duplicates and other malformed headers."""
    why = "RFC 7515 4.1.11, CVE-2026-32597: extensions (R2)"
    for member, value in (
        ("crit", ["exp"]), ("crit", []), ("crit", "b64"), ("crit", [""]), ("crit", {}),
        ("crit", ["b64", "exp"]), ("b64", False), ("b64", True), ("b64", "false"),
        ("zip", "DEF"), ("zip", ""), ("enc", "A256GCM"), ("enc", 0),
    ):  # fmt: skip
        make = with_header(**{member: value})
        yield Attack(f"{member} {value!r}", why, make, Reason.TOKEN_HEADER)
    for member in ("crit", "b64", "zip", "enc"):
        text = f'{{"alg":"RS256","kid":"%s","{member}":null}}'
        yield Attack(f"{member} null", why, with_raw_header(text), Reason.TOKEN_HEADER)
    why = "RFC 8725 3.11: typ of another kind (R2)"
    for kind in values(
        "JWE", "at+jwt", "secevent+jwt", "application/jwt", "JOSE", "", " JWT", 1, [],
        {}, True, "JWT,JWE",
    ):  # fmt: skip
        yield Attack(f"typ {kind!r}", why, with_header(typ=kind), Reason.TOKEN_HEADER)
    yield from key_rows()
    why = "RFC 7515 4: duplicate members, two readers see two tokens (R5)"
    duplicates = (
        '{"alg":"RS256","alg":"none","kid":"%s"}',
        '{"alg":"none","alg":"RS256","kid":"%s"}',
        '{"alg":"RS256","kid":"x","kid":"%s"}',
        '{"alg":"RS256","kid":"%s","x":{"a":1,"a":2}}',
        '{"alg":"RS256","\\u0061lg":"none","kid":"%s"}',
        '{"alg":"RS256","kid":"%s","k\\u0069d":"x"}',
    )
    texts = [(f"header {text[:60]}", with_raw_header(text)) for text in duplicates]
    yield from rows(why, Reason.TOKEN_MALFORMED, texts)
    why = "RFC 7515 4: the header is a JSON object (R2, R5)"
    no_objects = (
        "", "null", "[]", '"RS256"', "1", "{", '{"alg":"RS256"', "{'alg':'RS256'}",
        '{"alg":"RS256","kid":"%s"}x', '{"alg":"RS256","kid":"%s","x":NaN}',
        "\ufeff" + '{"alg":"RS256","kid":"%s"}', '{"alg":"RS256","kid":"%s",}',
        '{"a":' * 100, '{"alg":"RS256","kid":"%s"}\x00',
        '\x00{"alg":"RS256","kid":"%s"}',
        '{"alg":"RS256","kid":"%s",//\n"x":1}', '{"alg":"RS256","kid":"%s"}\u2028',
    )  # fmt: skip
    texts = [(f"header {text[:60]!r}", with_raw_header(text)) for text in no_objects]
    yield from rows(why, Reason.TOKEN_MALFORMED, texts)


def key_rows() -> Iterator[Attack]:
    """A5 and others: the key id, and keys that a token brings along."""
    why = "RFC 8725 3.10: kid injection (R3)"
    for key_id in values(
        "", "a" * 257, "é", "a\nb", "a\r\nX: y", "a\x00", "\x7f", "\u202e", 7, True, [],
        {}, 1.5, ["a"],
    ):  # fmt: skip
        make = with_header(kid=key_id)
        yield Attack(f"kid {repr(key_id)[:12]}", why, make, Reason.TOKEN_KEY_ID)
    large = with_header(kid="a" * 65_536)
    yield Attack("kid of 64 KiB", why, large, Reason.TOKEN_TOO_LARGE)
    yield Attack("kid missing", why, with_header(kid=None), Reason.TOKEN_KEY_ID)
    null = with_raw_header('{"alg":"RS256","kid":null}')
    yield Attack("kid null", why, null, Reason.TOKEN_KEY_ID)
    unknown = (
        "unknown", "../../etc/passwd", "' OR 1=1 --", "/dev/null", "%s%n", "$(id)",
        "__class__", "keys", " ", "a" * 256, "PLATFORM-KEY", "platform-key ",
        "https://127.0.0.1:1/keys", "http://169.254.169.254/", "\\\\evil.example\\k",
    )  # fmt: skip
    named = [(f"kid {key_id!r}", with_header(kid=key_id)) for key_id in unknown]
    yield from rows(why, Reason.SIGNING_KEY_UNKNOWN, named)
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


def form_rows() -> Iterator[Attack]:
    """A7, A11, A13 to A15: the form of the token."""
    why = "RFC 7515 7.1: compact, three segments, base64url alone (R2)"
    yield from rows(why, Reason.TOKEN_MALFORMED, (
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
    ))  # fmt: skip
    why = (
        "CVE-2026-102269, CVE-2026-62995: a second spelling of the same token (R2, R15)"
    )
    yield from rows(why, Reason.TOKEN_MALFORMED, (
        ("padding =", lambda t: t.mint() + "="),
        ("padding ==", lambda t: t.mint() + "=="),
        ("padded payload", with_parts(lambda h, p, s: f"{h}.{p}=.{s}")),
        ("padded header", with_parts(lambda h, p, s: f"{h}==.{p}.{s}")),
        ("junk !!!!", lambda t: t.mint() + "!!!!"),
        ("plus for minus", with_parts(lambda h, p, s: f"{h}.{p}.{s[:-1]}+")),
        ("slash for underscore", with_parts(lambda h, p, s: f"{h}.{p}.{s[:-1]}/")),
        ("one character more", lambda t: t.mint() + "AAA"),
        ("other last bits", lambda t: respell(t.mint())),
    ))  # fmt: skip
    why = "RFC 7515 2, 3.3: one spelling also where the signature covers it (R2)"
    yield from rows(why, Reason.TOKEN_MALFORMED, (
        ("header signed in another spelling", signed_respelt(0)),
        ("payload signed in another spelling", signed_respelt(1)),
        ("payload signed with padding", signed_with("=")),
        ("payload signed with a newline", signed_with("\n")),
        ("payload signed with a slash", signed_with("/")),
    ))  # fmt: skip
    why = "CVE-2025-61920: size is bounded before decoding (R4)"
    yield from rows(why, Reason.TOKEN_TOO_LARGE, (
        ("16385 bytes", lambda t: t.mint().ljust(16 * 1024 + 1, "A")),
        ("20000 bytes", lambda t: t.mint().ljust(20_000, "A")),
        ("32000 bytes", lambda t: t.mint().ljust(32_000, "A")),
        ("1000000 bytes", lambda t: t.mint().ljust(1_000_000, "A")),
        ("a signed claim of 16 KiB", with_claims(x="x" * 16_384)),
    ))  # fmt: skip
    why = "the time that a stranger can make a header cost: it is refused unread (R4)"
    yield from rows(why, Reason.TOKEN_TOO_LARGE, (
        ("a header part of 1,026 characters", with_long_header(1026)),
        ("a header of 900 members", with_header(**{f"x{n}": n for n in range(900)})),
        ("a header of 2,000 levels", with_raw_header('{"a":' * 2000)),
        ("a long header that is no base64url", lambda t: "!" * 1025 + t.mint()),
    ))  # fmt: skip


def signature_rows() -> Iterator[Attack]:
    """Tampering: the signature covers header and payload."""

    def other_header(tokens: TokenFactory) -> str:
        _head, payload, signature = tokens.mint().split(".")
        head = base64url(to_json({**tokens.header(), "x": 1}))
        return f"{head}.{payload}.{signature}"

    why = "RFC 7515 5.2: the signature is verified before any claim counts (R7)"
    yield from rows(why, Reason.SIGNATURE_INVALID, (
        ("payload of another token", lambda t: t.variant("tampered")),
        ("header changed", other_header),
        ("signed by another key", lambda t: t.mint(key=SigningKey(t.key.key_id))),
        ("signature of zeros", with_parts(lambda h, p, _s: f"{h}.{p}.{'A' * 342}")),
        ("signature of one byte", with_parts(lambda h, p, _s: f"{h}.{p}.AA")),
        ("signature cut", with_parts(lambda h, p, s: f"{h}.{p}.{s[:340]}")),
        ("signature too long", with_parts(lambda h, p, s: f"{h}.{p}.{s[:-2]}AAAAAA")),
        ("expired and forged", lambda t: t.mint(key=SigningKey(t.key.key_id), exp=1)),
    ))  # fmt: skip
