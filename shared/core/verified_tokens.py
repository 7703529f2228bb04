"""Tokens that were verified a moment ago, so that a repeated one costs no signature.

Only an optimisation: a miss leads to the whole validation. Bounded; an entry ends with
the token, and all of them end with the key set that verified them.
"""

from hashlib import sha256

from shared.core.bounded import BoundedDict
from shared.core.key_sets import KeySet
from shared.core.tokens import TokenClaims

MAX_ENTRIES = 1024


class VerifiedTokens:
    """Claims by the digest of their token. For one event loop."""

    def __init__(self, *, leeway_seconds: int) -> None:
        """Remember nothing yet; ``leeway_seconds`` as in the token policy."""
        self._leeway_seconds = leeway_seconds
        self._key_set: KeySet | None = None
        self._claims: BoundedDict[bytes, TokenClaims] = BoundedDict(MAX_ENTRIES)

    def find(self, digest: bytes, key_set: KeySet, *, now: float) -> TokenClaims | None:
        """Return the claims if this very token was verified with this very key set."""
        self._forget_other_keys(key_set)
        claims = self._claims.get(digest)
        if claims is None or claims.expires_at > now - self._leeway_seconds:
            return claims
        del self._claims[digest]
        return None

    def remember(self, digest: bytes, key_set: KeySet, claims: TokenClaims) -> None:
        """Remember a token that has just been verified with ``key_set``."""
        self._forget_other_keys(key_set)
        self._claims[digest] = claims

    def _forget_other_keys(self, key_set: KeySet) -> None:
        if key_set is not self._key_set:
            self._key_set = key_set
            self._claims.clear()


def digest_of(token: bytes) -> bytes:
    """Return what stands for a token here: the SHA-256 of all of it."""
    return sha256(token).digest()
