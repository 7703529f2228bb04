"""What the steps of a deployment share: names, and commands of ``az``."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.deploy.actions import Actions, Ask, Check, Words, is_found
from infra.deploy.options import Options
from infra.environment import Environment, Region

PYTHON = ".venv/bin/python"
WEBHOOK_PATH = "/api/calls"
HEALTH_PATH = "/api/health"


@dataclass(frozen=True, slots=True)
class Target:
    """The environment that is deployed, and what the operator wants of it."""

    environment: Environment
    options: Options

    @property
    def regions(self) -> Sequence[Region]:
        """The regions that are meant: all, or the one of --region."""
        wanted = self.options.code
        regions = self.environment.regions
        return [each for each in regions if wanted in {"", each.code}]

    @property
    def zone(self) -> str:
        """The zone, where there is a domain."""
        return self.environment.zone

    @property
    def stem(self) -> str:
        """The beginning of all names."""
        return f"{self.environment.workload}-{self.environment.name}"

    def group(self, code: str) -> str:
        """Return the resource group of a region; ``global`` is the global part."""
        return f"rg-{self.stem}-{code}"

    def group_id(self, code: str) -> str:
        """Return the resource ID of a group; needs the answer SUBSCRIPTION_ID."""
        return f"/subscriptions/$SUBSCRIPTION_ID/resourceGroups/{self.group(code)}"

    def parameters(self, part: str) -> str:
        """Return the parameter file of ``regional`` or ``global``."""
        return f"infra/params/{self.environment.name}.{part}.bicepparam"

    @property
    def global_location(self) -> str:
        """Where the group of the global part is made."""
        chosen = getattr(self.environment, "global_location", "")
        return str(chosen or self.environment.regions[0].location)


def az(*words: str, query: str = "") -> Words:
    """Return a command of Azure's; ``query`` asks for plain text."""
    asked = ("--query", query, "-o", "tsv") if query else ()
    return ("az", *words, *asked)


def ask_output(name: str, group: str, deployment: str, output: str) -> Actions:
    """Find an output of a deployment, which must not be empty."""
    yield Ask(
        name,
        az(
            *("deployment", "group", "show", "-g", group, "-n", deployment),
            query=f"properties.outputs.{output}.value",
        ),
    )
    yield Check(
        is_found(name),
        f"the deployment {deployment} in {group} has no output {output}.",
    )


def gate(url: str, *, region: str = "", build: str = "") -> Words:
    """Return the command that waits until a health report is good."""
    expected = [*(("--region", region) if region else ())]
    expected += [*(("--build", build) if build else ())]
    return (PYTHON, "infra/wait_until_healthy.py", *expected, url)
