"""What a deployment talks to: identity provider, Entra, managed identity, Graph.

with Neighbours() as neighbours:
settings = neighbours.settings()  # app settings of a deployment
token = neighbours.tokens.mint()  # as the calling platform would send it
"""

from contextlib import ExitStack

from tests.simulator.services.authority import Authority
from tests.simulator.services.entra import Entra, ManagedIdentityEndpoint, Registration
from tests.simulator.services.graph_api import GraphApi
from tests.simulator.services.openid_provider import IdentityProvider
from tests.simulator.services.signing import (
    APP_ID,
    ISSUER,
    TENANT_ID,
    SigningKey,
    TokenFactory,
)
from tests.support.running import Running


class Neighbours(Running):
    """The neighbours of the deployments of one bot, with one tenant.

    Attributes:
        registration: the bot's, as Entra knows it.
        tokens: mints what the platform would send.
    """

    def __init__(
        self,
        *,
        app_id: str = APP_ID,
        tenant_id: str = TENANT_ID,
        key: SigningKey | None = None,
    ) -> None:
        """Sign the platform's tokens with ``key``, or with a new one."""
        self.app_id = app_id
        self.tenant_id = tenant_id
        self.authority = Authority()
        self.registration = Registration(app_id, tenant_id)
        self.key = key or SigningKey()
        self.tokens = TokenFactory(self.key, audience=app_id, tenant_id=tenant_id)
        certificate = self.authority.certificate
        self.provider = IdentityProvider(self.authority.server_context(), self.key)
        self.entra = Entra(certificate, self.registration)
        self.identity = ManagedIdentityEndpoint(self.registration, self.entra)
        self.graph = GraphApi(certificate, self.entra)

    def start(self, stack: ExitStack) -> None:
        """Start the servers."""
        for server in (self.provider, self.entra, self.identity, self.graph):
            stack.enter_context(server)

    def settings(self, **changes: str) -> dict[str, str]:
        """Return the settings of a deployment without regions, changed as wanted."""
        return {
            "MicrosoftAppId": self.app_id,
            "CALLING_OPENID_CONFIGURATION_URL": self.provider.configuration_url,
            "CALLING_METADATA_ISSUER": ISSUER,
            "CALLING_LOGIN_URL": self.entra.url,
            "CALLING_GRAPH_URL": self.graph.graph_url,
            "CALLING_CA_BUNDLE": str(self.authority.bundle),
            "IDENTITY_ENDPOINT": self.identity.endpoint,
            "IDENTITY_HEADER": self.identity.header,
            **changes,
        }
