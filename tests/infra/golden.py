"""The golden snapshots: what every deployment of the checkout makes, checked in.

``python -m tests.infra.golden`` writes them anew, after a change that was meant.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from infra.bicep import NOT_FOUND, bicep_environment, find_bicep
from tests.infra.descriptions import changed
from tests.infra.templates import SUBSCRIPTION, VARIABLES, read_files, write_files
from tests.support.processes import run

SNAPSHOTS = Path(__file__).with_name("snapshots")


# What the shipped descriptions leave out: private networking and the other options.
OPTIONAL: Mapping[str, object] = MappingProxyType(
    {
        "network": {
            "addressPrefixes": {
                "weu": "10.90.0.0/24",
                "eus2": "10.90.1.0/24",
                "sea": "10.90.2.0/25",
            }
        },
        "workspaces": {
            "weu": (
                "/subscriptions/66666666-7777-4888-8999-000000000000/resourceGroups"
                "/rg-weu/providers/Microsoft.OperationalInsights/workspaces/log-weu"
            )
        },
        "certificateReader": "identity",
        "tags": {"owner": "calls"},
    }
)


class Deployment(NamedTuple):
    """A deployment: its parameter file without suffix, region, location.

    ``changes`` are other values in the description; then it has a name of its own.
    """

    parameters: str
    code: str
    location: str
    changes: Mapping[str, object] = MappingProxyType({})
    name: str = ""

    @property
    def environment(self) -> str:
        return self.parameters.partition(".")[0]

    @property
    def golden(self) -> Path:
        """The file of its snapshot."""
        return SNAPSHOTS / f"{self.name or self.environment}.{self.code}.json"

    def files(self) -> dict[str, str]:
        """Return the files of infra/ that it is made of."""
        files = read_files()
        if self.changes:
            description = f"params/{self.environment}.json"
            described = json.loads(files[description])
            files[description] = json.dumps(changed(described, self.changes))
        return files

    def read(self) -> Any:
        """Return its snapshot, as the compiler wrote it."""
        return json.loads(self.golden.read_text("utf-8"))


DEPLOYMENTS = [
    Deployment("prod.regional", "weu", "westeurope"),
    Deployment("prod.regional", "eus2", "eastus2"),
    Deployment("prod.regional", "sea", "southeastasia"),
    Deployment("dev.regional", "weu", "westeurope"),
    Deployment("prod.regional", "weu", "westeurope", OPTIONAL, "private"),
    Deployment("shared", "shared", "westeurope"),
    Deployment("prod.global", "global", "northeurope"),
]


def run_snapshot(
    cli: Path, deployment: Deployment, mode: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run ``bicep snapshot`` on copies of the templates in ``folder``."""
    group = f"rg-tmscalls-{deployment.environment}-{deployment.code}"
    return run(
        *(cli, "snapshot", f"params/{deployment.parameters}.bicepparam"),
        *("--mode", mode, "--subscription-id", SUBSCRIPTION),
        *("--resource-group", group, "--location", deployment.location),
        *("--deployment-name", "stamp"),
        cwd=folder,
        env=bicep_environment({**VARIABLES, "REGION": deployment.code}),
    )


def snapshot_file(deployment: Deployment, folder: Path) -> Path:
    """Return the file that the compiler writes to and compares with."""
    return folder / "params" / f"{deployment.parameters}.snapshot.json"


def main() -> int:
    cli = find_bicep()
    if cli is None:
        sys.exit(NOT_FOUND)
    SNAPSHOTS.mkdir(exist_ok=True)
    for deployment in DEPLOYMENTS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_files(deployment.files(), folder)
            finished = run_snapshot(cli, deployment, "overwrite", folder)
            if finished.returncode:
                sys.exit(finished.stderr)
            shutil.copy(snapshot_file(deployment, folder), deployment.golden)
    return 0


if __name__ == "__main__":
    sys.exit(main())
