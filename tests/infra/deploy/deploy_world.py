"""A checkout, a PATH and an Azure of its own for deploy.sh, all on this machine.

The script is the real one, in a copy of the tree; so are the check of the environment
and the gate, which asks real servers over TLS. Only the commands that reach out are
stand-ins, see ``stand_ins``.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from shared.core.health import HealthReport
from shared.core.replies import health_reply
from shared.settings import read_settings
from tests.infra.deploy.stand_ins import LOCATIONS, Azure, StandIns, write_command
from tests.support.servers import Certificates, FaultServer, Peer, Request, http, reply

CHECKOUT = Path(__file__).resolve().parents[3]
APP_ID = "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10"
WORKSPACE = "/subscriptions/s/resourceGroups/rg-shared/providers/w/workspaces/calls"
VARIABLES = {"MICROSOFT_APP_ID": APP_ID, "LOG_ANALYTICS_WORKSPACE_ID": WORKSPACE}
# What changes something, and the gate; all other calls ask.
_CHANGING = (
    "az group create",
    "az deployment group create",
    "az ad app federated-credential create",
    "az ad app federated-credential update",
    "func azure functionapp publish",
    "python infra/wait_until_healthy.py",
)
_SYSTEM = ("awk", "bash", "env", "sed", "grep", "rm", "dirname")


class World:
    """Runs deploy.sh.

    Attributes:
        azure: what Azure holds; a test may change it between runs.
        health: what regions report that do not report that all is well, by code.
        calls: what the last run called, with each region's host by its code.
    """

    def __init__(self, root: Path, certificates: Certificates) -> None:
        """Build the checkout in ``root``; nothing is deployed."""
        self.root = root
        self.azure = Azure()
        self.health: dict[str, bytes] = {}
        self.calls: list[str] = []
        self._certificates = certificates
        self._bin = root / "bin"
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / "infra", root / "infra", ignore=ignore)
        for name in ("shared", "local.settings.sample.json", "requirements.lock"):
            (root / name).symlink_to(CHECKOUT / name)
        self._make_commands()

    def describe(self, environment: str, *codes: str, **members: object) -> None:
        """Write the description of an environment with these regions, and a domain."""
        prod = json.loads((CHECKOUT / "infra/params/prod.json").read_text("utf-8"))
        prod["regions"] = [{"code": c, "location": LOCATIONS[c]} for c in codes]
        described = {**prod, "rules": [], **members}
        file = self.root / "infra" / "params" / f"{environment}.json"
        file.write_text(json.dumps(described))
        self.azure.has_domain = described["domain"] is not None

    def remove(self, command: str) -> None:
        """Take a command from PATH."""
        (self._bin / command).unlink()

    def deploy(
        self, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run deploy.sh; a variable that is empty is not set."""
        return self.run("infra/deploy.sh", *arguments, **variables)

    def run(
        self, script: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of bash in the checkout."""
        stand_ins = StandIns(self.azure, self.root)
        with self._regions() as hosts, stand_ins.serving() as port:
            self.azure.hosts = hosts
            finished = subprocess.run(
                [self._bin / "bash", script, *arguments],
                cwd=self.root,
                env={
                    "PATH": str(self._bin),
                    "STAND_INS": str(port),
                    "SSL_CERT_FILE": self._certificates.bundle,
                    **{k: v for k, v in {**VARIABLES, **variables}.items() if v},
                },
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        codes = {host: f"host-{code}" for code, host in hosts.items()}
        self.calls = stand_ins.calls
        for host, code in codes.items():
            self.calls = [call.replace(host, code) for call in self.calls]
        return finished

    @property
    def changes(self) -> list[str]:
        """The calls that change something, and the gate."""
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
        context = self._certificates.context()
        with ExitStack() as stack:
            servers = {
                code: FaultServer(http(self._report_of(code), context))
                for code in LOCATIONS
            }
            for server in servers.values():
                stack.enter_context(server)
            yield {code: server.host for code, server in servers.items()}

    def _report_of(self, code: str) -> Callable[[Request, Peer], bytes]:
        """Answer as the app does, once it was published."""

        def answer(_request: Request, _peer: Peer) -> bytes:
            if code not in self.azure.published:
                return reply(404)
            return self.health.get(code) or health(code)

        return answer


def health(code: str, **settings: str) -> bytes:
    """Return what the app itself reports with these settings."""
    report = read_settings(
        {
            "MicrosoftAppId": APP_ID,
            "CALLING_ANSWER": "false",
            "CALLING_REGION": code,
            "CALLING_REGION_HOSTS": json.dumps({code: f"{code}.example"}),
            **settings,
        }
    )
    answer = health_reply(
        HealthReport(report.region, "fresh", report.problems, report.warnings)
    )
    return reply(answer.status, answer.body or b"", Content_Type="application/json")
