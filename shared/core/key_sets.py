"""The platform's signing keys: a JWKS document in, vetted RS256 keys out.

RFC 7517, RFC 7518 section 6.3. A member that is odd in any way is left out and
does not affect the others; two different keys under one id are both dropped. The
algorithm is fixed here, never taken from a key or a document.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPublicKey,
    RSAPublicNumbers,
)

from shared.core.strict_json import JsonObject, StrictJsonError, read_object

_KEY_ID = re.compile(r"[\x20-\x7e]{1,256}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_KEY_BITS = range(2048, 8192 + 1)
_EXPONENTS = range(3, 2**32, 2)


@dataclass(frozen=True, slots=True, eq=False)
class KeySet:
    """Signing keys by key id, prepared for verification. Replaced whole, never edited.

    Compared by identity: what was verified with one set says nothing about the next.
    """

    keys: Mapping[str, RSAPublicKey]


def is_key_id(value: object) -> bool:
    """Tell whether a ``kid`` has the form that this product looks up."""
    return isinstance(value, str) and _KEY_ID.fullmatch(value) is not None


def read_key_set(document: bytes) -> KeySet:
    """Read a JWKS document. The result may be empty: the caller refuses that.

    Raises:
        StrictJsonError: the document is not strict JSON, or holds no list of keys.
    """
    members = read_object(document).get("keys")
    if type(members) is not list:
        raise StrictJsonError
    keys: dict[str, RSAPublicKey] = {}
    conflicting: set[str] = set()
    for key_id, key in _usable_keys(members):
        if keys.setdefault(key_id, key).public_numbers() != key.public_numbers():
            conflicting.add(key_id)
    usable = {kid: key for kid, key in keys.items() if kid not in conflicting}
    return KeySet(MappingProxyType(usable))


def read_signing_key(member: object) -> RSAPublicKey | None:
    """Turn one JWK into a key that may verify RS256; ``None`` if it may not."""
    if type(member) is not dict or not _is_for_rs256(member):
        return None
    modulus = _read_integer(member.get("n"))
    exponent = _read_integer(member.get("e"))
    if modulus is None or exponent is None:
        return None
    if modulus.bit_length() not in _KEY_BITS or modulus % 2 == 0:
        return None
    if exponent not in _EXPONENTS:
        return None
    try:
        return RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        return None


def _usable_keys(members: list[object]) -> Iterator[tuple[str, RSAPublicKey]]:
    for member in members:
        key = read_signing_key(member)
        if key is not None and type(member) is dict and is_key_id(member.get("kid")):
            yield member["kid"], key


def _is_for_rs256(member: JsonObject) -> bool:
    operations = member.get("key_ops", ["verify"])
    return (
        member.get("kty") == "RSA"
        and member.get("alg", "RS256") == "RS256"
        and member.get("use", "sig") == "sig"
        and type(operations) is list
        and "verify" in operations
        # A private key that somebody published can sign for anybody.
        and "d" not in member
    )


def _read_integer(value: object) -> int | None:
    """Read Base64urlUInt (RFC 7518 section 2) of a bounded size."""
    if type(value) is not str or len(value) > _KEY_BITS.stop // 6 + 2:
        return None
    if _BASE64URL.fullmatch(value) is None or len(value) % 4 == 1:
        return None
    return int.from_bytes(urlsafe_b64decode(value + "=="))
