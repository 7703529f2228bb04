"""Microsoft Entra's token endpoint and App Service's managed identity endpoint.

What azure-identity really asks:

* managed identity: ``GET <IDENTITY_ENDPOINT>?api-version=2019-08-01&resource=…`` with
  the header ``X-IDENTITY-HEADER``, in plain HTTP on the machine itself;
* tokens: ``POST /<tenant>/oauth2/v2.0/token``, client credentials with a secret, a
  federated assertion, or an assertion signed with the certificate's key.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import jwt
from cryptography.x509 import Certificate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulator.services.signing import TENANT_ID
from tests.simulator.services.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable

ASSERTION_AUDIENCE = "api://AzureADTokenExchange"
STORAGE = "https://storage.azure.com"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that Entra handed out, and for what."""

    tenant_id: str
    client_id: str
    scope: str
    kind: str


@dataclass(slots=True)
class Registration:
    """The bot's application: what may stand for it."""

    app_id: str
    tenant_id: str = TENANT_ID
    secret: str = "simulated-secret"
    certificate: Certificate | None = None
    assertions: set[str] = field(default_factory=set)


class Entra(WebServer):
    """Issues tokens for one registration.

    Attributes:
        issued: every token by its text.
        requests: path of every request, in order.
        lifetime_seconds: of tokens issued from now on.
        delay_seconds: how long each reply takes.
        fault: replaces the reply to a token request; ``None`` is the usual one.
        discovery_fault: replaces the metadata that msal asks for first.
        without_consent: tenants whose administrator has not consented to the bot.
    """

    def __init__(
        self, certificate: tuple[Path, Path], registration: Registration
    ) -> None:
        """Issue tokens over TLS."""
        methods = ["GET", "POST"]
        path = "/{tenant}/oauth2/v2.0/token"
        routes = [
            Route(path, self._token, methods=methods),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", self._metadata),
            Route("/{rest:path}", self._other, methods=methods),
        ]
        super().__init__(Starlette(routes=routes), certificate)
        self._registration = registration
        self.issued: dict[str, IssuedToken] = {}
        self.requests: list[str] = []
        self.lifetime_seconds = 3600
        self.delay_seconds = 0.0
        self.fault: Callable[[], Response | None] | None = None
        self.discovery_fault: Callable[[], Response] | None = None
        self.without_consent: set[str] = set()

    async def _token(self, request: Request) -> Response:
        self.requests.append(request.url.path)
        await asyncio.sleep(self.delay_seconds)
        if self.fault and (reply := self.fault()):
            return reply
        form = dict(parse_qsl((await request.body()).decode()))
        kind = self._authenticate(form, str(request.url))
        if kind is None or form.get("client_id") != self._registration.app_id:
            return _refusal("invalid_client", "AADSTS7000215: Invalid client secret.")
        if form.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "AADSTS70003: not supported.")
        tenant, scope = request.path_params["tenant"], form.get("scope", "")
        if tenant in self.without_consent:
            return _refusal("invalid_grant", "AADSTS65001: no consent.", status=400)
        token = f"graph-{secrets.token_urlsafe(24)}"
        self.issued[token] = IssuedToken(tenant, form["client_id"], scope, kind)
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": self.lifetime_seconds,
                "ext_expires_in": self.lifetime_seconds,
                "access_token": token,
            }
        )

    async def _metadata(self, request: Request) -> Response:
        """Tell where tokens are got: msal asks for secrets and certificates."""
        self.requests.append(request.url.path)
        if self.discovery_fault:
            return self.discovery_fault()
        base = f"{self.url}/{request.path_params['tenant']}"
        return JSONResponse(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        )

    async def _other(self, request: Request) -> Response:
        """Record what should not be asked, such as instance discovery."""
        self.requests.append(request.url.path)
        return Response(status_code=404)

    def _authenticate(self, form: dict[str, str], endpoint: str) -> str | None:
        """Return the kind of credential; ``None`` if it proves nothing."""
        assertion = form.get("client_assertion")
        if assertion is None:
            is_right = form.get("client_secret") == self._registration.secret
            return "client-secret" if is_right else None
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            return None
        if assertion in self._registration.assertions:
            return "managed-identity"
        certificate = self._registration.certificate
        if certificate is not None and _is_signed_by(certificate, assertion, endpoint):
            return "certificate"
        return None


class ManagedIdentityEndpoint(WebServer):
    """Hands out tokens to the app on the same machine: what its identity may have.

    That is an assertion for the token exchange, and a token for each of ``resources``;
    and where the bot is the identity, any token, in the identity's own tenant.

    Attributes:
        resources: what every identity of the app may ask for, storage at first.
        header: what the app must send: the value of IDENTITY_HEADER.
        requests: query of every request, in order.
        fault: replaces the reply; ``None`` is the usual one.
    """

    def __init__(self, registration: Registration, entra: Entra) -> None:
        """Hand out what ``registration`` trusts; ``entra`` knows the other tokens."""
        routes = [Route("/msi/token", self._token)]
        super().__init__(Starlette(routes=routes), None)
        self._registration = registration
        self._entra = entra
        self.header = secrets.token_hex(16)
        self.resources = {STORAGE}
        self.requests: list[dict[str, str]] = []
        self.fault: Callable[[], Response] | None = None

    @property
    def endpoint(self) -> str:
        """The value of IDENTITY_ENDPOINT."""
        return f"{self.url}/msi/token"

    async def _token(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.requests.append(query)
        if self.fault:
            return self.fault()
        if request.headers.get("x-identity-header") != self.header:
            return Response(status_code=401)
        token = self._issue(query.get("resource"), query.get("client_id", ""))
        if token is None:
            return JSONResponse({"error": "invalid_resource"}, 400)
        return JSONResponse(
            {
                "access_token": token,
                "expires_on": str(int(time.time()) + 24 * 3600),
                "resource": query["resource"],
                "token_type": "Bearer",
                "client_id": query.get("client_id", ""),
            }
        )

    def _issue(self, resource: str | None, client_id: str) -> str | None:
        registration = self._registration
        if resource == ASSERTION_AUDIENCE:
            assertion = f"assertion-{secrets.token_urlsafe(24)}"
            registration.assertions.add(assertion)
            return assertion
        if client_id != registration.app_id and resource not in self.resources:
            return None
        kind = "storage" if resource == STORAGE else "graph"
        token = f"{kind}-{secrets.token_urlsafe(24)}"
        self._entra.issued[token] = IssuedToken(
            registration.tenant_id, client_id, f"{resource}/.default", "the-identity"
        )
        return token


def _refusal(error: str, description: str, *, status: int = 401) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)


def _is_signed_by(certificate: Certificate, assertion: str, endpoint: str) -> bool:
    try:
        jwt.decode(
            assertion,
            certificate.public_key(),  # type: ignore[arg-type]
            algorithms=["RS256", "PS256"],
            audience=endpoint,
        )
    except jwt.PyJWTError:
        return False
    return True
