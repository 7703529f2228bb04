"""An operator's machine: a description, the deploy program, and an Azure of its own."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from infra.deploy import __main__ as program
from tests.infra.deploy.azure import LOCATIONS, Azure
from tests.infra.deploy.machine import Machine
from tests.simulator.services.signing import APP_ID
from tests.support.checkout import CHECKOUT, read_json
from tests.support.processes import run

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
WORKSPACE = "/subscriptions/s/resourceGroups/rg-shared/providers/w/workspaces/calls"
VARIABLES = {
    "MICROSOFT_APP_ID": APP_ID,
    "LOG_ANALYTICS_WORKSPACE_ID": WORKSPACE,
    "ACTION_GROUP_ID": "",
}
# Calls that change something, and the gate. All others only ask or wait.
_CHANGING = (
    "az group create",
    "az group delete",
    "az deployment group create",
    "az ad app federated-credential create",
    "az ad app federated-credential update",
    "az ad app federated-credential delete",
    "az network traffic-manager endpoint update",
    "az network dns record-set cname delete",
    "az network dns record-set txt delete",
    "az tag update",
    "func azure functionapp publish",
    "infra/wait_until_healthy.py",
)

type Main = Callable[[Sequence[str], Mapping[str, str], Machine, Path], int]


class Workstation:
    """Runs the program.

    Attributes:
        azure: a test may change it between runs.
        main: the program; a mutant of it, where that is tested.
        printed, told: what the last run printed and complained of.
        calls: the commands of the last run.
        prepare: called with the machine of each run before it starts.
    """

    def __init__(self, params: Path) -> None:
        self.azure = Azure()
        self.main: Main = program.main
        self.calls: list[str] = []
        self.printed = self.told = ""
        self.prepare: Callable[[Machine], None] = lambda _: None
        self.params = params

    def describe(self, environment: str, *codes: str, **members: object) -> None:
        """Write the description of an environment with these regions, and a domain.

        ``disabled`` are codes of regions that are to get no calls, ``hosts`` are the
        described host names of apps.
        """
        disabled = members.pop("disabled", ())
        assert isinstance(disabled, tuple)
        hosts = members.pop("hosts", {})
        assert isinstance(hosts, dict)
        regions = [
            {
                "code": code,
                "location": LOCATIONS[code],
                "enabled": code not in disabled,
                **({"defaultHostName": hosts[code]} if code in hosts else {}),
            }
            for code in codes
        ]
        prod = read_json("infra/params/prod.json")
        prod.pop("globalLocation", None)
        described = {**prod, "regions": regions, "rules": [], **members}
        (self.params / f"{environment}.json").write_text(json.dumps(described))
        self.azure.has_domain = described["domain"] is not None
        self.azure.codes = {code: code not in disabled for code in codes}

    def run(self, *arguments: str, **variables: str) -> int:
        """Run the program; return its exit status. Empty variables are not set."""
        environ = {k: v for k, v in {**VARIABLES, **variables}.items() if v}
        inherited = {**VARIABLES, "BOT_NAME": "", **variables}
        machine = Machine(self.azure, inherited)
        self.prepare(machine)
        printed, told = StringIO(), StringIO()
        try:
            with redirect_stdout(printed), redirect_stderr(told):
                return self.main(arguments, environ, machine, self.params)
        finally:
            self.calls = machine.calls
            self.printed, self.told = printed.getvalue(), told.getvalue()

    def deploy(self, *arguments: str, **variables: str) -> str:
        """Run the program, which must succeed, and return what it prints."""
        assert self.run(*arguments, **variables) == 0, self.told
        return self.printed

    def fail(self, *arguments: str, **variables: str) -> str:
        """Run the program, which must fail, and return what it says of that."""
        assert self.run(*arguments, **variables) == 1, self.printed
        return self.told

    @property
    def changes(self) -> list[str]:
        """The calls that change something, and those of the gate."""
        return [call for call in self.calls if any(word in call for word in _CHANGING)]

    @property
    def after_preflight(self) -> list[str]:
        """The calls after those of the preflight."""
        start = [n for n, call in enumerate(self.calls) if "tenantId" in call]
        return self.calls[start[0] - 1 :] if start else []


def shellcheck(*scripts: Path | str) -> None:
    """Assert that ShellCheck, which also parses the scripts, has nothing to say."""
    options = ("--external-sources", f"--source-path={CHECKOUT}")
    finished = run(SHELLCHECK, *options, *scripts)
    assert (finished.stdout, finished.returncode) == ("", 0)
