"""Signing keys and tokens of the calling platform, good ones and bad ones.

Shape of a real token: https://github.com/MicrosoftDocs/bot-docs/issues/2242. Header
RS256 with kid, x5t = kid, typ and (wrongly) cty JWT; claims tid, appid, nbf, exp =
nbf + 300 s, iss, aud; no iat.
"""

import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://api.botframework.com"
# The bot, and the tenant of its calls, wherever nothing else is said.
APP_ID = "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10"
TENANT_ID = "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87"
PLATFORM_APP_ID = "26a18ebc-cdf7-4a6a-91cb-beb352805e81"
LIFETIME_SECONDS = 300

_RS256 = RSAAlgorithm(RSAAlgorithm.SHA256)


class SigningKey:
    """An RSA key under a key id."""

    def __init__(
        self,
        key_id: str | None = None,
        *,
        bits: int = 2048,
        private: RSAPrivateKey | None = None,
    ) -> None:
        """Take a private key, or make one; a missing id is random."""
        self.key_id = key_id or secrets.token_urlsafe(20)
        self.private = private or generate_private_key(65537, bits)

    @classmethod
    def kept_in(cls, file: Path) -> Self:
        """Return the key in a PEM file; make the file if it does not exist.

        Processes that name the same file sign with the same key under the same id.

        Raises:
            TypeError: the file holds another kind of key.
        """
        if not file.exists():
            key = generate_private_key(65537, 2048)
            file.touch(mode=0o600)
            file.write_bytes(
                key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            )
        private = load_pem_private_key(file.read_bytes(), None)
        if not isinstance(private, RSAPrivateKey):
            message = f"{file} holds no RSA key"
            raise TypeError(message)
        modulus = private.public_key().public_numbers().n
        digest = sha256(modulus.to_bytes(modulus.bit_length() // 8 + 1)).digest()
        return cls(base64url(digest[:20]), private=private)

    def jwk(self) -> dict[str, Any]:
        """Return the public half as the provider publishes it."""
        public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        member = {"kty": "RSA", "use": "sig", "kid": self.key_id, "x5t": self.key_id}
        return {**member, "n": public["n"], "e": public["e"]}

    def sign(self, header: bytes, payload: bytes) -> str:
        """Return a compact JWS of exactly these bytes, however malformed they are."""
        signing_input = f"{base64url(header)}.{base64url(payload)}".encode()
        signature = _RS256.sign(signing_input, self.private)
        return f"{signing_input.decode()}.{base64url(signature)}"


def base64url(data: bytes) -> str:
    """Encode without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenFactory:
    """Mints tokens for one bot.

    Attributes:
        key: signs the tokens; it may be replaced at any time.
        tenant_id: the claim ``tid``.
        skew_seconds: how far the minting clock is ahead, or behind if negative.
    """

    def __init__(
        self, key: SigningKey, *, audience: str = APP_ID, tenant_id: str = TENANT_ID
    ) -> None:
        """Sign with ``key``; the others are the claims ``aud`` and ``tid``."""
        self.key = key
        self.tenant_id = tenant_id
        self.skew_seconds = 0
        self._audience = audience

    def header(self) -> dict[str, Any]:
        """Return the header of a real token."""
        key_id = self.key.key_id
        shape = {"alg": "RS256", "kid": key_id, "typ": "JWT", "cty": "JWT"}
        return {**shape, "x5t": key_id}

    def claims(self) -> dict[str, Any]:
        """Return the claims of a real token that was issued now."""
        now = int(time.time()) + self.skew_seconds
        return {
            "tid": self.tenant_id,
            "appid": PLATFORM_APP_ID,
            "nbf": now,
            "exp": now + LIFETIME_SECONDS,
            "iss": ISSUER,
            "aud": self._audience,
        }

    def mint(
        self,
        header: Mapping[str, Any] | None = None,
        key: SigningKey | None = None,
        **claims: Any,
    ) -> str:
        """Mint a token; ``None`` removes a member of the header or a claim."""
        members = _merge(self.header(), header or {})
        payload = _merge(self.claims(), claims)
        return (key or self.key).sign(_json(members), _json(payload))

    def variant(self, name: str) -> str:
        """Mint one of ``VARIANTS``."""
        return VARIANTS[name](self)


def _merge(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**base, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _expired(tokens: TokenFactory) -> str:
    past = int(time.time()) - 3600
    return tokens.mint(nbf=past, exp=past + LIFETIME_SECONDS)


def _not_yet_valid(tokens: TokenFactory) -> str:
    future = int(time.time()) + 3600
    return tokens.mint(nbf=future, exp=future + LIFETIME_SECONDS)


def _tampered(tokens: TokenFactory) -> str:
    head, _payload, signature = tokens.mint().split(".")
    other = tokens.mint(tid="99999999-9999-4999-8999-999999999999").split(".")[1]
    return f"{head}.{other}.{signature}"


def _unsigned(tokens: TokenFactory) -> str:
    head = _json({**tokens.header(), "alg": "none"})
    return f"{base64url(head)}.{base64url(_json(tokens.claims()))}."


VARIANTS: Mapping[str, Callable[[TokenFactory], str]] = {
    "good": lambda tokens: tokens.mint(),
    "forged": lambda tokens: tokens.mint(key=SigningKey(tokens.key.key_id)),
    "tampered": _tampered,
    "unsigned": _unsigned,
    "unknown-key": lambda tokens: tokens.mint(
        {"kid": "unknown"}, SigningKey("unknown")
    ),
    "expired": _expired,
    "not-yet-valid": _not_yet_valid,
    "wrong-audience": lambda tokens: tokens.mint(
        aud="00000000-0000-4000-8000-000000000000"
    ),
    "wrong-issuer": lambda tokens: tokens.mint(iss="https://api.botframework.com/"),
    "no-tenant": lambda tokens: tokens.mint(tid=None),
}
