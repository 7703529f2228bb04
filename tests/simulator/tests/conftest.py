"""One world for all tests of a file that leave it healthy."""

from collections.abc import Iterator

import pytest

from infra.environment import Environment
from tests.simulator.environment import World, WorldOptions
from tests.simulator.services.traffic_manager import Profile
from tests.support.checkout import CHECKOUT

PROD = CHECKOUT / "infra" / "params" / "prod.json"
# With real times it takes a minute to notice a dead region; tests cannot wait so long.
QUICK = Profile(interval_seconds=1.0, timeout_seconds=1.0, ttl_seconds=1)


@pytest.fixture(scope="module")
def running_world() -> Iterator[World]:
    """Return the regions of prod, with quick probes."""
    options = WorldOptions(profile=QUICK)
    with World(Environment.read(PROD), options) as world:
        yield world


@pytest.fixture
def world(running_world: World) -> Iterator[World]:
    """Return the same world, and make it healthy again after the test."""
    yield running_world
    assert running_world.renew(30) == []
