"""Deployments and requests for tests of the rules; only the ports are faked."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from shared.core.conditions import CONDITION_NAMES
from shared.core.context import LogFacts, RuleContext
from shared.core.decisions import Decision, decide
from shared.core.errors import KeysUnavailableError, WebhookError
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

    def keep_watch(self) -> None:
        """Nobody is looked at."""

    async def is_healthy(self, region: str, *, timeout_seconds: float = 0.5) -> bool:
        self.asked.append(region)
        self.waits.append(timeout_seconds)
        return region not in self.unhealthy


def key_set_of(*keys: SigningKey) -> KeySet:
    """Return the key set that publishes these keys."""
    return read_key_set(json.dumps({"keys": [key.jwk() for key in keys]}).encode())


KEY = SigningKey("platform-key")
TOKENS = TokenFactory(KEY)
KEY_SET = key_set_of(KEY)


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
    key_set: KeySet | None = KEY_SET,
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
    received_at: float = inf,
) -> WebhookRequest:
    """Build a POST.

    Args:
        token: the token, what mints a good one, or ``None`` to send none.
        body: sent as JSON unless it is bytes.
        headers: more headers.
        query: with its question mark.
        partition: makes it a POST to the callback route.
        received_at: see ``WebhookRequest``.
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
        received_at=received_at,
    )


def decide_on(
    deployment: RuleContext,
    body: object = None,
    *,
    token: TokenFactory | str | None = TOKENS,
    facts: LogFacts | None = None,
    **request: Any,
) -> Decision | WebhookError:
    """Let a deployment decide on a POST; a refusal is returned, not raised.

    Args:
        deployment: from ``build_deployment``.
        body: see ``build_request``, also for ``token`` and ``request``.
        token: a good one unless told otherwise.
        facts: for what the log would say.
        request: headers, query, partition or received_at.
    """
    post = build_request(token, body, **request)
    try:
        return asyncio.run(decide(post, deployment, facts or LogFacts()))
    except WebhookError as error:
        return error


def status_of(outcome: Decision | WebhookError) -> int:
    """Return the status of a refusal."""
    assert isinstance(outcome, WebhookError)
    return int(outcome.status)
