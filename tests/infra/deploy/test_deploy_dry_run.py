"""What deploy.sh prints is what it runs, in this order, and a script by itself.

The recorded expectations are for reading as well. To record a change that was meant:
``infra/deploy.sh --dry-run prod > tests/infra/deploy/expected/deploy_prod.sh``.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.deploy.deploy_world import CHECKOUT, World

EXPECTED = Path(__file__).with_name("expected")
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
SCRIPTS = [*CHECKOUT.glob("infra/*.sh"), *CHECKOUT.glob(".devcontainer/*.sh")]


@pytest.mark.parametrize("environment", ["prod", "dev"])
def test_a_dry_run_prints_the_recorded_commands(environment: str, world: World) -> None:
    """Without Azure: its command line is not even there, nor are the variables."""
    for command in ("az", "func", "dig"):
        world.remove(command)

    finished = world.deploy(
        "--dry-run", environment, MICROSOFT_APP_ID="", LOG_ANALYTICS_WORKSPACE_ID=""
    )

    assert (finished.returncode, finished.stderr) == (0, "")
    expected = (EXPECTED / f"deploy_{environment}.sh").read_text("utf-8")
    assert finished.stdout == expected
    assert world.calls == []
    assert not (world.root / ".python_packages").exists()


@pytest.mark.parametrize(
    "script", [*SCRIPTS, *EXPECTED.glob("*.sh")], ids=lambda path: path.name
)
def test_scripts_and_what_they_print_are_sound(script: Path) -> None:
    """As ShellCheck judges, which reads the syntax first."""
    finished = subprocess.run(
        [SHELLCHECK, "--external-sources", script.relative_to(CHECKOUT)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.stdout == ""
    assert finished.returncode == 0


def test_what_is_printed_makes_the_same_calls_when_it_is_run(
    first_deployment: World, world: World
) -> None:
    """From nothing, the printed script and the real one do the same."""
    world.describe("test", "weu", "eus2")
    (world.root / "printed.sh").write_text(world.deploy("--dry-run", "test").stdout)

    finished = world.run("printed.sh")

    assert finished.returncode == 0, finished.stderr
    assert world.calls == first_deployment.calls
    assert world.azure.credentials == first_deployment.azure.credentials


def test_one_region_is_printed_with_the_global_part(world: World) -> None:
    """Which all regions share."""
    printed = world.deploy("--dry-run", "--region", "eus2", "prod").stdout

    assert "rg-tmscalls-prod-eus2" in printed
    assert "prod.global.bicepparam" in printed
    assert "rg-tmscalls-prod-weu" not in printed
    assert "asuid.sea" not in printed
    # Where the group of the global part is does not depend on that region.
    assert "-n rg-tmscalls-prod-global -l westeurope " in printed
