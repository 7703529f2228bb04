"""Entra and the managed identity endpoint, and credentials that ask them."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import trustme
from cryptography.x509 import load_pem_x509_certificate

from shared.credential_settings import CredentialKind, CredentialSettings
from shared.edge.entra import EntraClient
from shared.edge.graph_tokens import GraphTokens
from shared.edge.held_tokens import HeldTokens
from tests.simulator.services.authority import Authority
from tests.simulator.services.entra import (
    ASSERTION_AUDIENCE,
    STORAGE,
    Entra,
    IssuedToken,
    ManagedIdentityEndpoint,
    Registration,
)
from tests.simulator.services.signing import APP_ID, TENANT_ID
from tests.support.running import Running

IDENTITY_CLIENT_ID = "9b1f0a77-2f0e-4c55-9b6c-0f6a3f0d8c21"
GRAPH_URL = "https://graph.example:8443/v1.0"
SECRET = "a-very-secret-password"
ENOUGH_SECONDS = 10.0
_TOKEN_PATH = "oauth2/v2.0/token"
_DISCOVERY_PATH = "v2.0/.well-known/openid-configuration"


class TokenServers(Running):
    """Entra and the managed identity endpoint, and credentials that use them."""

    def __init__(self, authority: Authority, directory: Path) -> None:
        self._ca_bundle = str(authority.bundle)
        self.registration = Registration(APP_ID, secret=SECRET)
        self.entra = Entra(authority.certificate, self.registration)
        self.identity = ManagedIdentityEndpoint(self.registration, self.entra)
        self._made: list[EntraClient] = []
        own = trustme.CA().issue_cert("bot.example", key_type=trustme.KeyType.RSA)
        self.certificate_path = str(directory / "bot.pem")
        own.private_key_and_cert_chain_pem.write_to_path(self.certificate_path)
        [leaf, *_chain] = own.cert_chain_pems
        self.registration.certificate = load_pem_x509_certificate(leaf.bytes())

    def start(self, stack: ExitStack) -> None:
        """Start the servers."""
        for each in (self.entra, self.identity):
            stack.enter_context(each)
        stack.callback(self._close_connections)

    @property
    def asked(self) -> list[str]:
        """The tenants of the token requests; msal may ask where to send them."""
        paths = [path.split("/", 2)[1:] for path in self.entra.requests]
        assert {rest for _tenant, rest in paths} <= {_TOKEN_PATH, _DISCOVERY_PATH}
        return [tenant for tenant, rest in paths if rest == _TOKEN_PATH]

    def reset(self) -> None:
        """Heal the servers and forget what they were asked."""
        self._close_connections()
        self.entra.fault = self.entra.discovery_fault = None
        self.entra.delay_seconds, self.entra.lifetime_seconds = 0.0, 3600
        self.entra.requests.clear()
        self.entra.issued.clear()
        self.identity.requests.clear()
        self.identity.fault = None
        self.identity.resources = {STORAGE}

    def _close_connections(self) -> None:
        for client in self._made:
            client.close()
        self._made.clear()

    def client(self, **changes: Any) -> EntraClient:
        """Return a client of Entra: with a client secret unless changed."""
        ca_bundle = changes.pop("ca_bundle", self._ca_bundle)
        settings = CredentialSettings(
            kind=CredentialKind.CLIENT_SECRET,
            app_id=APP_ID,
            login_url=self.entra.url,
            federation_audience=ASSERTION_AUDIENCE,
            identity_client_id=IDENTITY_CLIENT_ID,
            app_password=SECRET,
            certificate_path=self.certificate_path,
        )
        client = EntraClient(
            settings._replace(**changes), graph_url=GRAPH_URL, ca_bundle=ca_bundle
        )
        self._made.append(client)
        return client

    def credentials(self, **changes: Any) -> GraphTokens:
        """Return what hands out the tokens of such a client."""
        return GraphTokens(self.client(**changes))

    def get(self, kind: CredentialKind, **changes: Any) -> IssuedToken:
        """Get one token; return what Entra knows about it."""
        credentials = self.credentials(kind=kind, **changes)
        return self.entra.issued[asyncio.run(ask(credentials))]


async def ask(
    credentials: HeldTokens,
    tenant_id: str = TENANT_ID,
    *,
    seconds: float = ENOUGH_SECONDS,
) -> str:
    """Ask for a token."""
    return await credentials.token(tenant_id, timeout_seconds=seconds)
