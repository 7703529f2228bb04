"""A ``Service`` with the neighbours that it needs, over real sockets and TLS."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shared.core.webhook import WebhookReply, WebhookRequest
from shared.service import Service, build_service
from shared.settings import read_settings
from tests.simulator.platform.notifications import Call, established, incoming
from tests.simulator.services.entra import Entra, Registration
from tests.simulator.services.signing import ISSUER, SigningKey, TokenFactory
from tests.support.provider import ScriptedProvider
from tests.support.servers import Certificates, FaultServer, Peer, Request, Script, http
from tests.support.servers import reply as http_reply

APP_ID = "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10"
TENANT_ID = "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87"
SECRET = "a-very-secret-password"
WEBHOOK = "https://weu.example/api/calls"


type Make = Callable[..., Service]


class ServiceWorld:
    """Identity provider, Entra and Graph.

    Attributes:
        graph_script: what Graph answers.
        graph_requests: what it was asked.
    """

    def __init__(self, directory: Path) -> None:
        self.certificates = Certificates(directory)
        self.key = SigningKey("platform-key")
        self.tokens = TokenFactory(self.key, audience=APP_ID, tenant_id=TENANT_ID)
        self.provider = ScriptedProvider(self.certificates.context(), self.key)
        registration = Registration(APP_ID, secret=SECRET)
        self.entra = Entra(self.certificates.files(), registration)
        self.graph_script: Script = lambda *_: http_reply(202)
        self.graph_requests: list[Request] = []
        self.graph = FaultServer(http(self._answer, self.certificates.context()))
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the servers."""
        for server in (self.provider, self.entra, self.graph):
            self._stack.enter_context(server)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop them."""
        self._stack.close()

    def reset(self) -> None:
        """Make the servers as new."""
        self.provider.heal()
        self.provider.fetched.clear()
        self.entra.fault = None
        self.entra.requests.clear()
        self.graph_script = lambda *_: http_reply(202)
        self.graph_requests.clear()

    def settings(self, **changes: str) -> dict[str, str]:
        """Return the settings of one deployment that answers with a client secret."""
        return {
            "MicrosoftAppId": APP_ID,
            "CALLING_OPENID_CONFIGURATION_URL": self.provider.configuration_url,
            "CALLING_METADATA_ISSUER": ISSUER,
            "CALLING_LOGIN_URL": self.entra.url,
            "CALLING_GRAPH_URL": f"{self.graph.url}/v1.0",
            "CALLING_CA_BUNDLE": self.certificates.bundle,
            "CALLING_CREDENTIAL": "client-secret",
            "MicrosoftAppPassword": SECRET,
            "WEBSITE_HOSTNAME": "weu.example",
            **changes,
        }

    def service(self, **changes: str) -> Service:
        """Return a new service."""
        return build_service(read_settings(self.settings(**changes)))

    def post(
        self, document: object, *, token: str | None = None, **parts: Any
    ) -> WebhookRequest:
        """Return a POST with a good token, unless another is given."""
        headers = {"authorization": f"Bearer {token or self.tokens.mint()}"}
        body = (
            document if isinstance(document, bytes) else json.dumps(document).encode()
        )
        return WebhookRequest(
            url=parts.get("url", WEBHOOK),
            headers={**headers, **parts.get("headers", {})},
            body=body,
            partition=parts.get("partition"),
            invocation_id="invocation",
        )

    def incoming(self, **parts: Any) -> WebhookRequest:
        """Return the POST of an incoming call."""
        return self.post(incoming(Call(tenant_id=TENANT_ID), WEBHOOK), **parts)

    def follow_up(self, **parts: Any) -> WebhookRequest:
        """Return the POST of a call that was answered."""
        call = Call(tenant_id=TENANT_ID)
        return self.post(established(call, is_audio_active=True), **parts)

    def _answer(self, request: Request, peer: Peer) -> bytes | None:
        self.graph_requests.append(request)
        return self.graph_script(request, peer)


def receive(
    service: Service, request: WebhookRequest, *, seconds_ago: float = 0.0
) -> WebhookReply:
    """Let a service handle a POST that arrived a moment ago."""
    received_at = time.monotonic() - seconds_ago
    return asyncio.run(service.receive(request, received_at=received_at))
