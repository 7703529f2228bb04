"""Deployments and requests for tests of the rules; only the ports are faked."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from shared.core.conditions import CONDITION_NAMES
from shared.core.context import RuleContext
from shared.core.errors import KeysUnavailableError
from shared.core.key_sets import KeySet, read_key_set
from shared.core.regions import RegionPolicy, RegionRule
from shared.core.tokens import TokenPolicy
from shared.core.verified_tokens import VerifiedTokens
from shared.core.webhook import WebhookRequest
from tests.simulator.platform.notifications import Call, batch, incoming
from tests.simulator.services.signing import (
    APP_ID,
    ISSUER,
    TENANT_ID,
    SigningKey,
    TokenFactory,
)

HOSTS = {
    "weu": "weu.example.org",
    "sea": "sea.example.org:8443",
    "neu": "neu.example.org",
}


class FakeKeys:
    """A key source that holds the key set it is given; ``asked`` lists the key ids."""

    def __init__(self, key_set: KeySet | None) -> None:
        self.key_set = key_set
        self.asked: list[str] = []
        self.refreshes = 0

    def current(self) -> KeySet | None:
        return self.key_set

    def keep_fresh(self) -> None:
        self.refreshes += 1

    async def find(self, key_id: str) -> KeySet:
        self.asked.append(key_id)
        if self.key_set is None:
            raise KeysUnavailableError
        return self.key_set


class FakePeers:
    """Regions that are healthy unless named; ``known`` is known without asking."""

    def __init__(
        self, *unhealthy: str, known: Mapping[str, bool] | None = None
    ) -> None:
        self.unhealthy = unhealthy
        self.known = known or {}
        self.asked: list[str] = []
        self.waits: list[float] = []

    def current(self, region: str) -> bool | None:
        return self.known.get(region)

    async def is_healthy(self, region: str, *, timeout_seconds: float = 0.5) -> bool:
        self.asked.append(region)
        self.waits.append(timeout_seconds)
        return region not in self.unhealthy


def key_set_of(*keys: SigningKey) -> KeySet:
    """Return the key set that publishes these keys."""
    return read_key_set(json.dumps({"keys": [key.jwk() for key in keys]}).encode())


def call_from(country: str, **members: Any) -> Call:
    """Return a call from a country."""
    return Call(tenant_id=TENANT_ID, country_code=country, **members)


def graph(*countries: str) -> dict[str, Any]:
    """Return a notification with one incoming call for each country."""
    items = [
        incoming(call_from(country), "https://b")["value"][0] for country in countries
    ]
    return batch(*items)


def build_deployment(
    key_set: KeySet | None,
    *,
    rules: Sequence[Mapping[str, Any]] = (),
    unhealthy: Sequence[str] = (),
    **changes: Any,
) -> RuleContext:
    """Build the deployment of region weu."""
    prepared = [
        RegionRule(
            conditions={k: v for k, v in rule.items() if k in CONDITION_NAMES},
            regions=rule["regions"],
            is_strict=rule.get("strict", False),
        )
        for rule in rules
    ]
    values: dict[str, Any] = {
        "token_policy": TokenPolicy(audience=APP_ID, issuers=frozenset({ISSUER})),
        "verified_tokens": VerifiedTokens(leeway_seconds=300),
        "keys": FakeKeys(key_set),
        "clock": time.time,
        "monotonic": time.monotonic,
        "peers": FakePeers(*unhealthy),
        "region_policy": RegionPolicy(prepared),
        "own_region": "weu",
        "region_hosts": HOSTS,
        "redirect_status": 302,
        "allowed_tenants": frozenset(),
        "partitions": (),
        "answers_calls": True,
    }
    return RuleContext(**{**values, **changes})


def build_request(
    token: TokenFactory | str | None,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    partition: str | None = None,
) -> WebhookRequest:
    """Build a POST.

    Args:
        token: the token, what mints a good one, or ``None`` to send none.
        body: sent as JSON unless it is bytes.
        headers: more headers.
        query: with its question mark.
        partition: makes it a POST to the callback route.
    """
    data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    bearer = token.mint() if isinstance(token, TokenFactory) else token
    sent = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
    path = "/api/calls" if partition is None else f"/api/calls/{partition}"
    return WebhookRequest(
        url=f"https://weu.example.org{path}{query}",
        headers={**sent, **(headers or {})},
        body=data,
        partition=partition,
    )
