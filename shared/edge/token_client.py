"""Tokens of Microsoft Entra through azure-identity: what all credentials share.

``azure.identity`` is imported on the first call only: 204, 302 and refusals never pay.
"""

from __future__ import annotations

import logging
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from shared.edge.outbound import OutboundError, open_session, retry_after_seconds
from shared.edge.tls import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials import AccessTokenInfo
    from azure.core.pipeline import PipelineRequest, PipelineResponse

# Entra's tokens live an hour or more; without a hint they are renewed this early.
_RENEW_EARLY_SECONDS = 300
ACQUIRE_SECONDS = 10.0
# Of all replies to one acquisition: discovery and token are a few KiB.
_MAX_REPLY_BYTES = 256 * 1024
_CONNECT_SECONDS = 2.0
_READ_SECONDS = 5.0
# RFC 6750 section 2.1: what may follow "Bearer ".
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_ENTRA_CODE = re.compile(r"AADSTS([0-9]{1,12})")
# What no repetition can mend: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
# A federated credential that has not spread yet (70021, 700211 to 700213) is not final.
_FINAL_CODES = frozenset(
    {
        "7000215",  # wrong secret
        "7000222",  # expired secret
        "700016",  # the application is not in the tenant
        "700027",  # the certificate is not the application's
        "7000229",  # no service principal in the tenant
        "7000112",  # the application is disabled
        "53003",  # conditional access
        "65001",  # no consent
        "90002",  # no such tenant
    }
)


# Of the credential of this region: another region may have a better one.
_REGIONAL_CODES = frozenset(
    {"70021", "700211", "700212", "700213", "7000215", "7000222", "700027"}
)


class CredentialError(Exception):
    """No token was obtained; the message is safe to log.

    Attributes:
        retry_after_seconds: when to ask again, if Entra says so.
        is_regional: another region might get one.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float | None = None,
        is_regional: bool = False,
    ) -> None:
        """Fail with a message that repeats nothing of what was sent or received."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.is_regional = is_regional


class CredentialRefusedError(CredentialError):
    """Entra refuses for good; ``code`` says why, such as ``AADSTS7000215``."""

    def __init__(self, message: str, *, code: str, is_regional: bool = False) -> None:
        """Fail with Entra's code."""
        super().__init__(message, is_regional=is_regional)
        self.code = code


class AccessToken(NamedTuple):
    """A token for one tenant; times in epoch seconds."""

    value: str
    expires_at: float
    renew_at: float


class Credential(Protocol):
    """The one method of azure-identity's credentials that is used."""

    def get_token_info(self, *scopes: str) -> AccessTokenInfo:
        """Ask for a token."""


class TokenClient:
    """Acquires tokens through azure-identity, over a session of ours."""

    def __init__(self, *, ca_bundle: str) -> None:
        """Trust the usual authorities and those of ``ca_bundle``."""
        self._ca_bundle = ca_bundle
        self._transport: Any = None

    def load(self) -> None:
        """Import what the first token needs."""
        import azure.identity  # noqa: F401, PLC0415 - see the module

        self._prepare()

    def close(self) -> None:
        """Close the session and its connections."""
        if self._transport is not None:
            self._transport.session.close()

    def acquire_from(
        self, scope: str, make: Callable[[EntraReplies], Credential]
    ) -> AccessToken:
        """Acquire a token of the credential that ``make`` makes.

        The credential must be a new one, because an old one repeats its cached token,
        and pass its replies on.

        Raises:
            CredentialError: none was obtained within 10 s; nothing else escapes.
        """
        replies = EntraReplies()
        transfer = Transfer(
            ends_at=time.monotonic() + ACQUIRE_SECONDS, max_bytes=_MAX_REPLY_BYTES
        )
        try:
            self._prepare()
            with transfer.on_this_thread():
                info = make(replies).get_token_info(scope)
        # azure-identity, msal and the assertion raise from families of their own, and
        # not all of them with the reply that was the cause.
        except Exception as error:
            raise replies.error_for(error) from error
        # What Entra's reply says is passed on unseen, be it a token or not.
        if type(info.token) is not str or _TOKEN.fullmatch(info.token) is None:
            message = "Entra's reply has no token"
            raise CredentialError(message)
        early = min(_RENEW_EARLY_SECONDS, (info.expires_on - time.time()) / 2)
        renew_at = info.refresh_on or info.expires_on - early
        return AccessToken(info.token, info.expires_on, renew_at)

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

    def managed_identity(self, client_id: str, hooks: Mapping[str, Any]) -> Credential:
        """Build the credential of an identity; the system's has no ``client_id``."""
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

        return ManagedIdentityCredential(
            client_id=client_id or None,
            **self.client_options(),
            **hooks,
        )

    def client_options(self) -> dict[str, Any]:
        """Return the options of every credential, once it is to be made."""
        return {
            "transport": self._transport,
            # Callers retry within their budget; nobody else does.
            "retry_total": 0,
            "connection_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
        }


class EntraReplies:
    """What replies say beside a token: msal passes on only a part of it."""

    def __init__(self) -> None:
        """Begin with no reply."""
        self._retry_after_seconds: float | None = None
        self._code: str | None = None
        self._status: int | None = None

    @property
    def hooks(self) -> Mapping[str, Any]:
        """The options of a credential whose requests and replies are noted."""
        return {
            "raw_request_hook": self.note_request,
            "raw_response_hook": self.note,
        }

    def note_request(self, _request: PipelineRequest[Any]) -> None:
        """Take in that something is asked; called by azure-core each time."""
        self._status = None

    def note(self, response: PipelineResponse[Any, Any]) -> None:
        """Take a reply in; called by azure-core with each."""
        reply = response.http_response
        self._status = reply.status_code
        self._retry_after_seconds = retry_after_seconds(
            reply.headers.get("Retry-After")
        )
        # Only here the code of a discovery that failed can be seen.
        if reply.status_code >= HTTPStatus.BAD_REQUEST:
            self._note_code(reply.text())

    def error_for(self, error: Exception) -> CredentialError:
        """Return what ``error`` means: its type and Entra's code, never its text."""
        self._note_code(str(error))
        if isinstance(error, OutboundError) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        message = type(error).__name__
        if self._code:
            message += f" AADSTS{self._code}"
        is_regional = self._is_regional()
        if self._code in _FINAL_CODES:
            return CredentialRefusedError(
                message, code=f"AADSTS{self._code}", is_regional=is_regional
            )
        return CredentialError(
            message,
            retry_after_seconds=self._retry_after_seconds,
            is_regional=is_regional,
        )

    def _is_regional(self) -> bool:
        """Tell by the last reply; without one, Entra or the endpoint is not reached."""
        if self._status is None or self._status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return True
        return self._code in _REGIONAL_CODES

    def _note_code(self, text: str) -> None:
        found = _ENTRA_CODE.search(text)
        if found:
            self._code = found[1]
