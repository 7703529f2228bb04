"""One token for Graph from Microsoft Entra.

The three kinds of credential are CALLING_CREDENTIAL's:

* managed identity: the app's identity gets an assertion, which the bot's registration
  trusts as a federated credential (no secret anywhere):
  https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
  Where the bot is the identity (bot type UserAssignedMSI) there is no registration that
  could trust it: the identity's own token for Graph is the bot's, in its own tenant.
* client secret and certificate: of the bot's registration.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.core.clouds import MICROSOFT_LOGIN_HOSTS
from shared.credential_settings import CredentialKind, CredentialSettings
from shared.edge.token_client import TokenClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.pipeline import PipelineRequest, PipelineResponse

    from shared.edge.token_client import AccessToken, Credential, EntraReplies


class EntraClient(TokenClient):
    """Acquires the bot's tokens for Graph. Blocking, for threads."""

    def __init__(
        self, settings: CredentialSettings, *, graph_url: str, ca_bundle: str
    ) -> None:
        """Acquire tokens as ``settings`` say, for the Graph at ``graph_url``."""
        super().__init__(ca_bundle=ca_bundle)
        self._settings = settings
        self._scope = f"https://{urlsplit(graph_url).netloc}/.default"
        self._identity: Credential | None = None
        self._acquiring = threading.local()

    def acquire(self, tenant_id: str) -> AccessToken:
        """Acquire a token for Graph in ``tenant_id`` (a vetted GUID).

        Raises:
            CredentialError: none was obtained within 10 s; nothing else escapes.
        """

        def make(replies: EntraReplies) -> Credential:
            self._acquiring.replies = replies
            return self._credential(tenant_id, replies.hooks)

        return self.acquire_from(self._scope, make)

    def _credential(self, tenant_id: str, hooks: Mapping[str, Any]) -> Credential:
        """Build a credential; ``hooks`` are told of every request and reply."""
        from azure import identity  # noqa: PLC0415 - see the module

        settings = self._settings
        common = {
            **self.client_options(),
            **self._authority_options(),
            **hooks,
        }
        match settings.kind:
            case CredentialKind.CLIENT_SECRET:
                return identity.ClientSecretCredential(
                    tenant_id, settings.app_id, settings.app_password, **common
                )
            case CredentialKind.CERTIFICATE:
                return identity.CertificateCredential(
                    tenant_id, settings.app_id, settings.certificate_path, **common
                )
            case CredentialKind.MANAGED_IDENTITY if settings.is_bot_the_identity:
                return self.managed_identity(settings.identity_client_id, hooks)
            case CredentialKind.MANAGED_IDENTITY:
                return identity.ClientAssertionCredential(
                    tenant_id, settings.app_id, self._assertion, **common
                )

    def _assertion(self) -> str:
        """Get the managed identity's token, which stands in for a secret."""
        if self._identity is None:
            self._identity = self.managed_identity(
                self._settings.identity_client_id,
                {
                    "raw_request_hook": self._note_request,
                    "raw_response_hook": self._note_reply,
                },
            )
        audience = self._settings.federation_audience
        try:
            return self._identity.get_token_info(f"{audience}/.default").token
        except Exception:
            # msal would repeat the endpoint's 429 or 5xx for five seconds or more
            # without asking, whatever our own pauses are.
            self._identity = None
            raise

    def _note_request(self, request: PipelineRequest[Any]) -> None:
        """Take a request to the identity endpoint in, likewise."""
        self._acquiring.replies.note_request(request)

    def _note_reply(self, response: PipelineResponse[Any, Any]) -> None:
        """Take a reply of the identity endpoint in, for who acquires on this thread."""
        self._acquiring.replies.note(response)

    def _authority_options(self) -> dict[str, Any]:
        login_host = urlsplit(self._settings.login_url).hostname
        return {
            "authority": self._settings.login_url,
            "disable_instance_discovery": login_host not in MICROSOFT_LOGIN_HOSTS,
        }
