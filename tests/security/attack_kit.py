"""What the rows of the attack table are made of: tokens with a fault."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import HMACAlgorithm, RSAAlgorithm

from shared.core.reasons import Reason
from tests.simulator.services.signing import SigningKey, TokenFactory, base64url

HOUR = 3600
DAY = 24 * HOUR

RS256 = RSAAlgorithm(RSAAlgorithm.SHA256)

type Make = Callable[[TokenFactory], str]
type Sign = Callable[[SigningKey, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Attack:
    """One row: what is wrong, why it matters, the token, the expected verdict."""

    what: str
    why: str
    make: Make
    verdict: Reason | None


def rows(
    why: str, verdict: Reason | None, tokens: Iterable[tuple[str, Make]]
) -> Iterator[Attack]:
    """Yield a row for each of these tokens, which have one reason in common."""
    for what, make in tokens:
        yield Attack(what, why, make, verdict)


def values(*values: Any) -> tuple[Any, ...]:
    return values


def to_json(value: object) -> bytes:
    return json.dumps(value).encode()


def with_header(**changes: Any) -> Make:
    return lambda tokens: tokens.mint(changes)


def with_long_header(characters: int) -> Make:
    """Mint with a header part of so many characters."""

    def make(tokens: TokenFactory) -> str:
        plain = len(urlsafe_b64decode(tokens.mint({"x": ""}).partition(".")[0] + "=="))
        return tokens.mint({"x": "x" * (characters * 3 // 4 - plain)})

    return make


def with_claims(**changes: Any) -> Make:
    return lambda tokens: tokens.mint(**changes)


def with_raw_header(text: str) -> Make:
    """Sign a header of this text; ``%s`` is the key id."""
    return lambda tokens: tokens.key.sign(
        text.replace("%s", tokens.key.key_id).encode(), to_json(tokens.claims())
    )


def with_raw_payload(change: Callable[[dict[str, Any]], bytes]) -> Make:
    """Sign a payload of these bytes."""
    return lambda tokens: tokens.key.sign(
        to_json(tokens.header()), change(tokens.claims())
    )


def with_value(claim: str, text: str) -> Make:
    """Sign claims in which one has this very JSON text."""

    def change(claims: dict[str, Any]) -> bytes:
        marked = to_json({**claims, claim: "@@"})
        return marked.replace(b'"@@"', text.encode())

    return with_raw_payload(change)


def with_parts(change: Callable[[str, str, str], str]) -> Make:
    """Put the parts of a good token together otherwise."""
    return lambda tokens: change(*tokens.mint().split("."))


def seal(
    tokens: TokenFactory, head: str, payload: str, sign: Sign | None = None
) -> str:
    """Put a signature behind two parts, however they are spelt."""
    data = f"{head}.{payload}".encode()
    signature = sign(tokens.key, data) if sign else RS256.sign(data, tokens.key.private)
    return f"{head}.{payload}.{base64url(signature)}"


def sealed_by(sign: Sign, **header: Any) -> Make:
    """Sign in another way than the header says, unless ``header`` changes that."""

    def make(tokens: TokenFactory) -> str:
        head = base64url(to_json({**tokens.header(), **header}))
        return seal(tokens, head, base64url(to_json(tokens.claims())), sign)

    return make


def rsa(algorithm: Any) -> Sign:
    """Sign with the private key by another algorithm of RSA."""
    return lambda key, data: bytes(algorithm.sign(data, key.private))


def hmac(secret: Callable[[SigningKey], bytes]) -> Sign:
    """Sign with a secret made of the public key (CVE-2022-29217)."""
    return lambda key, data: HMACAlgorithm(HMACAlgorithm.SHA256).sign(data, secret(key))


def public_bytes(key: SigningKey, encoding: Encoding, form: PublicFormat) -> bytes:
    """Return the public key in a form that somebody may take for a secret."""
    return key.private.public_key().public_bytes(encoding, form)


def public_pem(key: SigningKey) -> bytes:
    """Return the public key as most programs keep it."""
    return public_bytes(key, Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def respell(token: str) -> str:
    """Change the unused low bits of the last character of the signature."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def signed_respelt(part: int) -> Make:
    """Sign parts of which one has another spelling of the same bytes."""

    def make(tokens: TokenFactory) -> str:
        # White space at the end gives a length that leaves unused bits.
        texts = [to_json(tokens.header()), to_json(tokens.claims())]
        while len(texts[part]) % 3 == 0:
            texts[part] += b" "
        parts = [base64url(text) for text in texts]
        parts[part] = respell(parts[part])
        return seal(tokens, parts[0], parts[1])

    return make


def signed_with(end: str) -> Make:
    """Sign a payload that has something at its end."""
    return lambda tokens: seal(
        tokens,
        base64url(to_json(tokens.header())),
        f"{base64url(to_json(tokens.claims()))}{end}",
    )
