"""shared.edge.graph_tokens: tokens are kept per tenant and renewed before they end."""

import asyncio

import pytest
from starlette.responses import Response

from shared.edge import graph_tokens, held_tokens, token_client
from shared.edge.graph_tokens import GraphTokens
from shared.edge.token_client import CredentialError
from tests.simulator.services.signing import TENANT_ID
from tests.support.clock import SETTLE_SECONDS, ShiftedTime, at_most
from tests.support.entra import IDENTITY_CLIENT_ID, TokenServers, ask


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ShiftedTime:
    """The wall clock of the modules that get tokens and keep them."""
    shifted = ShiftedTime()
    for module in (held_tokens, token_client):
        monkeypatch.setattr(module, "time", shifted)
    return shifted


async def settle(credentials: GraphTokens) -> None:
    """Wait for renewals in the background; their failures are logged, not raised."""
    running = list(credentials._acquiring._running.values())
    await asyncio.wait_for(
        asyncio.gather(*running, return_exceptions=True), SETTLE_SECONDS
    )
    await asyncio.sleep(0)


def refuse() -> Response:
    """Be out of service."""
    return Response(status_code=503)


def test_a_token_serves_a_tenant_until_it_is_due(
    servers: TokenServers, clock: ShiftedTime
) -> None:
    """Entra gets one request an hour, five minutes before the token ends."""
    credentials = servers.credentials()

    async def story() -> set[str]:
        first = await ask(credentials)
        clock.shift = 3250
        return {first, await ask(credentials), await ask(credentials)}

    assert len(asyncio.run(story())) == 1
    assert len(servers.asked) == 1


def test_each_tenant_has_a_token_of_its_own(servers: TokenServers) -> None:
    """The token of one tenant never reaches another's call."""
    credentials = servers.credentials()

    async def story() -> list[str]:
        tenants = (TENANT_ID, IDENTITY_CLIENT_ID, TENANT_ID)
        return [await ask(credentials, tenant) for tenant in tenants]

    tokens = asyncio.run(story())
    assert [servers.entra.issued[token].tenant_id for token in tokens] == [
        TENANT_ID,
        IDENTITY_CLIENT_ID,
        TENANT_ID,
    ]
    assert tokens[0] == tokens[2]
    assert len(servers.asked) == 2


@pytest.mark.requirement("R25")
def test_callers_at_the_same_time_share_one_request(servers: TokenServers) -> None:
    """Fifty calls of one tenant ask Entra once."""
    credentials = servers.credentials()

    async def story() -> set[str]:
        return set(await asyncio.gather(*(ask(credentials) for _ in range(50))))

    assert len(asyncio.run(story())) == 1
    assert len(servers.asked) == 1


def test_a_token_near_its_end_is_renewed_in_the_background(
    servers: TokenServers, clock: ShiftedTime
) -> None:
    """The caller who triggers it gets the old token at once."""
    credentials = servers.credentials()

    async def story() -> list[str]:
        first = await ask(credentials)
        servers.entra.delay_seconds = 0.3
        clock.shift = 3350
        with at_most(0.2):
            second = await ask(credentials)
        assert await ask(credentials) == second
        await settle(credentials)
        return [first, second, await ask(credentials)]

    first, second, third = asyncio.run(story())
    assert first == second
    assert third != first
    assert len(servers.asked) == 2


def test_while_a_renewal_fails_the_old_token_serves_as_long_as_it_lives(
    servers: TokenServers, clock: ShiftedTime
) -> None:
    """Entra is asked again every 30 seconds, not for every call."""
    credentials = servers.credentials()

    async def story() -> set[str]:
        tokens = {await ask(credentials)}
        servers.entra.fault = refuse
        for clock.shift in range(3300, 3580, 10):
            tokens.add(await ask(credentials))
            await settle(credentials)
        return tokens

    assert len(asyncio.run(story())) == 1
    assert 8 <= len(servers.asked) <= 11


def test_a_token_at_its_end_is_not_used(
    servers: TokenServers, clock: ShiftedTime
) -> None:
    """It would expire on the way; without another one there is an error."""
    credentials = servers.credentials()

    async def story() -> None:
        await ask(credentials)
        servers.entra.fault = refuse
        clock.shift = 3595
        with pytest.raises(CredentialError):
            await ask(credentials)

    asyncio.run(story())


def test_a_token_of_a_short_life_is_renewed_at_half_of_it(
    servers: TokenServers, clock: ShiftedTime
) -> None:
    """Five minutes before its end it had not been issued yet."""
    credentials = servers.credentials()
    servers.entra.lifetime_seconds = 200

    async def story() -> list[int]:
        requests = []
        for clock.shift in (0, 90, 110):
            await ask(credentials)
            await settle(credentials)
            requests.append(len(servers.asked))
        return requests

    assert asyncio.run(story()) == [1, 1, 2]


def test_a_token_that_graph_refused_is_replaced(servers: TokenServers) -> None:
    """The next caller waits for a new one."""
    credentials = servers.credentials()

    async def story() -> list[str]:
        first = await ask(credentials)
        credentials.forget(TENANT_ID, first)
        return [first, await ask(credentials)]

    first, second = asyncio.run(story())
    assert first != second


def test_a_late_refusal_does_not_cost_the_new_token(servers: TokenServers) -> None:
    """Two calls are refused with the old token, and only the first drops it."""
    credentials = servers.credentials()

    async def story() -> list[str]:
        first = await ask(credentials)
        credentials.forget(TENANT_ID, first)
        second = await ask(credentials)
        credentials.forget(TENANT_ID, first)
        credentials.forget(IDENTITY_CLIENT_ID, first)
        return [second, await ask(credentials)]

    second, third = asyncio.run(story())
    assert second == third


@pytest.mark.requirement("R25")
def test_tokens_are_kept_for_a_bounded_number_of_tenants(
    servers: TokenServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tenant that was used longest ago is dropped first."""
    assert graph_tokens._MAX_TENANTS == 1000
    monkeypatch.setattr(graph_tokens, "_MAX_TENANTS", 3)
    credentials = servers.credentials()
    a, b, c, d = (f"{n}c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87" for n in range(4))

    async def story() -> None:
        for tenant in (a, b, c, a, d, a, c, d, b):
            await ask(credentials, tenant)

    asyncio.run(story())
    assert servers.asked == [a, b, c, d, b]


def test_an_error_reaches_everybody_who_waits(servers: TokenServers) -> None:
    """The next caller tries again."""
    credentials = servers.credentials()
    servers.entra.fault = refuse

    async def story() -> list[object]:
        waiting = (ask(credentials) for _ in range(5))
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        servers.entra.fault = None
        return [*outcomes, await ask(credentials)]

    *errors, token = asyncio.run(story())
    assert [type(error) for error in errors] == [CredentialError] * 5
    assert token in servers.entra.issued
    assert len(servers.asked) == 2
