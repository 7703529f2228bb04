"""What the tests of the templates share: the compiler and the templates."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bicep import NOT_FOUND, find_bicep
from tests.infra.templates import Compiler, Templates


@pytest.fixture(scope="session")
def bicep_cli() -> Path:
    """The Bicep CLI, where there is one."""
    found = find_bicep()
    if found is None:
        pytest.skip(NOT_FOUND)
    return found


@pytest.fixture(scope="session")
def compiler(
    bicep_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Compiler]:
    """The compiler; all processes of a test run share its answers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    memory = folder / "bicep-answers"
    memory.mkdir(exist_ok=True)
    compiler = Compiler(bicep_cli, memory)
    yield compiler
    compiler.close()


@pytest.fixture(scope="session")
def templates(compiler: Compiler) -> Templates:
    return Templates(compiler)
