"""The package that is published: built for real, so this needs a package index.

Without network it is skipped, but not in CI.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.funcignore import is_published
from tests.infra.deploy.stand_ins import PACKAGES
from tests.support.checkout import CHECKOUT, read_text
from tests.support.processes import output_of, run

VENV = Path(sys.executable).parents[1]
_NO_NETWORK = re.compile(
    "NewConnectionError|NameResolutionError|ConnectTimeoutError|Network is unreachable"
)
_LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ]+)", re.MULTILINE)
# Every extension that the Linux of Functions, x86-64 with glibc, loads into 3.13.
_EXTENSION = re.compile(r"\.(cpython-313-x86_64-linux-gnu|abi3)\.so$")


def make_checkout(folder: Path) -> None:
    """Make the part of a checkout that package.sh needs."""
    shutil.copytree(CHECKOUT / "infra", folder / "infra")
    shutil.copy(CHECKOUT / "requirements.lock", folder)
    (folder / ".venv").symlink_to(VENV)


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PIP_RETRIES": "1", "PIP_TIMEOUT": "20"}
    return run("bash", "infra/package.sh", cwd=folder, env=env)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the package, built once, over what an earlier build left."""
    folder = tmp_path_factory.mktemp("package")
    make_checkout(folder)
    left = folder / PACKAGES / "left_by_an_earlier_build.py"
    left.parent.mkdir(parents=True)
    left.touch()
    finished = build(folder)
    if _NO_NETWORK.search(finished.stdout + finished.stderr) and "CI" not in os.environ:
        pytest.skip("no package index can be reached")
    assert finished.returncode == 0, finished.stderr
    return folder


def test_the_package_holds_exactly_the_locked_versions(package: Path) -> None:
    found = {
        each.name.lower().replace("_", "-"): each.version
        for each in importlib.metadata.distributions(path=[str(package / PACKAGES)])
    }

    assert found == dict(_LOCKED.findall(read_text("requirements.lock")))
    assert len(found) > 10
    assert not (package / PACKAGES / "left_by_an_earlier_build.py").exists()


def test_every_extension_loads_into_python_3_13_on_linux(package: Path) -> None:
    """The machine that builds the package does not matter."""
    extensions = [path.name for path in package.rglob("*.so")]

    assert extensions
    assert [name for name in extensions if not _EXTENSION.search(name)] == []


def test_the_app_runs_on_the_package_alone(package: Path) -> None:
    """Its functions are found, and modules that it imports late are there."""
    code = f"""
import sys
sys.path[:0] = [{str(package / PACKAGES)!r}, {str(CHECKOUT)!r}]
import function_app
print(*sorted(f.get_function_name() for f in function_app.app.get_functions()))
import azure.identity, cryptography, jwt, msal, requests
print(*(m.__file__ for m in (azure.identity, cryptography, jwt, msal, requests)))
"""
    functions, files = output_of(sys.executable, "-ISB", "-c", code).splitlines()

    assert functions == "callback calls health warmup"
    assert all(file.startswith(str(package)) for file in files.split())


def test_all_of_the_package_is_published(package: Path) -> None:
    """No pattern of .funcignore leaves out a file of it."""
    lines = read_text(".funcignore").splitlines()
    files = [path for path in (package / PACKAGES).rglob("*") if path.is_file()]
    names = [str(file.relative_to(package)) for file in files]

    assert [name for name in names if not is_published(name, lines)] == []


def test_bytecode_is_there_and_is_taken_as_it_is(package: Path) -> None:
    """A cold start compiles nothing: flags 01 of PEP 552, the hash is not compared."""
    compiled = [*(package / PACKAGES / "jwt").rglob("*.pyc")]

    assert len(compiled) == len([*(package / PACKAGES / "jwt").rglob("*.py")])
    for path in compiled:
        assert path.read_bytes()[4:8] == bytes([1, 0, 0, 0])


@pytest.mark.parametrize(
    ("hashes", "complaint"),
    [
        (f" --hash=sha256:{'0' * 64}", "DO NOT MATCH THE HASHES"),
        ("", "Hashes are required"),
    ],
)
def test_only_wheels_with_the_locked_hashes_are_taken(
    hashes: str, complaint: str, package: Path, tmp_path: Path
) -> None:
    """The lock decides what is published, not the package index."""
    make_checkout(tmp_path)
    locked = _LOCKED.findall(read_text("requirements.lock"))
    pins = [f"{name}=={version}{hashes}" for name, version in locked]
    (tmp_path / "requirements.lock").write_text("\n".join(pins))

    finished = build(tmp_path)

    assert finished.returncode != 0
    assert complaint in finished.stderr
