"""The managed identity's own tokens, one per scope: for storage, or for an instance.

They are the app's, not the bot's, whatever CALLING_CREDENTIAL says.
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shared.core.reasons import Reason
from shared.edge.held_tokens import HeldTokens
from shared.edge.telemetry import log_event
from shared.edge.token_client import TokenClient

if TYPE_CHECKING:
    from shared.edge.token_client import AccessToken

_MAX_SCOPES = 16


class IdentityClient(TokenClient):
    """Acquires the managed identity's own tokens. Blocking, for threads."""

    def __init__(self, client_id: str, *, ca_bundle: str) -> None:
        """Acquire for the identity with ``client_id``; empty: the system's."""
        super().__init__(ca_bundle=ca_bundle)
        self._client_id = client_id

    def acquire(self, scope: str) -> AccessToken:
        """Acquire a token for ``scope``, such as ``https://storage.azure.com/.default``.

        Raises:
            CredentialError: none was obtained within 10 s; nothing else escapes.
        """
        return self.acquire_from(
            scope, lambda replies: self.managed_identity(self._client_id, replies.hooks)
        )


class IdentityTokens(HeldTokens):
    """Hands out the identity's tokens by scope. For one event loop."""

    def __init__(self, client: IdentityClient) -> None:
        """Hand out what ``client`` acquires."""
        super().__init__(client.acquire, _log_failure, at_most=_MAX_SCOPES)


def _log_failure(scope: str, error: BaseException) -> None:
    log_event(
        logging.ERROR,
        "credential.failed",
        reason=Reason.CREDENTIAL_UNAVAILABLE.value,
        next_step="Check that the app has the identity, and its permission there.",
        scope=scope,
        detail=str(error),
    )
