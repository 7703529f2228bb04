"""Commands: run to their end, and what they print."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.checkout import CHECKOUT


def run(
    *command: str | Path,
    cwd: Path = CHECKOUT,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command, which may fail; ``timeout`` is in seconds."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=env,
        timeout=timeout,
        capture_output=True,
        text=True,
        check=False,
    )


def output_of(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Return what a command prints that must succeed in the checkout."""
    finished = run(*command, env=env)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
