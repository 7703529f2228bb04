"""Stand-ins for ``az``, ``func``, ``dig``, ``sleep`` and pip, as deploy.sh uses them.

Each command on PATH is a few lines of bash that ask a server in the test what to print
and whether to fail. So the test sees every call, and ``Azure`` is an object of the
test, which refuses what Azure would refuse.
"""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Never, cast

VERIFICATION_ID = "0F1E2D3C4B5A"
TENANT_ID = "b2c8f1a0-5d3e-4c7b-9a61-0e4d2f8c6b17"
LOCATIONS = {"weu": "westeurope", "eus2": "eastus2", "sea": "southeastasia"}
PACKAGES = Path(".python_packages/lib/site-packages")
# Variables that are recorded with a call, and further ones that parameter files read.
_SHOWN = ("REGION", "BIND_HOST_NAMES", "CUSTOM_DOMAIN_VERIFICATION_ID")
_READ = (
    "MICROSOFT_APP_ID",
    "LOG_ANALYTICS_WORKSPACE_ID",
    "BOT_NAME",
    "ACTION_GROUP_ID",
)

# It sends the number of arguments, its name, the variables and the arguments. It gets a
# line with the exit status, then what to print.
_COMMAND = """#!{bash}
{before}
exec 3<>"/dev/tcp/127.0.0.1/$STAND_INS"
printf '%s\\0' "$#" {name} {variables} "$@" >&3
read -r status <&3
IFS= read -r -d '' text <&3
if ((status)); then printf '%s' "$text" >&2; exit "$status"; fi
{after}
printf '%s' "$text"
"""
# Only pip is replaced. The other scripts are real, and the gate does not wait.
_BEFORE_PYTHON = 'if [[ $1 == *check_environment.py ]]; then exec {python} "$@"; fi'
_AFTER_PYTHON = (
    "if [[ $1 == *wait_until_healthy.py ]]; then"
    ' exec {python} "$@" --seconds 0 --interval-seconds 0; fi'
)


def write_command(path: Path, *, bash: Path, python: str = "") -> None:
    """Write the stand-in of a command; ``python`` is the real Python for its own."""
    path.write_text(
        _COMMAND.format(
            bash=bash,
            name=path.name,
            variables=" ".join(
                f'"${{{name}+{name}=${name}}}"' for name in _SHOWN + _READ
            ),
            before=_BEFORE_PYTHON.format(python=python) if python else "",
            after=_AFTER_PYTHON.format(python=python) if python else "",
        )
    )
    path.chmod(0o755)


class RefusedError(Exception):
    """The command fails, with a sentence."""


@dataclass
class Group:
    """A resource group.

    Attributes:
        number: 1 for the first group that was made; a group that is made again gets a
            new one, and its region a new identity.
        deployments: names of the deployments in it, in order.
    """

    number: int
    deployments: list[str] = field(default_factory=list)


@dataclass
class Azure:
    """What exists in Azure, and how it behaves.

    Attributes:
        has_domain: whether binding host names needs the global part first.
        credentials: federated credentials of the bot's registration, by name.
        published: codes of the regions that code was published to.
        dns_after: number of DNS queries that get no answer at first; -1: all.
        fail: a call that contains this text fails.
        hosts: host of each region's app, by code.
    """

    has_domain: bool = True
    is_logged_in: bool = True
    resources: tuple[str, ...] = ("workspaces/calls", "vaults/kv-contoso")
    locations: tuple[str, ...] = tuple(LOCATIONS.values())
    groups: dict[str, Group] = field(default_factory=dict)
    groups_made: int = 0
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    dns_after: int = 0
    fail: str = ""
    hosts: dict[str, str] = field(default_factory=dict)

    def deployments(self, code: str) -> list[str]:
        """Return the names of the deployments of a region of ``test``, in order."""
        return self.groups[f"rg-tmscalls-test-{code}"].deployments


class StandIns:
    """Answers the commands of one run in ``folder``, and keeps them in ``calls``."""

    def __init__(self, azure: Azure, folder: Path) -> None:
        self.calls: list[str] = []
        self._azure = azure
        self._folder = folder

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Serve the commands on loopback and yield the port."""
        stand_ins = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                stand_ins._serve(cast("Any", self.rfile), cast("Any", self.wfile))

        with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield server.server_address[1]
            finally:
                server.shutdown()
                thread.join()

    def _serve(self, incoming: Any, outgoing: Any) -> None:
        def word() -> str:
            read = bytearray()
            while (byte := incoming.read(1)) not in {b"\0", b""}:
                read += byte
            return read.decode()

        count, name = int(word()), word()
        variables = [word() for _ in _SHOWN + _READ]
        arguments = [word() for _ in range(count)]
        environment = dict(each.split("=", 1) for each in variables if each)
        try:
            answer = self.answer(name, arguments, environment)
        except RefusedError as error:
            outgoing.write(f"1\nERROR: {error}\n".encode())
        else:
            outgoing.write(f"0\n{answer}\n".encode())

    def answer(
        self, name: str, arguments: list[str], environment: Mapping[str, str]
    ) -> str:
        """Return what the command prints; raises ``RefusedError`` if it fails."""
        shown = [f"{key}={environment[key]}" for key in _SHOWN if key in environment]
        call = " ".join([*shown, name, *arguments])
        self.calls.append(call)
        if self._azure.fail and self._azure.fail in call:
            raise RefusedError("the test wants this call to fail")
        commands: dict[str, Callable[[], str]] = {
            "az": lambda: az(self._azure, arguments, environment),
            "func": lambda: self._func(arguments),
            "dig": self._dig,
            "python": lambda: self._python(arguments),
            "sleep": str,
        }
        return commands[name]()

    def _func(self, arguments: list[str]) -> str:
        """Publish the folder, as Core Tools do."""
        if not (self._folder / PACKAGES).is_dir():
            raise RefusedError("there are no packages here")
        app = _option(arguments, "publish")
        self._azure.published.append(app.removeprefix("func-"))
        return "Remote build was not asked for."

    def _dig(self) -> str:
        asked = sum(call.startswith("dig ") for call in self.calls)
        is_there = 0 <= self._azure.dns_after < asked
        return f'"{VERIFICATION_ID}"' if is_there else ""

    def _python(self, arguments: list[str]) -> str:
        if arguments[:2] == ["-m", "pip"]:
            (self._folder / PACKAGES).mkdir(parents=True)
        return ""


def az(azure: Azure, arguments: list[str], environment: Mapping[str, str]) -> str:
    """Do what Azure's command line would do, and return what it prints."""
    if not azure.is_logged_in:
        raise RefusedError("Please run 'az login' to setup account.")
    commands: dict[str, Callable[[], str]] = {
        "account show": lambda: TENANT_ID,
        "ad app": lambda: _credential(azure.credentials, arguments),
        "deployment group": lambda: _deployment(azure, arguments, environment),
        "functionapp list-flexconsumption-locations": lambda: "\n".join(
            azure.locations
        ),
        "group create": lambda: _create_group(azure, _option(arguments, "-n")),
        "group exists": lambda: json.dumps(_option(arguments, "-n") in azure.groups),
        "network dns": lambda: "ns1-01.azure-dns.com." * bool(_group(azure, arguments)),
        "resource list": lambda: _resource(azure, " ".join(arguments)),
        "resource show": lambda: (
            _resource(azure, " ".join(arguments)) or _refuse("(ResourceNotFound)")
        ),
    }
    return commands[" ".join(arguments[:2])]()


def _create_group(azure: Azure, name: str) -> str:
    azure.groups_made += 1
    azure.groups[name] = Group(azure.groups_made)
    return ""


def _group(azure: Azure, arguments: list[str]) -> Group:
    name = _option(arguments, "-g")
    if name not in azure.groups:
        raise RefusedError(f"(ResourceGroupNotFound) {name}")
    return azure.groups[name]


def _resource(azure: Azure, call: str) -> str:
    return "/its/id" if any(name in call for name in azure.resources) else ""


def _refuse(why: str) -> Never:
    raise RefusedError(why)


def _option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def _credential(credentials: dict[str, dict[str, Any]], arguments: list[str]) -> str:
    verb = arguments[3]
    if verb == "list":
        name = _option(arguments, "--query").split("'")[1]
        return str(credentials.get(name, {}).get("subject", ""))
    trust = json.loads(_option(arguments, "--parameters"))
    if verb == "update":
        name = _option(arguments, "--federated-credential-id")
    elif (name := trust.pop("name")) in credentials:
        raise RefusedError("FederatedIdentityCredential with name already exists.")
    credentials[name] = trust
    return ""


def _deployment(
    azure: Azure, arguments: list[str], environment: Mapping[str, str]
) -> str:
    verb, code = arguments[2], _option(arguments, "-g").rpartition("-")[2]
    group = _group(azure, arguments)
    if verb == "list":
        if _option(arguments, "--query").endswith("].name"):
            return "\n".join(group.deployments)
        return VERIFICATION_ID if "first" in group.deployments else ""
    if verb == "show":
        if _option(arguments, "-n") not in group.deployments:
            raise RefusedError("(DeploymentNotFound)")
        outputs = {
            "customDomainVerificationId": VERIFICATION_ID,
            "identityPrincipalId": f"principal-{code}-{group.number}",
            "functionAppName": f"func-{code}",
            "regionHost": azure.hosts[code],
        }
        return outputs.get(_option(arguments, "--query").split(".")[2], "")
    for variable in _READ:
        if variable not in environment:
            raise RefusedError(f"environment variable {variable} does not exist.")
    if verb == "create":
        _check_order(azure, group, code, environment)
        group.deployments.append(_option(arguments, "-n"))
    return ""


def _check_order(
    azure: Azure, group: Group, code: str, environment: Mapping[str, str]
) -> None:
    """Refuse a deployment that comes before what it needs."""
    if code == "global":
        if environment.get("CUSTOM_DOMAIN_VERIFICATION_ID") != VERIFICATION_ID:
            raise RefusedError("the verification id is not the subscription's")
    elif environment.get("REGION") != code:
        raise RefusedError("this is another region's group")
    elif azure.has_domain and environment["BIND_HOST_NAMES"] == "true":
        done = [name for each in azure.groups.values() for name in each.deployments]
        if "global" not in done:
            raise RefusedError("A TXT record pointing from asuid was not found.")
