"""Commands on PATH for a script that the program printed: each asks the test.

A command is a few lines of bash that send what it was called with to a server in the
test, which answers with the same machine that the program runs on.
"""

import shutil
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from tests.infra.deploy.machine import SHOWN, Machine
from tests.infra.deploy.workstation import VARIABLES
from tests.support.checkout import CHECKOUT
from tests.support.processes import run

_SYSTEM = ("awk", "bash", "dirname", "env", "grep")
_STAND_INS = ("az", "func", "dig", "sleep", "cat")
# It sends its name, the number of arguments, the variables, its folder and the
# arguments. It gets a line with the exit status, then what to print.
_COMMAND = """#!{bash}
{before}
exec 3<>"/dev/tcp/127.0.0.1/$STAND_INS"
printf '%s\\0' {name} "$#" {variables} "$PWD" "$@" >&3
read -r status <&3
IFS= read -r -d '' text <&3
if ((status)); then printf '%s' "$text" >&2; exit "$status"; fi
printf '%s' "$text"
"""
# The program itself is real.
_BEFORE_PYTHON = (
    'if [[ $1 == -m || $1 == *check_environment.py ]]; then exec {python} "$@"; fi'
)


class PrintedScript:
    """Runs a script in a copy of the checkout, on a machine of the test."""

    def __init__(self, root: Path, params: Path) -> None:
        self.root = root
        self._bin = root / "bin"
        root.mkdir(exist_ok=True)
        ignore = shutil.ignore_patterns("__pycache__", "params")
        shutil.copytree(CHECKOUT / "infra", root / "infra", ignore=ignore)
        (root / "infra" / "params").symlink_to(params)
        for name in ("shared", "local.settings.sample.json"):
            (root / name).symlink_to(CHECKOUT / name)
        (root / "build" / "app").mkdir(parents=True)
        self._bin.mkdir()
        for name in _SYSTEM:
            (self._bin / name).symlink_to(shutil.which(name) or name)
        for name in _STAND_INS:
            self._write(self._bin / name, name)
        self._write(root / "infra" / "package.sh", "infra/package.sh")
        python = root / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        before = _BEFORE_PYTHON.format(python=sys.executable)
        self._write(python, ".venv/bin/python", before)

    def _write(self, path: Path, name: str, before: str = "") -> None:
        path.unlink(missing_ok=True)
        path.write_text(
            _COMMAND.format(
                bash=self._bin / "bash",
                name=name,
                before=before,
                variables=" ".join(f'"${{{name}-unset}}"' for name in SHOWN),
            )
        )
        path.chmod(0o755)

    def run(self, script: str, machine: Machine, **variables: str) -> str:
        """Run a script, which must succeed; return what it prints."""
        (self.root / "printed.sh").write_text(script)
        with _serving(machine) as port:
            env = {
                "PATH": str(self._bin),
                "STAND_INS": str(port),
                **VARIABLES,
                **variables,
            }
            finished = run(
                *(self._bin / "bash", "printed.sh"), cwd=self.root, env=env, timeout=60
            )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout


@contextmanager
def _serving(machine: Machine) -> Iterator[int]:
    """Serve the commands on loopback and yield the port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            status, text = _serve(machine, cast("Any", self.rfile))
            self.wfile.write(f"{status}\n{text}".encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _serve(machine: Machine, incoming: Any) -> tuple[int, str]:
    def word() -> str:
        read = bytearray()
        while (byte := incoming.read(1)) not in {b"\0", b""}:
            read += byte
        return read.decode()

    name, count = word(), int(word())
    variables = {each: word() for each in SHOWN}
    folder = "build/app" if word().endswith("build/app") else ""
    arguments = [word() for _ in range(count)]
    if name == "sleep":
        machine.sleep(int(arguments[0]))
        return 0, ""
    # The script exports the bot's for all commands; `env` sets them with the others.
    given = {
        key: value
        for key, value in variables.items()
        if value != "unset"
        and (not key.startswith("BOT_") or variables["DRAINED_REGIONS"] != "unset")
        and (key != "BOT_RESOURCE_GROUP" or value)
    }
    assignments = [f"{key}={value}" for key, value in given.items()]
    words = ["env", *assignments, name, *arguments] if given else [name, *arguments]
    finished = machine.run(words, folder, is_asked=True)
    return finished.status, finished.output or finished.complaint
