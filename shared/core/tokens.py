"""Bearer tokens of the calling platform: from the header to vetted claims.

The order is the point, and every step refuses with a reason of its own:

1. ``read_bearer``: exactly one Bearer token of at most 16 KiB.
2. ``read_jws``: a compact JWS (RFC 7515) in canonical base64url, with a header of
   at most 1,024 characters, RS256 by name, without any extension. Nothing is looked
   up and nothing is fetched.
3. ``read_key_id``: a key id that may be looked up.
4. ``verify``: the signature, with a key prepared when the set was loaded.
5. ``read_claims``: issuer, audience, tenant and times, each of exactly its type.

Real tokens say ``cty: JWT`` over plain claims, live 300 s and have no ``iat``:
https://github.com/MicrosoftDocs/bot-docs/issues/2242. What they must say:
https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
"""

from binascii import a2b_base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from shared.core.errors import TokenRefusedError
from shared.core.guids import is_guid
from shared.core.key_sets import is_key_id
from shared.core.reasons import Reason
from shared.core.strict_json import JsonObject, StrictJsonError, read_object

MAX_TOKEN_BYTES = 16 * 1024
# Real headers have about 150 characters. Anybody can make this part costly to read: it
# is the only JSON that is read before the signature holds.
MAX_HEADER_PART_BYTES = 1024
MAX_LEEWAY_SECONDS = 300
_MAX_LIFETIME_SECONDS = 24 * 60 * 60
_MAX_NUMERIC_DATE = 2**40

_SCHEME = "bearer "
# The characters whose unused low bits are zero, by length modulo 4: any other last
# character would give the same bytes a second spelling (CVE-2026-102269).
_CANONICAL_ENDS = {2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
# Map -_ to +/, and +/= to NUL, so that the strict decoder refuses them.
_TO_STANDARD_ALPHABET = bytes.maketrans(b"-_+/=", b"+/\0\0\0")
_PADDING = (b"", b"", b"==", b"=")
_REFUSED_MEMBERS = ("crit", "b64", "zip", "enc")
_ENTRA_ISSUERS = ("https://sts.windows.net/", "https://login.microsoftonline.com/")
# RS256 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
_PADDING_OF_RS256 = PKCS1v15()
_HASH_OF_RS256 = SHA256()


class Jws(NamedTuple):
    """A compact JWS that passed every check that needs no key.

    ``key_id`` is the header's ``kid``, if that is a text.
    """

    key_id: str | None
    signing_input: bytes
    payload: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """What a token must say.

    Attributes:
        audience: the bot's application id in lower case: GUIDs have no case.
        issuers: the accepted issuers, compared exactly.
        leeway_seconds: 0 to 300, for the clocks of both sides.
    """

    audience: str
    issuers: frozenset[str]
    leeway_seconds: int = MAX_LEEWAY_SECONDS

    def __post_init__(self) -> None:
        """Refuse a leeway that would outlive the tokens (they live 300 s)."""
        if not 0 <= self.leeway_seconds <= MAX_LEEWAY_SECONDS:
            message = f"leeway must be 0 to {MAX_LEEWAY_SECONDS} seconds"
            raise ValueError(message)


class TokenClaims(NamedTuple):
    """The claims that count: the caller's tenant in lower case, and times (epoch s)."""

    tenant_id: str
    expires_at: int
    not_before: int


def read_bearer(headers: Mapping[str, str]) -> bytes:
    """Take the token out of ``Authorization`` (RFC 6750 section 2.1).

    A second header arrives joined by a comma, which no token may contain.

    Raises:
        TokenRefusedError: there is not exactly one Bearer token, it is too large, or
            not ASCII.
    """
    value = headers.get("authorization")
    if not value:
        raise TokenRefusedError(Reason.AUTHORIZATION_MISSING)
    if value[: len(_SCHEME)].lower() != _SCHEME:
        raise TokenRefusedError(Reason.AUTHORIZATION_MALFORMED)
    token = value[len(_SCHEME) :]
    if len(token) > MAX_TOKEN_BYTES:
        raise TokenRefusedError(Reason.TOKEN_TOO_LARGE)
    if not token or "," in token or " " in token or "\t" in token:
        raise TokenRefusedError(Reason.AUTHORIZATION_MALFORMED)
    try:
        return token.encode("ascii")
    except UnicodeEncodeError as error:
        raise TokenRefusedError(Reason.TOKEN_MALFORMED) from error


def read_jws(token: bytes) -> Jws:
    """Take a compact JWS apart and vet its header.

    Raises:
        TokenRefusedError: not canonical, not strict JSON, not plain RS256, or its
            header part is too large to be read at all.
    """
    try:
        # A token of nothing but dots would make 16,000 parts.
        header, payload, signature = token.split(b".", 3)
    except ValueError as error:
        raise TokenRefusedError(Reason.TOKEN_MALFORMED) from error
    if not signature:
        raise TokenRefusedError(Reason.TOKEN_MALFORMED)
    if len(header) > MAX_HEADER_PART_BYTES:
        raise TokenRefusedError(Reason.TOKEN_TOO_LARGE)
    return Jws(
        _read_header(header),
        token[: -len(signature) - 1],
        _decode(payload),
        _decode(signature),
    )


def read_key_id(jws: Jws) -> str:
    """Return the ``kid``: nothing but a name to look up in the held key set.

    A JWS may have an empty payload, a token may not: no key is looked up for that.

    Raises:
        TokenRefusedError: missing, not text, empty, too long or not printable ASCII;
            or the payload is empty.
    """
    if not jws.payload:
        raise TokenRefusedError(Reason.TOKEN_MALFORMED)
    if jws.key_id is None or not is_key_id(jws.key_id):
        raise TokenRefusedError(Reason.TOKEN_KEY_ID)
    return jws.key_id


def verify(jws: Jws, key: RSAPublicKey) -> bytes:
    """Verify the signature and return the payload.

    Raises:
        TokenRefusedError: the signature does not fit.
    """
    try:
        key.verify(jws.signature, jws.signing_input, _PADDING_OF_RS256, _HASH_OF_RS256)
    except InvalidSignature as error:
        raise TokenRefusedError(Reason.SIGNATURE_INVALID) from error
    return jws.payload


def read_claims(payload: bytes, policy: TokenPolicy, *, now: float) -> TokenClaims:
    """Vet the claims of a verified payload at ``now`` (epoch seconds).

    Raises:
        TokenRefusedError: a claim is missing, of another type, or refused.
    """
    claims = _read_json(payload)
    _vet_issuer(claims.get("iss"), policy)
    audience = claims.get("aud")
    if type(audience) is not str:
        raise TokenRefusedError(Reason.CLAIMS_MALFORMED)
    if audience.lower() != policy.audience:
        raise TokenRefusedError(Reason.AUDIENCE_REFUSED)
    tenant_id = claims.get("tid")
    # Chat channel tokens of the same bot share issuer, audience and keys, but name no
    # tenant: RFC 8725 section 3.12, mutually exclusive rules.
    if tenant_id is None:
        raise TokenRefusedError(Reason.TENANT_MISSING)
    if type(tenant_id) is not str or not is_guid(tenant_id):
        raise TokenRefusedError(Reason.CLAIMS_MALFORMED)
    expires_at, not_before = _vet_times(claims, policy.leeway_seconds, now)
    return TokenClaims(tenant_id.lower(), expires_at, not_before)


def _read_json(data: bytes) -> JsonObject:
    try:
        return read_object(data)
    except StrictJsonError as error:
        raise TokenRefusedError(Reason.TOKEN_MALFORMED) from error


def _decode(part: bytes) -> bytes:
    """Decode canonical base64url without padding (RFC 7515 section 2)."""
    remainder = len(part) % 4
    if remainder and part[-1] not in _CANONICAL_ENDS.get(remainder, ()):
        raise TokenRefusedError(Reason.TOKEN_MALFORMED)
    padded = part.translate(_TO_STANDARD_ALPHABET) + _PADDING[remainder]
    try:
        return a2b_base64(padded, strict_mode=True)
    except ValueError as error:
        raise TokenRefusedError(Reason.TOKEN_MALFORMED) from error


# The platform's tokens share a few headers, one for each key. Only the key id is
# cached: an attacker controls the rest of the header. Refusals are not cached.
@lru_cache(maxsize=32)
def _read_header(part: bytes) -> str | None:
    """Vet a header and return its ``kid``."""
    header = _read_json(_decode(part))
    if header.get("alg") != "RS256":
        raise TokenRefusedError(Reason.TOKEN_ALGORITHM)
    if any(member in header for member in _REFUSED_MEMBERS):
        raise TokenRefusedError(Reason.TOKEN_HEADER)
    kind = header.get("typ", "JWT")
    if type(kind) is not str or kind.lower() != "jwt":
        raise TokenRefusedError(Reason.TOKEN_HEADER)
    key_id = header.get("kid")
    return key_id if type(key_id) is str else None


def _vet_issuer(issuer: object, policy: TokenPolicy) -> None:
    if type(issuer) is not str:
        raise TokenRefusedError(Reason.CLAIMS_MALFORMED)
    if issuer in policy.issuers:
        return
    # Older documentation announced such tokens: a migration must not go unnoticed.
    if issuer.startswith(_ENTRA_ISSUERS):
        raise TokenRefusedError(Reason.ISSUER_ENTRA)
    raise TokenRefusedError(Reason.ISSUER_REFUSED)


def _vet_times(claims: JsonObject, leeway: int, now: float) -> tuple[int, int]:
    """Vet NumericDates, whole numbers only (RFC 7519 section 2).

    Returns ``exp`` and ``nbf``.
    """
    expires_at = _numeric_date(claims.get("exp"))
    not_before = _numeric_date(claims.get("nbf"))
    issued_at = _numeric_date(claims["iat"]) if "iat" in claims else not_before
    if not 0 < expires_at - not_before <= _MAX_LIFETIME_SECONDS:
        raise TokenRefusedError(Reason.TOKEN_LIFETIME)
    if expires_at <= now - leeway:
        raise TokenRefusedError(Reason.TOKEN_EXPIRED)
    if max(not_before, issued_at) > now + leeway:
        raise TokenRefusedError(Reason.TOKEN_NOT_YET_VALID)
    return expires_at, not_before


def _numeric_date(value: object) -> int:
    if type(value) is not int or not 0 < value < _MAX_NUMERIC_DATE:
        raise TokenRefusedError(Reason.CLAIMS_MALFORMED)
    return value
