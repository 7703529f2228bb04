"""Who a delivery says it is from: the platform, or this app's managed identity."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.core.webhook import WebhookRequest
    from shared.edge.identity_tokens import IdentityTokens

_BEARER = "Bearer "


class DeliveryTokens:
    """Hands out the ``Authorization`` of deliveries. For one event loop."""

    def __init__(self, tokens: IdentityTokens | None, audience: str) -> None:
        """Take the identity's tokens for ``audience``; empty: pass on the platform's.

        The audience stays as it is spelt: with a slash at its end it is another one.
        """
        self._tokens = tokens if audience else None
        self._scope = f"{audience}/.default"

    async def authorization(self, request: WebhookRequest, *, ends_at: float) -> str:
        """Return the header's value for deliveries of ``request``.

        Raises:
            CredentialError: no token was obtained by ``ends_at`` (monotonic).
        """
        if self._tokens is None:
            return request.headers.get("authorization", "")
        seconds = max(ends_at - time.monotonic(), 0)
        token = await self._tokens.token(self._scope, timeout_seconds=seconds)
        return _BEARER + token

    def note_status(self, status: int, authorization: str) -> None:
        """Forget a token of the identity that the instance has refused."""
        if self._tokens is not None and status in {
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
        }:
            token = authorization.removeprefix(_BEARER)
            self._tokens.forget(self._scope, token)
