"""What rows of the attack table are made of: tokens with something wrong in them."""

import json
import time
from collections.abc import Callable
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


def values(*values: Any) -> tuple[Any, ...]:
    """Return values of several types."""
    return values


def to_json(value: object) -> bytes:
    """Encode as JSON."""
    return json.dumps(value).encode()


def with_header(**changes: Any) -> Make:
    """Mint with other members in the header."""
    return lambda tokens: tokens.mint(changes)


def with_claims(**changes: Any) -> Make:
    """Mint with other claims."""
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


def hmac_with(secret: Callable[[SigningKey], bytes]) -> Make:
    """Sign with HS256 and a secret made of the public key (CVE-2022-29217)."""

    def make(tokens: TokenFactory) -> str:
        header = {**tokens.header(), "alg": "HS256"}
        signing_input = (
            f"{base64url(to_json(header))}.{base64url(to_json(tokens.claims()))}"
        )
        algorithm = HMACAlgorithm(HMACAlgorithm.SHA256)
        signature = algorithm.sign(signing_input.encode(), secret(tokens.key))
        return f"{signing_input}.{base64url(signature)}"

    return make


def public_bytes(key: SigningKey, encoding: Encoding, form: PublicFormat) -> bytes:
    """Return the public key in a form that somebody may take for a secret."""
    return key.private.public_key().public_bytes(encoding, form)


def public_pem(key: SigningKey) -> bytes:
    """Return the public key as most programs keep it."""
    return public_bytes(key, Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hmac_as_rs256(tokens: TokenFactory) -> str:
    """Sign with the public key as a secret, under the algorithm that is allowed."""
    head, payload, _signature = tokens.mint().split(".")
    secret = public_pem(tokens.key)
    algorithm = HMACAlgorithm(HMACAlgorithm.SHA256)
    signature = algorithm.sign(f"{head}.{payload}".encode(), secret)
    return f"{head}.{payload}.{base64url(signature)}"


def signed_as(algorithm: Any, name: str) -> Make:
    """Sign with another RSA algorithm, announced as ``name``."""

    def make(tokens: TokenFactory) -> str:
        header = to_json({**tokens.header(), "alg": name})
        signing_input = f"{base64url(header)}.{base64url(to_json(tokens.claims()))}"
        signature = algorithm.sign(signing_input.encode(), tokens.key.private)
        return f"{signing_input}.{base64url(signature)}"

    return make


def now_seconds() -> int:
    """Return the time in epoch seconds."""
    return int(time.time())


def respell(token: str) -> str:
    """Change the unused low bits of the last character of the signature."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def signed_parts(tokens: TokenFactory, head: str, payload: str) -> str:
    """Sign two parts as they are."""
    signature = RS256.sign(f"{head}.{payload}".encode(), tokens.key.private)
    return f"{head}.{payload}.{base64url(signature)}"


def signed_respelt(part: int) -> Make:
    """Sign parts of which one has another spelling of the same bytes."""

    def make(tokens: TokenFactory) -> str:
        # White space at the end gives a length that leaves unused bits.
        texts = [to_json(tokens.header()), to_json(tokens.claims())]
        while len(texts[part]) % 3 == 0:
            texts[part] += b" "
        parts = [base64url(text) for text in texts]
        parts[part] = respell(parts[part])
        return signed_parts(tokens, *parts)

    return make


def signed_with(end: str) -> Make:
    """Sign a payload that has something at its end."""
    return lambda tokens: signed_parts(
        tokens,
        base64url(to_json(tokens.header())),
        f"{base64url(to_json(tokens.claims()))}{end}",
    )
