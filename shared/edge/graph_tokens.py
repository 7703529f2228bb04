"""Tokens for Graph, one per tenant, kept and renewed before they end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shared.core.reasons import Reason
from shared.edge.held_tokens import HeldTokens
from shared.edge.telemetry import log_event
from shared.edge.token_client import CredentialRefusedError

if TYPE_CHECKING:
    from shared.edge.entra import EntraClient

_MAX_TENANTS = 1_000


class GraphTokens(HeldTokens):
    """Hands out tokens for Graph by tenant, a vetted GUID. For one event loop."""

    def __init__(self, entra: EntraClient) -> None:
        """Hand out what ``entra`` acquires."""
        super().__init__(entra.acquire, _log_failure, at_most=_MAX_TENANTS)


def _log_failure(tenant_id: str, error: BaseException) -> None:
    is_final = isinstance(error, CredentialRefusedError)
    reason = Reason.CREDENTIAL_REFUSED if is_final else Reason.CREDENTIAL_UNAVAILABLE
    log_event(
        logging.ERROR,
        "credential.failed",
        reason=reason.value,
        next_step=reason.next_step,
        tenant_id=tenant_id,
        detail=str(error),
    )
