"""The platform's identity provider: OpenID configuration and key set, with faults."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulator.services.signing import ISSUER, SigningKey
from tests.simulator.services.web import WebServer

CONFIGURATION_PATH = "/v1/.well-known/OpenIdConfiguration"
KEY_SET_PATH = "/v1/keys"

type Fault = Callable[[], Response | None]


class OpenIdProvider(WebServer):
    """Publishes ``keys``; counts what it is asked.

    Attributes:
        keys: the published key set, to be changed at will.
        fetches: path of every request, in order.
        delay_seconds: how long each reply takes.
        is_hanging: while set, no reply is given.
        configuration_fault, key_set_fault: replace a reply; ``None`` is the usual one.
        configuration_changes: members to change in the configuration.
    """

    def __init__(self, certificate: tuple[Path, Path], *keys: SigningKey) -> None:
        """Publish ``keys`` over TLS."""
        routes = [
            Route(CONFIGURATION_PATH, self._configuration),
            Route(KEY_SET_PATH, self._key_set),
        ]
        super().__init__(Starlette(routes=routes), certificate)
        self.keys = [key.jwk() for key in keys]
        self.fetches: list[str] = []
        self.delay_seconds = 0.0
        self.is_hanging = threading.Event()
        self.configuration_fault: Fault | None = None
        self.key_set_fault: Fault | None = None
        self.configuration_changes: dict[str, Any] = {}

    @property
    def configuration_url(self) -> str:
        """The value of CALLING_OPENID_CONFIGURATION_URL."""
        return f"{self.url}{CONFIGURATION_PATH}"

    async def _configuration(self, request: Request) -> Response:
        await self._arrive(request)
        reply = self.configuration_fault and self.configuration_fault()
        document = {
            "issuer": ISSUER,
            "authorization_endpoint": "https://invalid.botframework.com/",
            "jwks_uri": f"{self.url}{KEY_SET_PATH}",
            "id_token_signing_alg_values_supported": ["RSA256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        }
        return reply or JSONResponse({**document, **self.configuration_changes})

    async def _key_set(self, request: Request) -> Response:
        await self._arrive(request)
        reply = self.key_set_fault and self.key_set_fault()
        return reply or JSONResponse({"keys": self.keys})

    async def _arrive(self, request: Request) -> None:
        self.fetches.append(request.url.path)
        await asyncio.sleep(self.delay_seconds)
        while self.is_hanging.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.05)
