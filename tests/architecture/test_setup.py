"""Set-up works with any Python from 3.9 on, and says what to install where it cannot.

The tests run ``.ci/setup.sh`` in a copy of what it needs, with a lock file of one small
package. Where a test fetches uv, uv finds its Python 3.13 in a folder that the test
names, because not every machine may download one.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT, read_text
from tests.support.processes import output_of, run

SYSTEM_PATH = "/usr/bin:/bin"
SYSTEM_PYTHON = "/usr/bin/python3"
SMALL_PACKAGE = "iniconfig"
COMMAND = ("bash", ".ci/setup.sh", ".venv", "small.lock")
PRINT_VERSION = "print('%d.%d' % sys.version_info[:2])"

_SECONDS = 200.0
# What a machine may need to reach its package index.
_INDEX_SETTINGS = re.compile("PIP_|SSL_CERT_|(https?|no|all)_proxy$", re.IGNORECASE)


class Copy:
    """A folder with what set-up needs of the checkout, and with an empty home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.tools = folder / "bin"
        self.home = folder / "home"
        for made in (self.folder / ".ci", self.tools, self.home):
            made.mkdir(parents=True)
        shutil.copy(CHECKOUT / ".ci/setup.sh", self.folder / ".ci")
        shutil.copy(CHECKOUT / ".python-version", self.folder)
        (self.folder / "small.lock").write_text(locked(SMALL_PACKAGE))

    @property
    def python(self) -> Path:
        return self.folder / ".venv/bin/python"

    def add_python3(self, script: str) -> None:
        """Put a shell script in the place of ``python3``."""
        (self.tools / "python3").write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / "python3").chmod(0o755)

    def add_tools(self) -> None:
        """Link the few commands that set-up uses; flock is not among them."""
        for name in ("bash", "dirname", "rm", "touch"):
            (self.tools / name).symlink_to(str(shutil.which(name)))

    def set_up(self, path: str, **settings: str) -> subprocess.CompletedProcess[str]:
        env = {"HOME": str(self.home), "PATH": path, **settings}
        return run(*COMMAND, cwd=self.folder, env=env, timeout=_SECONDS)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


@pytest.fixture(scope="module")
def index_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What reaches the package index with the system's Python; skips without any."""
    settings = {k: v for k, v in os.environ.items() if _INDEX_SETTINGS.match(k)}
    folder = tmp_path_factory.mktemp("index")
    (folder / "lock").write_text(locked(SMALL_PACKAGE))
    options = ("--quiet", "--no-deps", "--retries=0", "--timeout=10", "--dest=.")
    downloaded = run(
        *(sys.executable, "-m", "pip", "download", *options, "--requirement=lock"),
        cwd=folder,
        env={**settings, "HOME": str(folder), "PATH": SYSTEM_PATH},
        timeout=_SECONDS,
    )
    if downloaded.returncode:
        pytest.skip("no package index can be reached")
    return settings


def locked(package: str) -> str:
    lock = read_text("requirements-dev.lock")
    found = re.search(rf"^{package}==\S+( \\\n +--hash=\S+)+", lock, re.MULTILINE)
    assert found
    return found[0] + "\n"


def skip_unless_old_and_with(module: str) -> None:
    """Skip where the system's Python is missing, is 3.13 already, or lacks a module."""
    if not Path(SYSTEM_PYTHON).exists():
        pytest.skip(f"there is no {SYSTEM_PYTHON}")
    asked = run(SYSTEM_PYTHON, "-c", f"import sys, {module}; {PRINT_VERSION}")
    if asked.returncode:
        pytest.skip(f"{SYSTEM_PYTHON} has no {module}")
    if asked.stdout == read_text(".python-version"):
        pytest.skip(f"{SYSTEM_PYTHON} is the Python that set-up wants")


@pytest.mark.timeout(2 * _SECONDS)
@pytest.mark.parametrize(
    ("has", "lacks"), [("ensurepip", "nothing"), ("pip", "venv")], ids=str
)
def test_an_older_python_is_enough(
    copy: Copy, index_settings: dict[str, str], has: str, lacks: str
) -> None:
    """Set-up fetches uv with it, and does nothing when it runs again."""
    skip_unless_old_and_with(has)
    copy.add_python3(f'[ "$1 $2" = "-m {lacks}" ] && exit 1; exec {SYSTEM_PYTHON} "$@"')
    path = f"{copy.tools}:{SYSTEM_PATH}"
    settings = {
        **index_settings,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PYTHON_SEARCH_PATH": f"{sys.base_prefix}/bin",
    }

    finished = copy.set_up(path, **settings)
    again = copy.set_up(path, **settings)

    assert finished.returncode == 0, finished.stderr
    assert "Fetching uv" in finished.stdout
    assert (copy.folder / ".ci/uv/bin/uv").is_file()
    command = f"import pip, sys, {SMALL_PACKAGE}; {PRINT_VERSION}"
    assert output_of(copy.python, "-c", command) == read_text(".python-version")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.mark.parametrize("script", ["exit 1", None], ids=["bare-python", "no-python"])
def test_set_up_says_what_to_install_where_nothing_can_be_fetched(
    copy: Copy, script: str | None
) -> None:
    copy.add_tools()
    if script is not None:
        copy.add_python3(script)

    finished = copy.set_up(str(copy.tools))

    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1] == (
        "setup: Python 3.13 is needed and could not be fetched: install uv, or"
        " python3.13 with its venv module (Debian: python3-venv), and try again."
    )
    assert not (copy.folder / ".venv/.ready").exists()


def test_a_second_set_up_waits_for_the_first_without_flock(copy: Copy) -> None:
    """As on macOS: Python takes the lock that the shell holds."""
    copy.add_tools()
    asked = copy.folder / "asked"
    os.mkfifo(asked)
    copy.add_python3(f'echo asked >{asked}; exec {sys.executable} "$@"')
    with ThreadPoolExecutor() as threads:
        with (copy.folder / ".setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            second = threads.submit(copy.set_up, str(copy.tools))
            # Reading ends when the second set-up asks for the lock.
            asked.read_text()
            copy.python.parent.mkdir(parents=True)
            (copy.folder / ".venv/.ready").touch()
        finished = second.result()

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_what_set_up_fetches_is_ignored_and_cleaned() -> None:
    assert ".ci/uv/" in read_text(".gitignore").splitlines()
    assert " .ci/uv " in output_of("make", "--dry-run", "clean")


def test_the_workflow_runs_what_must_pass_before_a_change_lands() -> None:
    """The steps are named in one place, ``.ci/run``."""
    workflow = read_text(".github/workflows/ci.yml")
    commands = re.findall(r"^ +run: (.+)$", workflow, re.MULTILINE)
    steps = read_text(".ci/run").splitlines()

    assert "bash .ci/run" in commands
    assert {"make lint", "make demo", "make test", "make drill"} <= set(steps)
    assert not set(commands) & set(steps)
