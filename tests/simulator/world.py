"""Everything together: identity provider, Entra, Graph, and regional deployments.

Each deployment is a process of its own, as in Azure; the rest runs in threads here.
"""

import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import requests

from tests.localhost.process import LocalHost
from tests.simulator.platform.notifications import Call
from tests.simulator.platform.platform import CallingPlatform, Step
from tests.simulator.services.authority import Authority
from tests.simulator.services.entra import Entra, ManagedIdentityEndpoint, Registration
from tests.simulator.services.graph_api import GraphApi
from tests.simulator.services.openid_provider import OpenIdProvider
from tests.simulator.services.signing import ISSUER, SigningKey, TokenFactory

_WARM_SECONDS = 30.0

APP_ID = "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10"
TENANT_ID = "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87"


class OutsideWorld:
    """What a deployment talks to: identity provider, Entra, Graph.

    Attributes:
        registration: the bot's, as Entra knows it.
        tokens: mints what the platform would send.
    """

    def __init__(
        self,
        *,
        app_id: str = APP_ID,
        tenant_id: str = TENANT_ID,
        key: SigningKey | None = None,
    ) -> None:
        """Make the world of one bot and one tenant; ``key`` signs, or a new one."""
        self.app_id = app_id
        self.tenant_id = tenant_id
        self.authority = Authority()
        self.registration = Registration(app_id)
        self.key = key or SigningKey()
        self.tokens = TokenFactory(self.key, audience=app_id, tenant_id=tenant_id)
        certificate = self.authority.certificate
        self.provider = OpenIdProvider(certificate, self.key)
        self.entra = Entra(certificate, self.registration)
        self.identity = ManagedIdentityEndpoint(self.registration)
        self.graph = GraphApi(certificate, self.entra)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the servers."""
        for server in (self.provider, self.entra, self.identity, self.graph):
            self._stack.enter_context(server)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the servers."""
        self._stack.close()

    def settings(self, **changes: str) -> dict[str, str]:
        """Return the settings of a deployment without regions, changed as wanted."""
        return {
            "MicrosoftAppId": self.app_id,
            "CALLING_OPENID_CONFIGURATION_URL": self.provider.configuration_url,
            "CALLING_METADATA_ISSUER": ISSUER,
            "CALLING_LOGIN_URL": self.entra.url,
            "CALLING_GRAPH_URL": self.graph.graph_url,
            "CALLING_CA_BUNDLE": str(self.authority.bundle),
            "IDENTITY_ENDPOINT": self.identity.endpoint,
            "IDENTITY_HEADER": self.identity.header,
            **changes,
        }

    def platform(
        self, watch: Callable[[Call, Step], None] | None = None
    ) -> CallingPlatform:
        """Return a calling platform that knows this world."""
        return CallingPlatform(
            authority=self.authority,
            tokens=self.tokens,
            graph=self.graph,
            watch=watch,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which regions there are, and what they are told."""

    regions: Sequence[str] = ("weu", "sea")
    rules: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


class World(OutsideWorld):
    """The outside world with one local host for each region, over TLS.

    Attributes:
        hosts: ``host:port`` by region: CALLING_REGION_HOSTS.
        deployments: the processes by region.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        """Plan the regions; they start with the ``with`` block."""
        super().__init__()
        self.plan = plan or Plan()
        self.hosts = {code: f"127.0.0.1:{free_port()}" for code in self.plan.regions}
        self.deployments: dict[str, LocalHost] = {}

    def __enter__(self) -> Self:
        """Start the servers, then the deployments."""
        super().__enter__()
        try:
            for code in self.plan.regions:
                self.start_deployment(code)
            self._wait_until_warm()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _wait_until_warm(self) -> None:
        """Wait until all hold keys, and know those that rules name for healthy.

        Nobody is asked for health before all hold keys: a region that was looked at
        too early would count as sick until the next look, 10 s later.
        """
        if not self.plan.rules:
            return
        platform = self.platform()
        call = Call(tenant_id=self.tenant_id)
        for code in self.hosts:
            platform.post(call, self.webhook(code), {"value": []}, what="warm-up")
        named = {region for rule in self.plan.rules for region in rule["regions"]}
        ends_at = time.monotonic() + _WARM_SECONDS
        for code, host in self.hosts.items():
            url, bundle = f"https://{host}/api/health", str(self.authority.bundle)
            requests.get(url, verify=bundle, timeout=_WARM_SECONDS)
            for peer in named - {code}:
                self._wait_until_healthy(peer, seen_by=code, ends_at=ends_at)

    def _wait_until_healthy(self, peer: str, *, seen_by: str, ends_at: float) -> None:
        line = f'"event":"peer.healthy","peer":"{peer}"'
        while not any(
            line in logged for logged in self.deployments[seen_by].log_lines()
        ):
            if time.monotonic() > ends_at:
                message = f"{seen_by} does not find {peer} healthy"
                raise RuntimeError(message)
            time.sleep(0.01)

    def webhook(self, code: str) -> str:
        """Return the calling webhook of a region."""
        return f"https://{self.hosts[code]}/api/calls"

    def start_deployment(self, code: str) -> LocalHost:
        """Start the local host of a region."""
        regional = {
            "CALLING_REGION": code,
            "CALLING_REGION_HOSTS": json.dumps(self.hosts),
            "CALLING_REGION_RULES": json.dumps(list(self.plan.rules)),
        }
        settings = self.settings(**{**regional, **self.plan.settings})
        deployment = LocalHost(
            settings,
            port=int(self.hosts[code].rpartition(":")[2]),
            certificate=self.authority.certificate,
        )
        self.deployments[code] = self._stack.enter_context(deployment)
        return deployment


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
