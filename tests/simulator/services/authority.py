"""A certificate authority for tests and the simulator; it certifies loopback."""

import shutil
import ssl
import tempfile
import weakref
from datetime import datetime
from functools import cached_property
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1", *(f"127.0.1.{last}" for last in range(1, 10)))


class Authority:
    """Issues certificates; its files are removed when it is garbage-collected."""

    def __init__(self, *names: str) -> None:
        """Make the authority and a certificate for ``names`` (default: loopback)."""
        self._directory = Path(tempfile.mkdtemp(prefix="simulator-"))
        weakref.finalize(self, shutil.rmtree, self._directory, ignore_errors=True)
        self._authority = trustme.CA()
        self._certificate = self._authority.issue_cert(*(names or NAMES))

    @cached_property
    def bundle(self) -> Path:
        """The authority's certificate in PEM: the value of CALLING_CA_BUNDLE."""
        path = self._directory / "authority.pem"
        self._authority.cert_pem.write_to_path(str(path))
        return path

    @cached_property
    def certificate(self) -> tuple[Path, Path]:
        """Certificate chain and key in PEM, for a server."""
        return self._write("server", self._certificate)

    def issue(self, *names: str) -> tuple[Path, Path]:
        """Issue a certificate for ``names``; return chain and key in PEM."""
        return self._write(names[0], self._authority.issue_cert(*names))

    def client_context(self) -> ssl.SSLContext:
        """Return a context that trusts this authority only."""
        return ssl.create_default_context(cafile=str(self.bundle))

    def server_context(
        self, *names: str, not_after: datetime | None = None
    ) -> ssl.SSLContext:
        """Return a server's context, with a certificate for ``names`` or loopback."""
        certificate = self._certificate
        if names or not_after:
            certificate = self._authority.issue_cert(
                *(names or NAMES), not_after=not_after
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context

    def _write(self, stem: str, certificate: trustme.LeafCert) -> tuple[Path, Path]:
        chain = self._directory / f"{stem}.pem"
        key = self._directory / f"{stem}.key"
        for number, blob in enumerate(certificate.cert_chain_pems):
            blob.write_to_path(str(chain), append=number > 0)
        certificate.private_key_pem.write_to_path(str(key))
        return chain, key
