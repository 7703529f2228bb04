"""What the tests of the deployment share."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from tests.infra.deploy.workstation import Workstation


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    """A workstation whose Azure is empty."""
    return Workstation(tmp_path)


@pytest.fixture(scope="session")
def first_deployment(tmp_path_factory: pytest.TempPathFactory) -> Workstation:
    """A workstation that deployed ``test``, two regions and a domain, from nothing.

    Only for reading: a test that goes on from there takes ``deployed``.
    """
    workstation = Workstation(tmp_path_factory.mktemp("first"))
    workstation.describe("test", "weu", "eus2")
    workstation.deploy("test", BOT_NAME="bot-calls")
    return workstation


@pytest.fixture
def deployed(workstation: Workstation, first_deployment: Workstation) -> Workstation:
    """A workstation of the test's own, which has deployed ``test`` already."""
    workstation.azure = deepcopy(first_deployment.azure)
    workstation.describe("test", "weu", "eus2")
    return workstation


@pytest.fixture
def make_workstation(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[], Workstation]:
    """Makes workstations whose Azure is empty; they share a folder."""
    params = tmp_path_factory.mktemp("params")
    return lambda: Workstation(params)


@pytest.fixture
def copy() -> Callable[[Workstation], Workstation]:
    """Makes workstations that go on from where another one is."""

    def make(original: Workstation) -> Workstation:
        workstation = Workstation(original.params)
        workstation.azure = deepcopy(original.azure)
        return workstation

    return make
