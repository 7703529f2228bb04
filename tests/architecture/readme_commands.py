"""Run the README's commands that need neither Azure nor Core Tools.

Fenced ``bash`` blocks count, except under a heading that says «needs Azure» or «needs
Core Tools». A command that serves is started, given time to say that it listens, and
stopped. What CI runs anyway is left out.
"""

import os
import re
import signal
import subprocess
import sys

from tests.support.checkout import CHECKOUT

RUN_ELSEWHERE = re.compile("make (demo|test|lint|drill)|git clone|cd ")

_SECONDS = 900
_SERVE_SECONDS = 30


def commands(readme: str) -> list[str]:
    found: list[str] = []
    is_skipped = False
    is_bash = False
    for line in readme.splitlines():
        if line.startswith("```"):
            is_bash = line == "```bash" and not is_bash
        elif is_bash and not is_skipped and line.strip() and not line.startswith("#"):
            found.append(line.strip())
        elif line.startswith("#") and not is_bash:
            is_skipped = bool(re.search("needs (Azure|Core Tools)", line))
    return [line for line in found if not RUN_ELSEWHERE.match(line)]


def run(command: str) -> bool:
    print(f"$ {command}", flush=True)
    if re.search(r"\b(serve|world)\b", command):
        return _serve(command)
    finished = subprocess.run(
        ["bash", "-euc", command],  # noqa: S607 - the README's own shell
        cwd=CHECKOUT,
        timeout=_SECONDS,
        check=False,
    )
    return finished.returncode == 0


def _serve(command: str) -> bool:
    """Start a server, wait for its first line, and stop it."""
    process = subprocess.Popen(
        ["bash", "-euc", command],  # noqa: S607 - the README's own shell
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(_SERVE_SECONDS)
    print(line, end="", flush=True)
    return bool(line.strip())


def main() -> int:
    wanted = commands((CHECKOUT / "README.md").read_text("utf-8"))
    failed = [command for command in wanted if not run(command)]
    print(f"readme: {len(wanted) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
