"""shared.edge.places: everybody's share, and who comes next."""

import asyncio

import pytest

from shared.edge.places import Places


async def settle() -> None:
    """Let all that can go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_one_tenant_does_not_hold_all_places() -> None:
    async def story() -> list[str]:
        places, entered = Places(4, per_tenant=2), []
        leave = asyncio.Event()

        async def work(tenant: str) -> None:
            async with places.place(tenant, timeout_seconds=5):
                entered.append(tenant)
                await leave.wait()

        tasks = [asyncio.create_task(work(tenant)) for tenant in "aaaab"]
        await settle()
        before = [*entered]
        leave.set()
        await asyncio.gather(*tasks)
        assert sorted(entered) == ["a", "a", "a", "a", "b"]
        return before

    assert asyncio.run(story()) == ["a", "a", "b"]


def test_tenants_take_turns_where_all_wait() -> None:
    """A tenant with many waiting calls does not go before one with few."""

    async def story() -> list[str]:
        places, entered = Places(1, per_tenant=1), []

        async def work(name: str) -> None:
            async with places.place(name[0], timeout_seconds=5):
                entered.append(name)
                await asyncio.sleep(0)

        names = ["x0", "a1", "a2", "a3", "b1", "b2"]
        await asyncio.gather(*(work(name) for name in names))
        return entered

    assert asyncio.run(story()) == ["x0", "a1", "b1", "a2", "b2", "a3"]


def test_whoever_waits_too_long_gets_no_place_and_costs_none() -> None:
    async def story() -> None:
        places = Places(1, per_tenant=1)
        async with places.place("a", timeout_seconds=5):
            with pytest.raises(TimeoutError):
                async with places.place("b", timeout_seconds=0.05):
                    raise AssertionError
            waiter = asyncio.create_task(enter(places, "b"))
            await settle()
            waiter.cancel()
            await settle()
        async with asyncio.timeout(1), places.place("b", timeout_seconds=1):
            pass

    async def enter(places: Places, tenant: str) -> None:
        async with places.place(tenant, timeout_seconds=5):
            raise AssertionError

    asyncio.run(story())


def test_a_place_is_given_back_whatever_happens_in_it() -> None:
    async def story() -> None:
        places = Places(1, per_tenant=1)
        for _ in range(3):
            with pytest.raises(ValueError, match="x"):
                async with places.place("a", timeout_seconds=1):
                    raise ValueError("x")

    asyncio.run(story())
