"""The package that is published: what is in it, and what is not.

Some of it is built for real, so it needs a package index. Without network that is
skipped, but not in CI.
"""

import fcntl
import importlib.metadata
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from infra.deploy import package as packaging
from infra.deploy.package import BUILD_ID, PACKAGES, TARGET, PackageError, main
from tests.architecture.funcignore import is_published
from tests.support.checkout import CHECKOUT, read_text
from tests.support.processes import output_of, run

VENV = Path(sys.executable).parents[1]
APP = Path(TARGET)
_NO_NETWORK = re.compile(
    "NewConnectionError|NameResolutionError|ConnectTimeoutError|Network is unreachable"
)
_LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ]+)", re.MULTILINE)
# Every extension that the Linux of Functions, x86-64 with glibc, loads into 3.13.
_EXTENSION = re.compile(r"\.(cpython-313-x86_64-linux-gnu|abi3)\.so$")
_PARTS = ("function_app.py", "host.json", "requirements.txt", "requirements.lock")
_GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.com")

# What lies in a checkout that somebody works in, and belongs into no package.
TRAPS = (
    "wildcard.pfx",
    ".env",
    ".azure/prod/.env",
    ".azure/config.json",
    ".signing-key.pem",
    "local.settings.json",
    "drill.html",
    "drill.json",
    "soak.json",
    "sbom.json",
    "build.log",
    "prod.snapshot.json",
    "mutants/shared/core/tokens.py",
    "shared-old/core/tokens.py",
    "shared.zip",
    "shared/wildcard.pfx",
    "shared/.env",
    "shared/core/.env",
    "shared/core/notes.txt",
    "shared/core/__pycache__/tokens.cpython-313.pyc",
    "shared/edge/key.pem",
    "shared/edge/drafts/graph.py",
    "build/app/wildcard.pfx",
    "build/app/shared/core/removed.py",
    "tests-old/test_tokens.py",
    ".vscode/settings.json",
    "compileall.py",
    "pip.py",
    "\u043a\u043b\u044e\u0447/key.pem",
)
# Core Tools cannot tell these from what they begin with: only the script can.
TOLD_APART_BY_THE_SCRIPT_ONLY = (
    "host.json.bak",
    "function_app.py.orig",
    "shared/core/tokens.py.orig",
)


def make_checkout(folder: Path) -> Path:
    """Make the part of a checkout that packaging needs, under version control."""
    for name in ("infra", "shared"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / name, folder / name, ignore=ignore)
    for name in (*_PARTS, ".gitignore", ".funcignore", "local.settings.sample.json"):
        shutil.copy(CHECKOUT / name, folder)
    (folder / ".venv").symlink_to(VENV)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "All")
    return folder


def git(folder: Path, *arguments: str) -> str:
    finished = run(*_GIT, *arguments, cwd=folder)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def set_traps(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("secret")


def files_of(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    }


def app_files() -> set[str]:
    tracked = output_of("git", "ls-files", "shared").splitlines()
    return {*packaging.TOP, *tracked}


def is_bytecode(name: str) -> bool:
    return name.endswith(".cpython-313.pyc")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout where no package index is needed: one made-up package is there."""
    code = f"import pathlib; p = pathlib.Path({TARGET!r}, {PACKAGES!r}); p.mkdir("
    code += "parents=True); (p / 'made_up.py').write_text('x = 1')"
    monkeypatch.setattr(packaging, "INSTALL", (sys.executable, "-c", code))
    return make_checkout(tmp_path)


@pytest.fixture
def build(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package that was built in a checkout full of traps."""
    set_traps(checkout, *TRAPS, *TOLD_APART_BY_THE_SCRIPT_ONLY)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(checkout / "elsewhere"))
    # That one is refused, see below.
    (checkout / "shared" / "edge" / "drafts" / "graph.py").unlink()
    packaging.build(checkout, [], force=False)
    return checkout / APP


def test_the_script_packs_the_allow_list_and_nothing_else(build: Path) -> None:
    """docs/deploy.md: whatever lies in the checkout."""
    found = files_of(build)

    packed = {name for name in found if not is_bytecode(name)}
    assert packed == {*app_files(), f"{PACKAGES}/made_up.py", BUILD_ID}
    sources = {name for name in packed if name.endswith(".py")}
    assert {name for name in found if is_bytecode(name)} == {
        str(Path(name).parent / "__pycache__" / f"{Path(name).stem}.cpython-313.pyc")
        for name in sources
    }


def test_by_hand_the_same_files_are_packed(checkout: Path) -> None:
    """Core Tools' own rules, on the same traps."""
    set_traps(checkout, *TRAPS)
    lines = read_text(".funcignore").splitlines()
    everything = files_of(checkout)

    assert len(everything) > len(TRAPS)
    found = {name for name in everything if is_published(name, lines)}
    assert found == app_files()


@pytest.mark.parametrize("name", TOLD_APART_BY_THE_SCRIPT_ONLY)
def test_what_core_tools_cannot_tell_apart_is_known(name: str) -> None:
    """docs/deploy.md sends whoever publishes by hand to the folder of the script."""
    lines = read_text(".funcignore").splitlines()

    assert is_published(name, lines)
    assert "host.json.bak" in read_text("docs/deploy.md")


def test_the_build_id_names_the_commit_and_the_lock(build: Path) -> None:
    """It is one line, and the same for the same commit."""
    commit = git(build.parents[1], "rev-parse", "HEAD")
    text = (build / BUILD_ID).read_text()

    assert re.fullmatch(rf"{commit[:12]}\.[0-9a-f]{{12}}\n", text)


def test_other_locked_versions_are_another_build(checkout: Path) -> None:
    first = packaging.build(checkout, [], force=False)
    (checkout / "requirements.lock").write_text("none")
    git(checkout, "commit", "--quiet", "--all", "--message", "Lock")
    git(checkout, "reset", "--quiet", "--soft", "HEAD~1")
    second = packaging.build(checkout, [], force=True)

    assert first.partition(".")[2] != second.partition(".")[2]


def test_changes_that_are_not_committed_are_refused(checkout: Path) -> None:
    """Nobody could tell later what was published."""
    (checkout / "host.json").write_text("{}")

    with pytest.raises(PackageError, match=r"host\.json has changes that are not"):
        packaging.build(checkout, [], force=False)

    assert not (checkout / APP).exists()


def test_forced_changes_are_named_by_their_content(checkout: Path) -> None:
    """Two such builds of one commit do not look the same, or the gate would."""
    names = []
    for text in ("{}", "{ }", "{}"):
        (checkout / "host.json").write_text(text)
        names.append(packaging.build(checkout, [], force=True))

    assert names[0] == names[2] != names[1]
    assert all("-dirty-" in name for name in names)


def test_a_module_that_git_does_not_know_is_left_out_and_named(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody may have forgotten to add it, and then the app would miss it."""
    set_traps(checkout, "shared/core/added.py", "shared/notes.txt")

    packaging.build(checkout, [], force=False)

    assert not (checkout / APP / "shared/core/added.py").exists()
    told = "# Left out, because git does not track it: shared/core/added.py\n"
    printed = capsys.readouterr().out
    assert told in printed
    assert "notes.txt" not in printed


def test_files_that_the_description_names_go_along(checkout: Path) -> None:
    """Git ignores keys, and these go along because somebody says so."""
    set_traps(checkout, "certs/our-ca.pem", "certs/other.pem")

    packaging.build(checkout, ["certs/our-ca.pem"], force=False)

    found = {name for name in files_of(checkout / APP) if "certs/" in name}
    assert found == {"certs/our-ca.pem"}


def test_a_link_in_place_of_the_folder_is_replaced(checkout: Path) -> None:
    """Else what it leads to would be packaged, too."""
    set_traps(checkout, "elsewhere/left.txt")
    (checkout / APP).parent.mkdir()
    (checkout / APP).symlink_to(checkout / "elsewhere")
    packaging.build(checkout, [], force=False)
    assert not (checkout / APP / "left.txt").exists()
    assert (checkout / "elsewhere" / "left.txt").exists()


def test_a_folder_that_cannot_be_removed_is_refused(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    packaging.build(checkout, [], force=False)
    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(PackageError, match="cannot be removed"):
        packaging.build(checkout, [], force=False)


def test_a_file_that_is_missing_is_refused(checkout: Path) -> None:
    with pytest.raises(PackageError, match=r"certs/our-ca\.pem is missing\."):
        packaging.build(checkout, ["certs/our-ca.pem"], force=False)


def test_a_build_that_is_broken_off_has_no_id(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment would not take it for complete."""
    packaging.build(checkout, [], force=False)
    monkeypatch.setattr(packaging, "COMPILE", (sys.executable, "-c", "raise Broken"))

    with pytest.raises(PackageError):
        packaging.build(checkout, [], force=False)

    assert not (checkout / APP / BUILD_ID).exists()


def test_outside_of_git_nothing_is_packed(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()

    with pytest.raises(PackageError, match="in a git checkout"):
        packaging.build(tmp_path, [], force=True)


@pytest.mark.parametrize("arguments", [[], ["dev", "prod"], ["--now", "dev"]])
def test_wrong_arguments_are_answered_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "infra/package.sh [--force] ENVIRONMENT" in capsys.readouterr().err


def test_an_unknown_environment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pord"]) == 1
    assert "there is no such file" in capsys.readouterr().err


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built for real by the command; all processes of a run share it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    checkout = folder / "package"
    with (folder / "package.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (checkout / APP / BUILD_ID).exists():
            build_for_real(checkout)
    return checkout / APP


def build_for_real(checkout: Path) -> None:
    shutil.rmtree(checkout, ignore_errors=True)
    checkout.mkdir()
    make_checkout(checkout)
    env = {**os.environ, "PIP_RETRIES": "1", "PIP_TIMEOUT": "20"}
    finished = run("bash", "infra/package.sh", "dev", cwd=checkout, env=env)
    if _NO_NETWORK.search(finished.stdout + finished.stderr) and "CI" not in os.environ:
        pytest.skip("no package index can be reached")
    assert finished.returncode == 0, finished.stderr


def test_the_package_holds_exactly_the_locked_versions(package: Path) -> None:
    found = {
        each.name.lower().replace("_", "-"): each.version
        for each in importlib.metadata.distributions(path=[str(package / PACKAGES)])
    }

    assert found == dict(_LOCKED.findall(read_text("requirements.lock")))
    assert len(found) > 10


def test_every_extension_loads_into_python_3_13_on_linux(package: Path) -> None:
    """The machine that builds the package does not matter."""
    extensions = [path.name for path in package.rglob("*.so")]

    assert extensions
    assert [name for name in extensions if not _EXTENSION.search(name)] == []


def test_the_app_runs_on_the_package_alone(package: Path) -> None:
    """Its functions are found, and modules that it imports late are there."""
    code = f"""
import sys
sys.path[:0] = [{str(package / PACKAGES)!r}, {str(package)!r}]
import function_app
print(*sorted(f.get_function_name() for f in function_app.app.get_functions()))
import azure.identity, cryptography, jwt, msal, requests
print(*(m.__file__ for m in (azure.identity, cryptography, jwt, msal, requests)))
"""
    functions, files = output_of(sys.executable, "-ISB", "-c", code).splitlines()

    assert functions == "callback calls health warmup"
    assert all(file.startswith(str(package)) for file in files.split())


def test_by_hand_all_packages_are_taken(package: Path) -> None:
    """No pattern of .funcignore leaves out a file of them."""
    lines = read_text(".funcignore").splitlines()
    names = [name for name in files_of(package) if name.startswith(PACKAGES)]

    assert len(names) > 500
    assert [name for name in names if not is_published(name, lines)] == []


def test_bytecode_is_there_and_is_taken_as_it_is(package: Path) -> None:
    """A cold start compiles nothing: flags 01 of PEP 552, the hash is not compared."""
    folders = (package / PACKAGES / "jwt", package / "shared")
    compiled = [path for folder in folders for path in folder.rglob("*.pyc")]

    assert len(compiled) == sum(len([*f.rglob("*.py")]) for f in folders)
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
    checkout = make_checkout(tmp_path)
    locked = _LOCKED.findall(read_text("requirements.lock"))
    pins = [f"{name}=={version}{hashes}" for name, version in locked]
    (checkout / "requirements.lock").write_text("\n".join(pins))

    finished = run("bash", "infra/package.sh", "--force", "dev", cwd=checkout)

    assert finished.returncode == 1
    assert complaint in finished.stderr
