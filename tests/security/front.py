"""A deployment, an identity provider that misbehaves, and callers who wait."""

import asyncio
import json
import secrets
import ssl
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from shared.service import UsableService, build_service
from shared.settings import read_settings
from tests.simulator.platform.notifications import Call, established
from tests.simulator.services.authority import Authority
from tests.simulator.services.openid_provider import IdentityProvider
from tests.simulator.services.signing import (
    APP_ID,
    ISSUER,
    TENANT_ID,
    SigningKey,
    TokenFactory,
    base64url,
)
from tests.support.clock import FakeClock
from tests.support.internals import set_clock
from tests.support.keys import settle
from tests.support.rules import build_request
from tests.support.running import Running
from tests.support.service import NO_HANDLERS


@dataclass(frozen=True, slots=True)
class Caller:
    """What one caller saw, and how long it waited."""

    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a scenario.

    Attributes:
        statuses: of the replies, in order.
        fetches: how often the provider was asked for keys.
        slowest_seconds: the longest that a caller waited.
        median_seconds: what callers usually waited.
    """

    statuses: tuple[int, ...]
    fetches: int
    slowest_seconds: float
    median_seconds: float

    def summary(self) -> str:
        """Return what callers saw, for people."""
        counted = Counter(self.statuses)
        return ", ".join(
            f"{status} ({count})" if count > 1 else str(status)
            for status, count in counted.items()
        )


class Front(Running):
    """A service with an identity provider; the clock of its keys is the test's.

    Attributes:
        key: what the provider publishes, unless told otherwise.
        callers: everybody so far.
    """

    def __init__(
        self, authority: Authority, context: ssl.SSLContext | None = None
    ) -> None:
        self.key = SigningKey("platform-key")
        self.provider = IdentityProvider(
            context or authority.server_context(), self.key
        )
        self.clock = FakeClock()
        self.callers: list[Caller] = []
        self._bundle = str(authority.bundle)
        self._tokens = TokenFactory(self.key)
        self._connections_before = 0

    def start(self, stack: ExitStack) -> None:
        """Start the provider, then the service."""
        self.service = build_service(
            read_settings(
                {
                    "MicrosoftAppId": APP_ID,
                    "CALLING_OPENID_CONFIGURATION_URL": self.provider.configuration_url,
                    "CALLING_METADATA_ISSUER": ISSUER,
                    "CALLING_CA_BUNDLE": self._bundle,
                    "CALLING_ANSWER": "false",
                }
            ),
            NO_HANDLERS,
        )
        assert isinstance(self.service, UsableService)
        self.keys = self.service.keys
        set_clock(self.keys, self.clock)
        stack.callback(self.service.close)
        stack.callback(self.settle)
        stack.enter_context(self.provider)

    @property
    def fetches(self) -> int:
        """How often keys were asked for; each fetch has a connection of its own."""
        return self.provider.connections - self._connections_before

    def token(self, key: SigningKey | None = None) -> str:
        """Mint a good token that nobody has seen, of another key where wanted."""
        chosen = key or self.key
        unique = secrets.token_hex(8)
        return self._tokens.mint({"kid": chosen.key_id}, chosen, jti=unique)

    def unknown_token(self) -> str:
        """Make a token with a random key id: cheap for an attacker, too."""
        header = {**self._tokens.header(), "kid": secrets.token_urlsafe(16)}
        claims = self._tokens.claims()
        parts = (json.dumps(part).encode() for part in (header, claims))
        head, payload = (base64url(part) for part in parts)
        return f"{head}.{payload}.{base64url(bytes(256))}"

    async def receive(self, token: str) -> Caller:
        """Let one caller in, and see what it sees."""
        call = established(Call(tenant_id=TENANT_ID), is_audio_active=True)
        started = time.monotonic()
        request = build_request(token, call, partition="default", received_at=started)
        reply = await self.service.receive(request)
        caller = Caller(reply.status, time.monotonic() - started)
        self.callers.append(caller)
        return caller

    async def receive_all(self, tokens: Sequence[str]) -> list[Caller]:
        """Let callers in at the same time."""
        return await asyncio.gather(*(self.receive(token) for token in tokens))

    def call(self, *tokens: str) -> list[Caller]:
        """Let callers in at the same time, on an event loop of their own."""
        return asyncio.run(self.receive_all(tokens))

    def load(self) -> None:
        """Get the first set, and forget how."""
        self.call(self.token())
        self.callers.clear()
        self._connections_before = self.provider.connections

    def settle(self) -> None:
        """Wait until no fetch runs."""
        settle(self.keys)

    def figures(self) -> Figures:
        """Return what came of it."""
        seconds = [caller.seconds for caller in self.callers]
        return Figures(
            statuses=tuple(caller.status for caller in self.callers),
            fetches=self.fetches,
            slowest_seconds=max(seconds),
            median_seconds=statistics.median(seconds),
        )
