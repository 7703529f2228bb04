"""Tokens for Graph, one per tenant, through azure-identity.

A token is kept and renewed before it ends; while a renewal fails, the old one serves as
long as it lives. The three kinds of credential are CALLING_CREDENTIAL's:

* managed identity: the app's identity gets an assertion, which the bot's registration
  trusts as a federated credential (no secret anywhere):
  https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
* client secret and certificate: of the bot's registration.

``azure.identity`` is imported on the first call only: 204, 302 and refusals never pay.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from shared.core.clouds import MICROSOFT_LOGIN_HOSTS
from shared.core.reasons import Reason
from shared.edge.outbound import deadline, open_session, retry_after_seconds
from shared.edge.telemetry import log_event
from shared.settings import CredentialKind, CredentialSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from azure.core.credentials import AccessTokenInfo
    from azure.core.pipeline import PipelineResponse

_MAX_TENANTS = 1_000
# Entra's tokens live an hour or more; without a hint they are renewed this early.
_RENEW_EARLY_SECONDS = 300
# A token this close to its end may end on the way.
_SPENT_SECONDS = 10
_RENEWAL_PAUSE_SECONDS = 30
_ACQUIRE_SECONDS = 10.0
_CONNECT_SECONDS = 2.0
_READ_SECONDS = 5.0
# RFC 6750 section 2.1: what may follow "Bearer ".
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_ENTRA_CODE = re.compile(r"AADSTS[0-9]{1,12}")


class CredentialError(Exception):
    """No token could be got; the message is safe to log.

    Attributes:
        retry_after_seconds: when to ask again, if Entra says so.
    """

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None
    ) -> None:
        """Fail with a message that repeats nothing of what was sent or received."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class _Credential(Protocol):
    """The one method of azure-identity's credentials that is used."""

    def get_token_info(self, *scopes: str) -> AccessTokenInfo: ...


@dataclass(slots=True)
class _Held:
    """A token for one tenant; times in epoch seconds."""

    token: str
    expires_at: float
    renew_at: float


class GraphCredentials:
    """Hands out tokens for Graph. For one event loop; blocking work runs elsewhere."""

    def __init__(
        self,
        settings: CredentialSettings,
        *,
        graph_url: str,
        ca_bundle: str,
        executor: Executor,
    ) -> None:
        """Get tokens as ``settings`` say, for the Graph at ``graph_url``."""
        self._settings = settings
        self._scope = f"https://{urlsplit(graph_url).netloc}/.default"
        self._ca_bundle = ca_bundle
        self._executor = executor
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._running: dict[str, asyncio.Task[_Held]] = {}
        self._transport: Any = None
        self._identity: _Credential | None = None

    async def token(self, tenant_id: str, *, timeout_seconds: float) -> str:
        """Return a token for Graph in ``tenant_id`` (a vetted GUID).

        Raises:
            CredentialError: none could be got within ``timeout_seconds``.
        """
        now = time.time()
        held = self._held.get(tenant_id)
        if held is None or now >= held.expires_at - _SPENT_SECONDS:
            return await self._acquired(tenant_id, timeout_seconds)
        self._held.move_to_end(tenant_id)
        if now >= held.renew_at:
            held.renew_at = now + _RENEWAL_PAUSE_SECONDS
            self._start(tenant_id)
        return held.token

    def forget(self, tenant_id: str, token: str) -> None:
        """Drop a token that Graph refused, unless it has been replaced already."""
        held = self._held.get(tenant_id)
        if held is not None and held.token == token:
            del self._held[tenant_id]

    def load(self) -> None:
        """Import what the first token needs. Blocking."""
        import azure.identity  # noqa: F401, PLC0415 - see the module

        self._prepare()

    async def _acquired(self, tenant_id: str, timeout_seconds: float) -> str:
        task = self._start(tenant_id)
        done, _pending = await asyncio.wait({task}, timeout=timeout_seconds)
        if not done:
            message = "no token in time"
            raise CredentialError(message)
        return task.result().token

    def _start(self, tenant_id: str) -> asyncio.Task[_Held]:
        """Start getting a token, or join those who wait for it already."""
        task = self._running.get(tenant_id)
        if task is None:
            task = asyncio.create_task(self._renew(tenant_id))
            self._running[tenant_id] = task
            task.add_done_callback(partial(self._finish, tenant_id))
        return task

    async def _renew(self, tenant_id: str) -> _Held:
        loop = asyncio.get_running_loop()
        held = await loop.run_in_executor(self._executor, self._acquire, tenant_id)
        self._held[tenant_id] = held
        if len(self._held) > _MAX_TENANTS:
            self._held.popitem(last=False)
        return held

    def _finish(self, tenant_id: str, task: asyncio.Task[_Held]) -> None:
        del self._running[tenant_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log_event(
                logging.ERROR,
                "credential.failed",
                reason=Reason.CREDENTIAL_UNAVAILABLE.value,
                next_step=Reason.CREDENTIAL_UNAVAILABLE.cure,
                tenant_id=tenant_id,
                detail=str(error),
            )

    def _acquire(self, tenant_id: str) -> _Held:
        """Get a token. Blocking; on a thread of the executor."""
        pauses: list[float | None] = []

        def note_pause(response: PipelineResponse[Any, Any]) -> None:
            headers = response.http_response.headers
            pauses.append(retry_after_seconds(headers.get("Retry-After")))

        try:
            self._prepare()
            with deadline(time.monotonic() + _ACQUIRE_SECONDS):
                credential = self._credential(tenant_id, note_pause)
                info = credential.get_token_info(self._scope)
        # azure-identity, msal and the assertion raise from families of their own, and
        # not all of them with the reply that was the cause.
        except Exception as error:
            last = pauses[-1] if pauses else None
            raise CredentialError(_describe(error), retry_after_seconds=last) from error
        # What Entra's reply says is passed on unseen, be it a token or not.
        if type(info.token) is not str or _TOKEN.fullmatch(info.token) is None:
            message = "Entra's reply has no token"
            raise CredentialError(message)
        early = min(_RENEW_EARLY_SECONDS, (info.expires_on - time.time()) / 2)
        renew_at = info.refresh_on or info.expires_on - early
        return _Held(info.token, info.expires_on, renew_at)

    def _prepare(self) -> None:
        if self._transport is not None:
            return
        from azure.core.pipeline.transport import (  # noqa: PLC0415 - see the module
            RequestsTransport,
        )

        # They log every request, and a reply that they cannot read, secrets included.
        # Our own lines tell what failed.
        for name in ("azure.core", "azure.identity", "msal"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._transport = RequestsTransport(
            session=open_session(self._ca_bundle, connections=8), session_owner=False
        )

    def _credential(
        self, tenant_id: str, on_reply: Callable[[PipelineResponse[Any, Any]], None]
    ) -> _Credential:
        """Build a credential, new each time: an old one repeats its cached token.

        ``on_reply`` is called with every reply of Entra.
        """
        from azure import identity  # noqa: PLC0415 - see the module

        settings = self._settings
        common = {
            **self._client_options(),
            **self._authority_options(),
            "raw_response_hook": on_reply,
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
            case CredentialKind.MANAGED_IDENTITY:
                return identity.ClientAssertionCredential(
                    tenant_id, settings.app_id, self._assertion, **common
                )

    def _assertion(self) -> str:
        """Get the managed identity's token, which stands in for a secret."""
        if self._identity is None:
            from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

            self._identity = ManagedIdentityCredential(
                client_id=self._settings.identity_client_id or None,
                **self._client_options(),
            )
        audience = self._settings.federation_audience
        return self._identity.get_token_info(f"{audience}/.default").token

    def _client_options(self) -> dict[str, Any]:
        return {
            "transport": self._transport,
            # The answering loop retries within its budget; nobody else does.
            "retry_total": 0,
            "connection_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
        }

    def _authority_options(self) -> dict[str, Any]:
        login_host = urlsplit(self._settings.login_url).hostname
        return {
            "authority": self._settings.login_url,
            "disable_instance_discovery": login_host not in MICROSOFT_LOGIN_HOSTS,
        }


def _describe(error: Exception) -> str:
    """Name an error for the log: its type and Entra's code, never its text."""
    code = _ENTRA_CODE.search(str(error))
    return f"{type(error).__name__} {code[0]}" if code else type(error).__name__
