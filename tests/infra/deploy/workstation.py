"""A checkout, a PATH and an Azure of its own for deploy.sh, all on this machine.

The script is the real one, in a copy of the tree; so are the check of the environment
and the gate, which asks real servers over TLS. Only the commands that reach out are
stand-ins, see ``stand_ins``.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.infra.deploy.stand_ins import LOCATIONS, Azure, StandIns, write_command
from tests.infra.health import health
from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import APP_ID
from tests.support.checkout import CHECKOUT, read_json
from tests.support.processes import run
from tests.support.servers import Peer, Request, Script, ScriptedServer, reply

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
WORKSPACE = "/subscriptions/s/resourceGroups/rg-shared/providers/w/workspaces/calls"
VARIABLES = {"MICROSOFT_APP_ID": APP_ID, "LOG_ANALYTICS_WORKSPACE_ID": WORKSPACE}
# Calls that change something, and the gate. All others only ask.
_CHANGING = (
    "az group create",
    "az deployment group create",
    "az ad app federated-credential create",
    "az ad app federated-credential update",
    "func azure functionapp publish",
    "python infra/wait_until_healthy.py",
)
_SYSTEM = ("awk", "bash", "env", "sed", "grep", "rm", "dirname")


class Workstation:
    """An operator's machine: a checkout, commands on PATH, and the Azure they talk to.

    Attributes:
        azure: a test may change it between runs.
        health: health reports by code, for regions that are not healthy.
        calls: the calls of the last run; ``host-<code>`` stands for a region's host.
    """

    def __init__(self, root: Path, authority: Authority) -> None:
        self.root = root
        self.azure = Azure()
        self.health: dict[str, bytes] = {}
        self.calls: list[str] = []
        self._authority = authority
        self._bin = root / "bin"
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / "infra", root / "infra", ignore=ignore)
        for name in ("shared", "local.settings.sample.json", "requirements.lock"):
            (root / name).symlink_to(CHECKOUT / name)
        self._make_commands()

    def describe(self, environment: str, *codes: str, **members: object) -> None:
        """Write the description of an environment with these regions, and a domain."""
        regions = [{"code": code, "location": LOCATIONS[code]} for code in codes]
        prod = read_json("infra/params/prod.json")
        described = {**prod, "regions": regions, "rules": [], **members}
        file = self.root / "infra" / "params" / f"{environment}.json"
        file.write_text(json.dumps(described))
        self.azure.has_domain = described["domain"] is not None

    def remove(self, *commands: str) -> None:
        for command in commands:
            (self._bin / command).unlink()

    def deploy(self, *arguments: str, **variables: str) -> str:
        """Run deploy.sh, which must succeed, and return what it prints.

        A variable that is empty is not set.
        """
        finished = self.run("infra/deploy.sh", *arguments, **variables)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def fail(self, *arguments: str, **variables: str) -> str:
        """Run deploy.sh, which must fail, and return what it says of that."""
        finished = self.run("infra/deploy.sh", *arguments, **variables)
        assert finished.returncode == 1
        return finished.stderr

    def run(
        self, script: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a bash script in the checkout."""
        stand_ins = StandIns(self.azure, self.root)
        env = {
            "PATH": str(self._bin),
            "SSL_CERT_FILE": str(self._authority.bundle),
            **{k: v for k, v in {**VARIABLES, **variables}.items() if v},
        }
        with self._regions() as hosts, stand_ins.serving() as port:
            self.azure.hosts = hosts
            env["STAND_INS"] = str(port)
            bash = self._bin / "bash"
            finished = run(bash, script, *arguments, cwd=self.root, env=env, timeout=60)
        self.calls = stand_ins.calls
        for code, host in hosts.items():
            self.calls = [call.replace(host, f"host-{code}") for call in self.calls]
        return finished

    @property
    def changes(self) -> list[str]:
        """The calls that change something, and those of the gate."""
        return [call for call in self.calls if any(word in call for word in _CHANGING)]

    def _make_commands(self) -> None:
        self._bin.mkdir()
        for name in _SYSTEM:
            (self._bin / name).symlink_to(shutil.which(name) or name)
        bash = self._bin / "bash"
        for name in ("az", "func", "dig", "sleep"):
            write_command(self._bin / name, bash=bash)
        python = self.root / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        write_command(python, bash=bash, python=sys.executable)

    @contextmanager
    def _regions(self) -> Iterator[dict[str, str]]:
        """Serve every region's health; yield their hosts."""
        context = self._authority.server_context()
        with ExitStack() as stack:
            servers = {
                code: stack.enter_context(
                    ScriptedServer(self._report_of(code), context)
                )
                for code in LOCATIONS
            }
            yield {code: server.host for code, server in servers.items()}

    def _report_of(self, code: str) -> Script:
        """Return a script that answers as the app does once it was published."""

        def answer(_request: Request, _peer: Peer) -> bytes:
            if code not in self.azure.published:
                return reply(404)
            return self.health.get(code) or health(code)

        return answer


def shellcheck(*scripts: Path | str) -> None:
    """Assert that ShellCheck, which also parses the scripts, has nothing to say."""
    options = ("--external-sources", f"--source-path={CHECKOUT}")
    finished = run(SHELLCHECK, *options, *scripts)
    assert (finished.stdout, finished.returncode) == ("", 0)
