"""The tree: who imports what, how long files are, and what is published."""

import ast
import math
import os
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.funcignore import is_published
from tests.conftest import BEGIN_FIRST, TOGETHER
from tests.support.checkout import CHECKOUT, read_text
from tests.support.processes import run
from tests.support.tracked_files import tracked_files

MAX_FUNCTION_LINES = 60
# Half of the product's functions have at most so many lines, and 95 of a hundred.
MAX_MEDIAN_LINES = 8
MAX_95TH_PERCENTILE_LINES = 25
# Places where Python code of the product and of its tests lives.
CODE = ("function_app.py", "shared", "tests", "infra")
SOURCES = {".py", ".sh", ".bicep", ".js", ".css", ".html", ".lua"}

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def code_files() -> Iterator[Path]:
    for place in CODE:
        path = CHECKOUT / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def product_files() -> list[Path]:
    return [CHECKOUT / "function_app.py", *sorted((CHECKOUT / "shared").rglob("*.py"))]


def lines_of(name: str) -> int:
    return len(read_text(name).splitlines())


def functions_of_the_product() -> dict[str, int]:
    """Return the lines of each function, from its first decorator to its end."""
    return {
        f"{path.name}:{node.lineno}:{node.name}": last - first + 1
        for path in product_files()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, _FUNCTIONS) and (last := node.end_lineno)
        for first in [min(part.lineno for part in (node, *node.decorator_list))]
    }


def imports_of(path: Path) -> set[str]:
    """Return the modules that a file imports when it runs, anywhere in it."""
    found: set[str] = set()
    tree = ast.parse(path.read_text("utf-8"))
    for block in [node for node in tree.body if isinstance(node, ast.If)]:
        tree.body.remove(block)  # if TYPE_CHECKING
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize(
    ("place", "most"), [("shared", 300), ("infra", 300), ("tests", 400)]
)
def test_no_file_is_too_long_to_read(place: str, most: int) -> None:
    long = {
        name: count
        for path in sorted((CHECKOUT / place).rglob("*.*"))
        if path.suffix in SOURCES
        and (count := lines_of(name := str(path.relative_to(CHECKOUT)))) > most
    }

    assert long == {}


@pytest.mark.parametrize(
    ("name", "most"), [("function_app.py", 60), ("shared/core/decisions.py", 200)]
)
def test_the_files_that_are_read_first_are_short(name: str, most: int) -> None:
    assert lines_of(name) <= most


def test_functions_of_the_product_are_short() -> None:
    sizes = sorted(functions_of_the_product().values())

    assert statistics.median(sizes) <= MAX_MEDIAN_LINES
    assert sizes[math.ceil(len(sizes) * 0.95) - 1] <= MAX_95TH_PERCENTILE_LINES
    assert sizes[-1] <= MAX_FUNCTION_LINES


def test_every_file_says_what_it_is_for() -> None:
    """Each one begins with a docstring."""
    silent = [
        str(path.relative_to(CHECKOUT))
        for path in code_files()
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]

    assert silent == []


def test_functions_is_known_to_one_file_and_http_to_one_module() -> None:
    """One file knows each library that touches the outside; two know azure-identity.

    The user's own file may import what it likes.
    """
    users: dict[str, set[str]] = {}
    for path in {*product_files()} - {CHECKOUT / "shared" / "bot.py"}:
        for module in imports_of(path):
            users.setdefault(module, set()).add(path.name)

    assert users["azure.functions"] == {"function_app.py"}
    assert users["requests"] == {"sessions.py"}
    assert users["azure"] | users["azure.identity"] == {
        "entra.py",
        "token_client.py",
    }


def test_the_entry_point_imports_functions_and_shared_only() -> None:
    """It only translates, and says when a request came."""
    found = imports_of(CHECKOUT / "function_app.py") - {"time"}

    assert {name.split(".")[0] for name in found} == {"azure", "shared"}


COLD_IMPORT = """
import sys
opened = []
sys.addaudithook(lambda event, _: event.startswith("socket.") and opened.append(event))
class Environment(dict):
    def __getitem__(self, name): raise AssertionError(name)
import os
read = []
get = type(os.environ).__getitem__
def note(self, name):
    read.append(name)
    return get(self, name)
type(os.environ).__getitem__ = note
import function_app
names = sorted(f.get_function_name() for f in function_app.app.get_functions())
assert names == ["callback", "calls", "health", "warmup"], names
assert not opened, opened
settings = [n for n in read if n.startswith(("CALLING_", "MicrosoftApp"))]
assert not settings, settings
heavy = [m for m in ("requests", "urllib3", "azure.identity", "msal", "jwt",
                     "azure.core", "opentelemetry") if m in sys.modules]
assert not heavy, heavy
print(len(sys.modules))
"""


@pytest.mark.requirement("R28")
def test_importing_the_app_is_cheap_and_has_no_effect() -> None:
    """It lists the functions; it reads no setting, opens nothing, loads nothing big."""
    finished = run(sys.executable, "-c", COLD_IMPORT, env={"PATH": os.environ["PATH"]})

    assert finished.returncode == 0, finished.stderr
    assert int(finished.stdout) < 600


def test_the_import_contracts_hold() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")

    finished = run(lint_imports, "--no-cache", env={**os.environ, "PYTHONPATH": "."})

    assert finished.returncode == 0, finished.stdout


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    ("package", "floor"),
    [
        ("pyjwt", (2, 15, 0)),
        ("cryptography", (50, 0, 0)),
        ("requests", (2, 33, 0)),
        ("urllib3", (2, 8, 0)),
        ("azure-core", (1, 38, 0)),
        ("azure-identity", (1, 27)),
        ("azure-functions", (2,)),
    ],
)
def test_locked_versions_have_every_known_advisory_fixed(
    package: str, floor: tuple[int, ...]
) -> None:
    """Both locks name such a version, with hashes."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        pin = rf"^{package}==([0-9.]+) \\\n    --hash=sha256:"
        found = re.search(pin, read_text(name), re.MULTILINE)
        assert found, f"{package} in {name}"
        assert tuple(map(int, found[1].split("."))) >= floor


def test_requirements_are_five_packages_with_bounds() -> None:
    lines = read_text("requirements.txt").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]

    assert [re.split("[<>=]", line)[0] for line in packages] == [
        "azure-functions",
        "pyjwt",
        "cryptography",
        "requests",
        "azure-identity",
    ]
    assert all(">=" in line and "<" in line for line in packages)


def test_exactly_the_app_is_published() -> None:
    """Packages that were built for the app are published with it."""
    lines = read_text(".funcignore").splitlines()
    published = {name for name in tracked_files() if is_published(name, lines)}
    expected = {"function_app.py", "host.json", "requirements.txt"}
    expected |= {name for name in tracked_files() if name.startswith("shared/")}

    assert published == expected
    assert is_published(".python_packages/lib/site-packages/jwt/__init__.py", lines)
    assert not is_published(".venv/bin/python", lines)
    assert not is_published("local.settings.json", lines)


def test_nothing_that_the_commands_leave_is_published() -> None:
    """What git ignores by its full name at the top of the checkout is left out."""
    ignored = read_text(".gitignore").splitlines()
    names = [line.strip("/") for line in ignored if "*" not in line]
    lines = read_text(".funcignore").splitlines()
    published = {name for name in names if is_published(name, lines)}

    assert published == set()


def test_nothing_names_the_machine_it_was_made_on() -> None:
    """No file names a home, a work folder or a package registry."""
    words = (
        "/ro" + "ot/",
        "/wo" + "rk/",
        "/ho" + "me/",
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "registry.npm" + "js",
    )
    found = []
    for name in tracked_files():
        text = (CHECKOUT / name).read_bytes().decode("utf-8", "replace")
        found += [f"{name}: {word}" for word in words if word in text]

    assert found == []


def test_the_version_of_python_is_said_once_and_is_this_one() -> None:
    """It is 3.13, which Functions takes where nothing else is configured."""
    assert read_text(".python-version").strip() == "3.13"
    assert sys.version_info[:2] == (3, 13)


def test_what_begins_first_or_shares_a_worker_is_there() -> None:
    """A folder or file that was renamed would silently lose its place."""
    names = [str(path.relative_to(CHECKOUT)) for path in code_files()]
    named = [*BEGIN_FIRST, *TOGETHER]
    assert [some for some in named if not any(n.startswith(some) for n in names)] == []
