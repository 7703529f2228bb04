"""The bot's certificate with its private key, as CALLING_CERTIFICATE_PATH names it."""

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates


def end_of_certificate(content: bytes) -> float:
    """Vet the content of a PEM file; return when its certificate ends (epoch seconds).

    Raises:
        ValueError, TypeError, UnsupportedAlgorithm: it is no certificate with its
            private RSA key.
    """
    certificate = load_pem_x509_certificates(content)[0]
    key = load_pem_private_key(content, password=None)
    if key.public_key() != certificate.public_key():
        message = "the key is not that of the certificate"
        raise ValueError(message)
    # Entra takes assertions that are signed with RSA:
    # https://learn.microsoft.com/entra/identity-platform/certificate-credentials
    if not isinstance(key, RSAPrivateKey):
        message = "the key is not RSA"
        raise TypeError(message)
    return certificate.not_valid_after_utc.timestamp()
