"""The golden snapshots: what every deployment of the checkout makes, checked in.

``python -m tests.infra.golden`` writes them anew, after a change that was meant.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from infra.bicep import NOT_FOUND, bicep_environment, find_bicep
from tests.infra.templates import SUBSCRIPTION, VARIABLES, read_files, write_files

SNAPSHOTS = Path(__file__).with_name("snapshots")


class Deployment(NamedTuple):
    """A deployment: its parameter file without suffix, region, location."""

    parameters: str
    code: str
    location: str

    @property
    def golden(self) -> Path:
        """The file of its snapshot."""
        environment = self.parameters.partition(".")[0]
        return SNAPSHOTS / f"{environment}.{self.code}.json"


DEPLOYMENTS = [
    Deployment("prod.regional", "weu", "westeurope"),
    Deployment("prod.regional", "eus2", "eastus2"),
    Deployment("prod.regional", "sea", "southeastasia"),
    Deployment("dev.regional", "weu", "westeurope"),
    Deployment("prod.global", "global", "westeurope"),
]


def run_snapshot(
    cli: Path, deployment: Deployment, mode: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run ``bicep snapshot`` on copies of the templates in ``folder``."""
    environment = deployment.parameters.partition(".")[0]
    group = f"rg-tmscalls-{environment}-{deployment.code}"
    return subprocess.run(
        [
            *(cli, "snapshot", f"params/{deployment.parameters}.bicepparam"),
            *("--mode", mode, "--subscription-id", SUBSCRIPTION),
            *("--resource-group", group, "--location", deployment.location),
            *("--deployment-name", "stamp"),
        ],
        cwd=folder,
        env=bicep_environment({**VARIABLES, "REGION": deployment.code}),
        capture_output=True,
        text=True,
        check=False,
    )


def snapshot_file(deployment: Deployment, folder: Path) -> Path:
    """Return the file that the compiler writes to and compares with."""
    return folder / "params" / f"{deployment.parameters}.snapshot.json"


def main() -> int:
    """Write all golden snapshots."""
    cli = find_bicep()
    if cli is None:
        sys.exit(NOT_FOUND)
    SNAPSHOTS.mkdir(exist_ok=True)
    for deployment in DEPLOYMENTS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_files(read_files(), folder)
            finished = run_snapshot(cli, deployment, "overwrite", folder)
            if finished.returncode:
                sys.exit(finished.stderr)
            shutil.copy(snapshot_file(deployment, folder), deployment.golden)
    return 0


if __name__ == "__main__":
    sys.exit(main())
