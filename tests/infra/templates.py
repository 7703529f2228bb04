"""The templates as values: edited copies of them, compiled and predicted on demand.

``Templates`` are the files of infra/, held in memory, so that a test can change one and
see what follows. Whatever was computed once is kept in a folder that the processes of a
test run share.
"""

import fcntl
import hashlib
import json
import posixpath
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from infra.bicep import BicepError, BicepServer
from infra.lint import INFRA, TEST_VARIABLES
from tests.infra.descriptions import changed

SUBSCRIPTION = "01234567-89ab-4cde-8f01-23456789abcd"
VARIABLES = {
    **TEST_VARIABLES,
    "BOT_NAME": "bot-tmscalls",
    "ACTION_GROUP_ID": (
        "/subscriptions/66666666-7777-4888-8999-000000000000/resourceGroups/rg-shared"
        "/providers/Microsoft.Insights/actionGroups/on-call"
    ),
    "ALERT_EMAILS": "operators@contoso.com",
    "BUDGET_AMOUNT": "300",
    "BUDGET_START": "2026-12-01",
}
CHANNEL = "Microsoft.BotService/botServices/channels"
CONTAINER = "Microsoft.Storage/storageAccounts/blobServices/containers"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
INSIGHTS = "Microsoft.Insights/components"
LOCK = "Microsoft.Authorization/locks"
PROFILE = "Microsoft.Network/trafficmanagerprofiles"
ROLE = "Microsoft.Authorization/roleAssignments"
SITE = "Microsoft.Web/sites"
STORAGE = "Microsoft.Storage/storageAccounts"
# Of .NET. Code that is compiled again once it is used often, and rare collections of
# garbage, pay off after thirty answers; most uses of the compiler end before.
_FOR_HUNDREDS_OF_ANSWERS = {
    "DOTNET_TieredCompilation": "1",
    "DOTNET_TieredPGO": "0",
    "DOTNET_TC_CallCountThreshold": "5",
    "DOTNET_GCgen0size": "0x8000000",
}
TOPOLOGY = "topology.bicep"
# How a file of infra/ names another one, relative to itself; how a template, a module.
_NAMED = re.compile(r"'([\w./-]+\.(?:bicep|json|kql))'")
_MODULE = re.compile(r"(?<= ')(modules/\w+)\.bicep(?=' = )")
_VARIABLE = re.compile(r"readEnvironmentVariable\('(\w+)'(?:, '([^']*)')?\)")

# What the compiler predicts of a resource: JSON.
type Resource = Any
# Answers a question about files that it writes into a folder.
type Answer = Callable[[BicepServer, Path], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a deployment would make; what only Azure knows is an ``[expression]``."""

    resources: list[Resource]
    outputs: dict[str, Any]

    def all(self, kind: str) -> list[Resource]:
        """Return the resources of a type, in the order of the snapshot."""
        return [one for one in self.resources if one["type"].lower() == kind.lower()]

    def one(self, kind: str) -> Resource:
        """Return the only resource of a type."""
        found = self.all(kind)
        assert len(found) == 1, f"{len(found)} of {kind}"
        return found[0]

    def properties(self, kind: str) -> Resource:
        """Return the properties of the only resource of a type."""
        return self.one(kind)["properties"]

    def container(self, name: str) -> Resource:
        """Return the only container of this name."""
        named = [one for one in self.all(CONTAINER) if one["name"].endswith(f"/{name}")]
        assert len(named) == 1, f"{len(named)} of {name}"
        return named[0]

    @property
    def site(self) -> Resource:
        """The properties of the function app."""
        return self.properties(SITE)

    @property
    def app_name(self) -> str:
        return str(self.one(SITE)["name"])

    @property
    def identity(self) -> str:
        """The ID of the app's identity."""
        [identity] = [
            one["id"]
            for one in self.all(IDENTITY)
            if not one["name"].endswith("-alerts")
        ]
        return str(identity)

    @property
    def app_settings(self) -> Resource:
        settings = self.one("Microsoft.Web/sites/config")
        assert settings["name"].endswith("/appsettings")
        return settings["properties"]

    @property
    def region_hosts(self) -> dict[str, str]:
        """The hosts of all regions, as the app of this region is told."""
        hosts: dict[str, str] = json.loads(self.app_settings["CALLING_REGION_HOSTS"])
        return hosts


class Compiler:
    """The compiler, started when first needed; remembers what it was asked."""

    def __init__(self, cli: Path, memory: Path) -> None:
        """Remember in the folder ``memory``, which processes may share."""
        self._cli = cli
        self._memory = memory
        self._server: BicepServer | None = None
        self._modules: dict[object, str] = {}

    @property
    def server(self) -> BicepServer:
        """The process; it has the variables of the lint."""
        if self._server is None:
            variables = {**TEST_VARIABLES, **_FOR_HUNDREDS_OF_ANSWERS}
            self._server = BicepServer(self._cli, variables)
        return self._server

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def snapshot(
        self, files: Mapping[str, str], parameters: str, target: Mapping[str, str]
    ) -> Snapshot:
        """Predict a deployment. Raises ``BicepError`` with all that is wrong."""

        def predict(server: BicepServer, root: Path) -> dict[str, Any]:
            write_files(self._with_modules_compiled(part), root)
            try:
                return server.snapshot(root / parameters, target)
            except BicepError as error:
                if str(error) != "Compilation failed":
                    return {"error": str(error)}
                found = server.compile_parameters(root / parameters)["diagnostics"]
                return {"error": "\n".join(finding["message"] for finding in found)}

        part = part_of(files, parameters)
        answer = self._ask(part, [parameters, target], predict)
        return Snapshot(answer["predictedResources"], answer["outputs"])

    def compile(self, files: Mapping[str, str], template: str) -> dict[str, Any]:

        def build(server: BicepServer, root: Path) -> dict[str, Any]:
            write_files(part, root)
            result = server.compile(root / template)
            if not result["success"]:
                return {"error": json.dumps(result["diagnostics"])}
            compiled: dict[str, Any] = json.loads(result["contents"])
            return compiled

        part = part_of(files, template)
        return self._ask(part, [template], build)

    def _with_modules_compiled(self, files: Mapping[str, str]) -> Mapping[str, str]:
        """Return the files with compiled modules, for templates to name instead.

        Most mutants break one file, and what is made of the others is known by then.
        The topology is part of all modules: if it is broken, none of them is known.
        """
        if files[TOPOLOGY] != (INFRA / TOPOLOGY).read_text("utf-8"):
            return files
        compiled = {}
        for name, text in files.items():
            # What a module is made of is compiled with it.
            if name.startswith("modules/"):
                continue
            compiled[name] = _MODULE.sub(r"\1.json", text)
            for module in _MODULE.findall(text):
                compiled[f"{module}.json"] = self._compiled_module(
                    files, f"{module}.bicep"
                )
        return compiled

    def _compiled_module(self, files: Mapping[str, str], module: str) -> str:
        part = part_of(files, module)
        key = (module, *part.items())
        if key not in self._modules:
            self._modules[key] = json.dumps(self.compile(part, module))
        return self._modules[key]

    def _ask(
        self,
        files: Mapping[str, str],
        question: object,
        answer: Answer,
    ) -> dict[str, Any]:
        key = hashlib.sha256(json.dumps([files, question]).encode()).hexdigest()
        memo = self._memory / f"{key}.json"
        with memo.with_suffix(".lock").open("w") as lock:
            # No two processes compute the same answer.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not memo.exists():
                memo.write_text(json.dumps(self._compute(answer)))
            known: dict[str, Any] = json.loads(memo.read_text())
        if "error" in known:
            raise BicepError(known["error"])
        return known

    def _compute(self, answer: Answer) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            return answer(self.server, Path(folder))


def write_files(files: Mapping[str, str], folder: Path) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def part_of(files: Mapping[str, str], start: str) -> dict[str, str]:
    """Return what one file is made of: it, the files that it names, and theirs."""
    part = {"bicepconfig.json": files["bicepconfig.json"]}
    wanted = [start]
    while wanted:
        name = wanted.pop()
        if name in files and name not in part:
            part[name] = files[name]
            folder = posixpath.dirname(name)
            named = _names_in(files[name])
            wanted += [posixpath.normpath(posixpath.join(folder, n)) for n in named]
    return part


@cache
def _names_in(text: str) -> list[str]:
    return _NAMED.findall(text)


def read_files() -> dict[str, str]:
    """Read the templates, their queries, parameter files and descriptions."""
    sources = [*INFRA.rglob("*.bicep"), *INFRA.rglob("*.bicepparam")]
    sources += [*INFRA.glob("queries/**/*.kql")]
    sources += [*INFRA.glob("params/*.json"), INFRA / "bicepconfig.json"]
    return {
        str(path.relative_to(INFRA)): path.read_text("utf-8")
        for path in sorted(sources)
        if ".snapshot" not in path.name
    }


@dataclass(frozen=True, slots=True)
class Templates:
    """All files of infra/ that a deployment is made of, and the compiler."""

    compiler: Compiler
    files: Mapping[str, str] = field(default_factory=read_files)

    def with_text(self, file: str, old: str, new: str) -> Self:
        """Return templates with another text in one place of one file."""
        assert self.files[file].count(old) == 1, f"{file} has not one «{old}»"
        return self._with_file(file, self.files[file].replace(old, new))

    def with_parameter(self, file: str, line: str) -> Self:
        """Return templates with one more line in a parameter file."""
        return self._with_file(file, f"{self.files[file]}\n{line}\n")

    def with_description(self, environment: str, changes: Mapping[str, object]) -> Self:
        """Return templates with a description in which places have other values."""
        description = changed(self.description(environment), changes)
        return self._with_file(f"params/{environment}.json", json.dumps(description))

    def description(self, environment: str) -> Any:
        return json.loads(self.files[f"params/{environment}.json"])

    def codes(self, environment: str) -> list[str]:
        """Return the codes of the regions of an environment."""
        return [region["code"] for region in self.description(environment)["regions"]]

    def regions(self) -> Iterator[tuple[str, str, Snapshot]]:
        """Predict every region; yield it after its environment and its code."""
        for environment in ("prod", "dev"):
            for code in self.codes(environment):
                yield environment, code, self.regional(environment, code)

    def regional(
        self,
        environment: str = "prod",
        code: str = "weu",
        target: Mapping[str, str] = MappingProxyType({}),
        **variables: str,
    ) -> Snapshot:
        """Predict the deployment of a region."""
        place = {"resourceGroup": f"rg-tmscalls-{environment}-{code}", **target}
        file = f"params/{environment}.regional.bicepparam"
        return self._predict(file, place, {"REGION": code, **variables})

    def global_part(
        self, target: Mapping[str, str] = MappingProxyType({}), **variables: str
    ) -> Snapshot:
        """Predict the deployment of the global part of ``prod``."""
        place = {"resourceGroup": "rg-tmscalls-prod-global", **target}
        return self._predict("params/prod.global.bicepparam", place, variables)

    def shared_part(self, **variables: str) -> Snapshot:
        """Predict the deployment of what environments share."""
        place = {"resourceGroup": "rg-shared"}
        return self._predict("params/shared.bicepparam", place, variables)

    def deployment(self, parameters: str, code: str, location: str) -> Snapshot:
        """Predict what a parameter file makes, in the group that is named for it."""
        group = f"rg-tmscalls-{parameters.partition('.')[0]}-{code}"
        place = {"resourceGroup": group, "location": location}
        return self._predict(f"params/{parameters}.bicepparam", place, {"REGION": code})

    def compiled(self, template: str) -> dict[str, Any]:
        return self.compiler.compile(self.files, template)

    def _predict(
        self, file: str, place: Mapping[str, str], variables: Mapping[str, str]
    ) -> Snapshot:
        values = {**VARIABLES, **variables}

        def value_of(match: re.Match[str]) -> str:
            return f"'{values.get(match[1], match[2] or '')}'"

        # One compiler serves all deployments, so its environment cannot be used.
        files = {**self.files, file: _VARIABLE.sub(value_of, self.files[file])}
        target = {
            "subscriptionId": SUBSCRIPTION,
            "location": "westeurope",
            "deploymentName": "stamp",
            **place,
        }
        return self.compiler.snapshot(files, file, target)

    def _with_file(self, file: str, text: str) -> Self:
        return type(self)(self.compiler, {**self.files, file: text})
