"""A ``Service`` with the neighbours that it needs, over real sockets and TLS."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from shared.bot_file import BotFile
from shared.core.bot import Bot
from shared.core.webhook import WebhookReply, WebhookRequest
from shared.service import Service, build_service
from shared.settings import read_settings
from tests.simulator.platform.notifications import Call, established, incoming
from tests.simulator.services.authority import Authority
from tests.simulator.services.entra import Entra, Registration
from tests.simulator.services.openid_provider import IdentityProvider
from tests.simulator.services.signing import (
    APP_ID,
    ISSUER,
    TENANT_ID,
    SigningKey,
    TokenFactory,
)
from tests.support.rules import build_request
from tests.support.running import Running
from tests.support.servers import ScriptedServer, status

SECRET = "a-very-secret-password"
WEBHOOK = "https://weu.example/api/calls"
ACCEPTED = status(202)

NO_HANDLERS = BotFile(Bot())

type Make = Callable[..., Service]


class ScriptedNeighbours(Running):
    """Identity provider, Entra and Graph; Graph accepts answers unless scripted."""

    def __init__(self, authority: Authority) -> None:
        context = authority.server_context()
        self.key = SigningKey("platform-key")
        self.tokens = TokenFactory(self.key)
        self.provider = IdentityProvider(context, self.key)
        self.entra = Entra(authority.certificate, Registration(APP_ID, secret=SECRET))
        self.graph = ScriptedServer(ACCEPTED, context)
        self._ca_bundle = str(authority.bundle)

    def start(self, stack: ExitStack) -> None:
        """Start the servers."""
        for server in (self.provider, self.entra, self.graph):
            stack.enter_context(server)

    def reset(self) -> None:
        """Heal the servers and forget what they were asked."""
        self.provider.heal()
        self.entra.fault = None
        self.graph.script = ACCEPTED
        for server in (self.provider, self.entra, self.graph):
            server.requests.clear()

    def settings(self, **changes: str) -> dict[str, str]:
        """Return the settings of one deployment that answers with a client secret."""
        return {
            "MicrosoftAppId": APP_ID,
            "CALLING_OPENID_CONFIGURATION_URL": self.provider.configuration_url,
            "CALLING_METADATA_ISSUER": ISSUER,
            "CALLING_LOGIN_URL": self.entra.url,
            "CALLING_GRAPH_URL": f"{self.graph.url}/v1.0",
            "CALLING_CA_BUNDLE": self._ca_bundle,
            "CALLING_CREDENTIAL": "client-secret",
            "MicrosoftAppPassword": SECRET,
            "WEBSITE_HOSTNAME": "weu.example",
            **changes,
        }

    def service(self, bot: Bot | None = None, **changes: str) -> Service:
        """Return a new service; without a bot of its own it has no handlers."""
        report = read_settings(self.settings(**changes))
        return build_service(report, BotFile(bot) if bot else NO_HANDLERS)

    def post(
        self, document: object, *, token: str | None = None, **parts: Any
    ) -> WebhookRequest:
        """Return a POST with a good token, unless another is given."""
        now = time.monotonic()
        return build_request(
            token or self.tokens, document, **{"received_at": now, **parts}
        )

    def incoming(self, **parts: Any) -> WebhookRequest:
        """Return the POST of an incoming call."""
        return self.post(incoming(Call(tenant_id=TENANT_ID), WEBHOOK), **parts)

    def follow_up(self, **parts: Any) -> WebhookRequest:
        """Return the POST of a call that was answered."""
        call = Call(tenant_id=TENANT_ID)
        return self.post(established(call, is_audio_active=True), **parts)


def receive(
    service: Service, request: WebhookRequest, *, seconds_ago: float = 0.0
) -> WebhookReply:
    """Let a service handle a POST that arrived a moment ago."""
    received_at = time.monotonic() - seconds_ago
    return asyncio.run(service.receive(request._replace(received_at=received_at)))
