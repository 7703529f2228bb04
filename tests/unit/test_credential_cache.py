"""shared.edge.graph_tokens: tokens are kept per tenant and renewed before they end."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from starlette.responses import Response

from shared.edge import entra, graph_tokens
from shared.edge.entra import CredentialError
from shared.edge.graph_tokens import GraphTokens
from tests.support.entra import IDENTITY_CLIENT_ID, TENANT_ID, EntraWorld, ask

SETTLE_SECONDS = 10.0


class ShiftedTime:
    """The wall clock of both modules, moved by as much as a test wants."""

    def __init__(self) -> None:
        self.shift = 0.0
        self.monotonic = time.monotonic

    def time(self) -> float:
        return time.time() + self.shift


@pytest.fixture(scope="module")
def started_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntraWorld]:
    """Start the servers once."""
    with EntraWorld(tmp_path_factory.mktemp("bot")) as world:
        yield world


@pytest.fixture
def world(started_world: EntraWorld) -> EntraWorld:
    """Return the servers as new."""
    started_world.reset()
    return started_world


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ShiftedTime:
    """Return the wall clock in our hands."""
    shifted = ShiftedTime()
    for module in (entra, graph_tokens):
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
    world: EntraWorld, clock: ShiftedTime
) -> None:
    """One request to Entra for all calls of an hour, less five minutes."""
    credentials = world.credentials()

    async def story() -> set[str]:
        first = await ask(credentials)
        clock.shift = 3250
        return {first, await ask(credentials), await ask(credentials)}

    assert len(asyncio.run(story())) == 1
    assert len(world.asked) == 1


def test_each_tenant_has_a_token_of_its_own(world: EntraWorld) -> None:
    """The token of one tenant never reaches another's call."""
    credentials = world.credentials()

    async def story() -> list[str]:
        tenants = (TENANT_ID, IDENTITY_CLIENT_ID, TENANT_ID)
        return [await ask(credentials, tenant) for tenant in tenants]

    tokens = asyncio.run(story())
    assert [world.entra.issued[token].tenant_id for token in tokens] == [
        TENANT_ID,
        IDENTITY_CLIENT_ID,
        TENANT_ID,
    ]
    assert tokens[0] == tokens[2]
    assert len(world.asked) == 2


@pytest.mark.requirement("R25")
def test_callers_at_the_same_time_share_one_request(world: EntraWorld) -> None:
    """Fifty calls of one tenant ask Entra once."""
    credentials = world.credentials()

    async def story() -> set[str]:
        return set(await asyncio.gather(*(ask(credentials) for _ in range(50))))

    assert len(asyncio.run(story())) == 1
    assert len(world.asked) == 1


def test_a_token_near_its_end_is_renewed_in_the_background(
    world: EntraWorld, clock: ShiftedTime
) -> None:
    """The caller who notices gets the old one at once; the next gets the new one."""
    credentials = world.credentials()

    async def story() -> list[str]:
        first = await ask(credentials)
        world.entra.delay_seconds = 0.3
        clock.shift = 3350
        started = time.monotonic()
        second = await ask(credentials)
        assert time.monotonic() - started < 0.2
        assert await ask(credentials) == second
        await settle(credentials)
        return [first, second, await ask(credentials)]

    first, second, third = asyncio.run(story())
    assert first == second
    assert third != first
    assert len(world.asked) == 2


def test_while_a_renewal_fails_the_old_token_serves_as_long_as_it_lives(
    world: EntraWorld, clock: ShiftedTime
) -> None:
    """Entra is asked again every 30 seconds, not for every call."""
    credentials = world.credentials()

    async def story() -> set[str]:
        tokens = {await ask(credentials)}
        world.entra.fault = refuse
        for clock.shift in range(3300, 3580, 10):
            tokens.add(await ask(credentials))
            await settle(credentials)
        return tokens

    assert len(asyncio.run(story())) == 1
    assert 8 <= len(world.asked) <= 11


def test_a_token_at_its_end_is_not_used(world: EntraWorld, clock: ShiftedTime) -> None:
    """It would end on the way; without another one there is an error."""
    credentials = world.credentials()

    async def story() -> None:
        await ask(credentials)
        world.entra.fault = refuse
        clock.shift = 3595
        with pytest.raises(CredentialError):
            await ask(credentials)

    asyncio.run(story())


def test_a_token_of_a_short_life_is_renewed_at_half_of_it(
    world: EntraWorld, clock: ShiftedTime
) -> None:
    """Five minutes before the end would be before it was issued."""
    credentials = world.credentials()
    world.entra.lifetime_seconds = 200

    async def story() -> list[int]:
        requests = []
        for clock.shift in (0, 90, 110):
            await ask(credentials)
            await settle(credentials)
            requests.append(len(world.asked))
        return requests

    assert asyncio.run(story()) == [1, 1, 2]


def test_a_token_that_graph_refused_is_replaced(world: EntraWorld) -> None:
    """The next caller waits for a new one, truly new."""
    credentials = world.credentials()

    async def story() -> list[str]:
        first = await ask(credentials)
        credentials.forget(TENANT_ID, first)
        return [first, await ask(credentials)]

    first, second = asyncio.run(story())
    assert first != second


def test_a_late_refusal_does_not_cost_the_new_token(world: EntraWorld) -> None:
    """Two calls are refused with the old token; only the first drops it."""
    credentials = world.credentials()

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
    world: EntraWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tenant that was used longest ago goes first."""
    assert graph_tokens._MAX_TENANTS == 1000
    monkeypatch.setattr(graph_tokens, "_MAX_TENANTS", 3)
    credentials = world.credentials()
    a, b, c, d = (f"{n}c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87" for n in range(4))

    async def story() -> None:
        for tenant in (a, b, c, a, d):
            await ask(credentials, tenant)

    asyncio.run(story())
    assert set(credentials._held) == {a, c, d}


def test_an_error_reaches_everybody_who_waits(world: EntraWorld) -> None:
    """And the next caller tries anew."""
    credentials = world.credentials()
    world.entra.fault = refuse

    async def story() -> list[object]:
        waiting = (ask(credentials) for _ in range(5))
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        world.entra.fault = None
        return [*outcomes, await ask(credentials)]

    *errors, token = asyncio.run(story())
    assert [type(error) for error in errors] == [CredentialError] * 5
    assert token in world.entra.issued
    assert len(world.asked) == 2
