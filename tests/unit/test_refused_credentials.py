"""Entra refuses for good: no consent, an expired secret, no such tenant."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from starlette.responses import JSONResponse, Response

from shared.edge import held_tokens
from shared.edge.entra import EntraClient
from shared.edge.graph_tokens import GraphTokens
from shared.edge.token_client import (
    ACQUIRE_SECONDS,
    AccessToken,
    CredentialError,
    CredentialRefusedError,
)
from tests.simulator.services.signing import TENANT_ID
from tests.support.clock import ShiftedTime, at_most
from tests.support.entra import IDENTITY_CLIENT_ID, TokenServers, ask
from tests.support.threads import let_no_thread_start

FINAL = [
    "7000215",
    "7000222",
    "700016",
    "700027",
    "7000229",
    "7000112",
    "53003",
    "65001",
    "90002",
]
PASSING = ["70021", "700211", "700212", "700213"]


def refusing(code: str) -> Callable[[], Response]:
    """Return a fault of Entra: it refuses with this code."""
    error = {"error": "invalid_client", "error_description": f"AADSTS{code}: no."}
    return lambda: JSONResponse(error, 401)


@pytest.mark.parametrize("code", FINAL)
def test_a_final_refusal_is_told_with_its_code(
    servers: TokenServers, code: str
) -> None:
    servers.entra.fault = refusing(code)
    with pytest.raises(CredentialRefusedError) as refused:
        asyncio.run(ask(servers.credentials()))

    assert refused.value.code == f"AADSTS{code}"


@pytest.mark.parametrize("code", PASSING)
def test_a_federated_credential_that_has_not_spread_yet_is_asked_for_again(
    servers: TokenServers, code: str
) -> None:
    servers.entra.fault = refusing(code)
    tokens = servers.credentials()
    for _ in range(2):
        with pytest.raises(CredentialError) as failed:
            asyncio.run(ask(tokens))
        assert not isinstance(failed.value, CredentialRefusedError)

    assert len(servers.asked) == 2


def test_the_code_is_read_from_a_discovery_that_was_refused(
    servers: TokenServers,
) -> None:
    """Msal hides it there: a tenant that does not exist is told at discovery."""
    servers.entra.discovery_fault = refusing("90002")
    with pytest.raises(CredentialRefusedError) as refused:
        asyncio.run(ask(servers.credentials()))

    assert refused.value.code == "AADSTS90002"


def test_a_tenant_that_was_refused_is_not_asked_for_again_within_30_seconds(
    servers: TokenServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other tenants are; and after that one call tries again."""
    clock = ShiftedTime()
    monkeypatch.setattr(held_tokens, "time", clock)
    tokens = servers.credentials()
    servers.entra.fault = refusing("65001")

    async def story() -> list[int]:
        asked = []
        for clock.shift in (0, 29, 31):
            with pytest.raises(CredentialRefusedError):
                await ask(tokens)
            asked.append(len(servers.asked))
        servers.entra.fault = None
        await ask(tokens, IDENTITY_CLIENT_ID)
        clock.shift = 62
        await ask(tokens)
        return asked

    assert asyncio.run(story()) == [1, 1, 2]


def test_a_held_token_serves_on_while_its_renewal_is_refused(
    servers: TokenServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consent that was withdrawn counts from the next token on."""
    clock = ShiftedTime()
    monkeypatch.setattr(held_tokens, "time", clock)
    tokens = servers.credentials()

    async def story() -> tuple[str, str]:
        first = await ask(tokens)
        servers.entra.fault = refusing("65001")
        clock.shift = 3350
        await ask(tokens)
        await asyncio.sleep(0.3)
        return first, await ask(tokens)

    first, second = asyncio.run(story())
    assert first == second


class Hanging(EntraClient):
    """A client whose first request never ends."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_hanging = True

    def acquire(self, tenant_id: str) -> AccessToken:
        self.asked += 1
        if self.is_hanging:
            hanging.wait(10)
        return AccessToken(f"token-{tenant_id}", 2.0**33, 2.0**33)


hanging = threading.Event()


def test_a_token_request_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tenant's next call starts another; name resolution has no deadline."""
    assert ACQUIRE_SECONDS == 10
    monkeypatch.setattr(held_tokens, "ACQUIRE_SECONDS", 0.3)
    client = Hanging()
    tokens = GraphTokens(client)

    async def story() -> str:
        with pytest.raises(CredentialError):
            await tokens.token(TENANT_ID, timeout_seconds=5)
        client.is_hanging = False
        return await tokens.token(TENANT_ID, timeout_seconds=5)

    with at_most(3):
        assert asyncio.run(story()) == f"token-{TENANT_ID}"
    hanging.set()
    assert client.asked == 2


def test_without_a_thread_there_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Hanging()
    let_no_thread_start(monkeypatch)
    with pytest.raises(CredentialError, match="no thread"):
        asyncio.run(GraphTokens(client).token(TENANT_ID, timeout_seconds=5))
    assert client.asked == 0
