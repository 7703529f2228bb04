"""Build the package: exactly the files of the allow list, in a folder of its own.

    infra/package.sh [--force] ENVIRONMENT

Whatever else lies in the checkout stays out of ``build/app``: keys, reports, settings.
Packages are exactly those in requirements.lock, as wheels for the Linux on which
Functions runs Python 3.13. The file build_id.txt is written last, so a folder without
it is not complete.

--force   package changes that are not committed, too
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infra.deploy.actions import quoted
from infra.environment import check_environment

TARGET = "build/app"
PACKAGES = ".python_packages/lib/site-packages"
BUILD_ID = "build_id.txt"
LOCK = "requirements.lock"
TOP = ("function_app.py", "host.json", "requirements.txt")
# -P: a pip.py that lies in the checkout must not stand in for pip.
PYTHON = (".venv/bin/python", "-P", "-m")
_HEX = 12

# Every locked package has a wheel for glibc 2.17 and later. If a new version has none,
# this fails; then add a --platform that the Linux of Functions supports.
INSTALL = (
    *(*PYTHON, "pip", "install", "--quiet", "--disable-pip-version-check"),
    *("--no-compile", "--target", f"{TARGET}/{PACKAGES}"),
    *("--implementation", "cp", "--python-version", "3.13"),
    *("--only-binary", ":all:", "--platform", "manylinux_2_17_x86_64"),
    *("--require-hashes", "-r", LOCK),
)
# A zip keeps no exact times, so at every cold start Python would recompile bytecode
# that it checks by time. It does not check this bytecode.
COMPILE = (
    *(*PYTHON, "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
    TARGET,
)


class PackageError(Exception):
    """The package cannot be built; the text says why."""


class Source(NamedTuple):
    """What is packaged.

    Attributes:
        commit: of git, in full.
        changed: tracked files with changes that are not committed.
        files: paths of the app's files.
    """

    commit: str
    changed: Sequence[str]
    files: Sequence[str]


def read_source(checkout: Path, further: Sequence[str]) -> Source:
    """Ask git what there is.

    Args:
        checkout: with the git repository.
        further: files that the description of the environment names.

    Raises:
        PackageError: there is no git, or a file is missing.
    """
    changed = _git(checkout, "status", "--porcelain", "-z", "--untracked-files=no")
    files = [*TOP, *_git(checkout, "ls-files", "-z", "--", "shared"), *further]
    for name in files:
        if not (checkout / name).is_file():
            raise PackageError(f"{name} is missing.")
    [commit] = _git(checkout, "rev-parse", "HEAD")
    return Source(commit, [entry[3:] for entry in changed], files)


def _untracked_modules(checkout: Path) -> list[str]:
    """Return modules beside the app's that stay out; somebody may miss them."""
    others = "ls-files", "-z", "--others", "--exclude-standard", "shared"
    return [name for name in _git(checkout, *others) if name.endswith(".py")]


def _git(checkout: Path, *arguments: str) -> list[str]:
    try:
        finished = subprocess.run(  # noqa: S603 - questions to git
            ["git", *arguments],  # noqa: S607 - the operator's own
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        why = "a package can only be built in a git checkout, with git on PATH."
        raise PackageError(why) from error
    return [line for line in finished.stdout.replace("\n", "\0").split("\0") if line]


def build_id(checkout: Path, source: Source) -> str:
    """Return the name of a build: the commit, and the hash of the locked versions.

    Changes that are not committed add a hash of the app's files: two such builds of one
    commit must not look the same.
    """
    lock = hashlib.sha256((checkout / LOCK).read_bytes()).hexdigest()[:_HEX]
    commit = source.commit[:_HEX]
    if not source.changed:
        return f"{commit}.{lock}"
    content = hashlib.sha256()
    for name in source.files:
        data = (checkout / name).read_bytes()
        content.update(f"{name} {len(data)} ".encode() + data)
    return f"{commit}-dirty-{content.hexdigest()[:_HEX]}.{lock}"


def build(checkout: Path, further: Sequence[str], *, force: bool) -> str:
    """Build the package, print what is done, and return its build id.

    Raises:
        PackageError: it cannot be built.
    """
    source = read_source(checkout, further)
    if source.changed and not force:
        why = "has changes that are not committed; commit them, or use --force"
        raise PackageError(f"{source.changed[0]} {why}.")
    for name in _untracked_modules(checkout):
        print(f"# Left out, because git does not track it: {name}")
    target = checkout / TARGET
    print(f"# Copy {len(source.files)} files of the app to {TARGET}")
    _remove(target)
    for name in source.files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkout / name, target / name)
    for command in (INSTALL, COMPILE):
        _run(command, checkout)
    name = build_id(checkout, source)
    (target / BUILD_ID).write_text(f"{name}\n")
    print(f"# Build {name}")
    return name


def _remove(target: Path) -> None:
    """Remove what an earlier build left, or somebody put there.

    Raises:
        PackageError: something of it would stay, and be packaged.
    """
    try:
        if target.is_symlink() or target.is_file():
            target.unlink()
        elif target.exists():
            shutil.rmtree(target)
    except OSError as error:
        why = f"cannot be removed ({error.strerror}); remove it yourself."
        raise PackageError(f"{TARGET} {why}") from error


def _run(command: Sequence[str], checkout: Path) -> None:
    line = " ".join(map(quoted, command))
    print(line, flush=True)
    # Variables of Python's would have it write bytecode elsewhere, or none.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    finished = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=checkout, env=inherited, check=False
    )
    if finished.returncode:
        raise PackageError(f"this has failed: {line}")


def main(arguments: Sequence[str]) -> int:
    """Build the package of an environment; 0 if that succeeds."""
    names = [each for each in arguments if not each.startswith("-")]
    options = {*arguments} - {*names}
    if len(names) != 1 or options - {"--force"}:
        print(__doc__, file=sys.stderr)
        return 2
    found = check_environment(names[0])
    for problem in found.problems:
        print(f"infra/params/{names[0]}.json: {problem}", file=sys.stderr)
    if found.environment is None:
        return 1
    try:
        build(Path.cwd(), found.environment.files, force="--force" in options)
    except PackageError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
