"""What the tests of the deployment share."""

from copy import deepcopy
from pathlib import Path

import pytest

from tests.infra.deploy.deploy_world import World
from tests.support.servers import Certificates


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A checkout and an Azure in which nothing is deployed."""
    return World(tmp_path, Certificates(tmp_path))


@pytest.fixture(scope="session")
def first_deployment(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which ``test``, two regions and a domain, was deployed from nothing.

    For reading: tests that go on from there take ``deployed``.
    """
    folder = tmp_path_factory.mktemp("first")
    world = World(folder, Certificates(folder))
    world.describe("test", "weu", "eus2")
    finished = world.deploy("test")
    assert finished.returncode == 0, finished.stderr
    return world


@pytest.fixture
def deployed(world: World, first_deployment: World) -> World:
    """A world of one's own, in which ``test`` is deployed already."""
    world.describe("test", "weu", "eus2")
    world.azure = deepcopy(first_deployment.azure)
    return world
