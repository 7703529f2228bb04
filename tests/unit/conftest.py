"""What several unit tests share: the platform's key set, and the neighbours once."""

from collections.abc import Iterator

import pytest

from shared.core.key_sets import KeySet
from shared.service import Service, UsableService
from tests.simulator.services.signing import TokenFactory
from tests.support.rules import key_set_of
from tests.support.service import Make, ServiceWorld


@pytest.fixture(scope="session")
def key_set(tokens: TokenFactory) -> KeySet:
    """The platform's key set."""
    return key_set_of(tokens.key)


@pytest.fixture(scope="module")
def started_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceWorld]:
    """Start the neighbours once a file."""
    with ServiceWorld(tmp_path_factory.mktemp("service")) as world:
        yield world


@pytest.fixture
def world(started_world: ServiceWorld) -> ServiceWorld:
    """Return the neighbours as new."""
    started_world.reset()
    return started_world


@pytest.fixture
def make(world: ServiceWorld) -> Iterator[Make]:
    """Return a maker of services that closes them at the end."""
    made: list[Service] = []

    def make_one(**changes: str) -> Service:
        made.append(world.service(**changes))
        return made[-1]

    yield make_one
    for service in made:
        service.close()


@pytest.fixture
def service(make: Make) -> UsableService:
    """Return a service that answers calls."""
    service = make()
    assert isinstance(service, UsableService)
    return service
