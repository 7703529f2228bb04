"""A compact JWS and a key, whatever the claims: what external vectors test."""

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.core.tokens import read_jws, verify


def verify_compact_jws(token: bytes, key: RSAPublicKey) -> bytes:
    """Verify a compact JWS with this key and return its payload.

    Raises:
        TokenRefusedError: anything is wrong with the JWS.
    """
    return verify(read_jws(token), key)
