"""What the tests of the deployment share."""

from copy import deepcopy
from pathlib import Path

import pytest

from tests.infra.deploy.workstation import Workstation
from tests.simulator.services.authority import Authority


@pytest.fixture
def workstation(tmp_path: Path) -> Workstation:
    """A workstation whose Azure is empty."""
    return Workstation(tmp_path, Authority())


@pytest.fixture(scope="session")
def first_deployment(tmp_path_factory: pytest.TempPathFactory) -> Workstation:
    """A workstation that deployed ``test``, two regions and a domain, from nothing.

    Only for reading: a test that goes on from there takes ``deployed``.
    """
    folder = tmp_path_factory.mktemp("first")
    workstation = Workstation(folder, Authority())
    workstation.describe("test", "weu", "eus2")
    workstation.deploy("test")
    return workstation


@pytest.fixture
def deployed(workstation: Workstation, first_deployment: Workstation) -> Workstation:
    """A workstation of the test's own, which has deployed ``test`` already."""
    workstation.describe("test", "weu", "eus2")
    workstation.azure = deepcopy(first_deployment.azure)
    return workstation
