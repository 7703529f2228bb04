"""What deploy.sh prints is what it runs, in this order, and a script by itself.

The recorded expectations are for reading as well. To record a change that was meant:
``infra/deploy.sh --dry-run prod > tests/infra/deploy/expected/deploy_prod.sh``.
"""

from pathlib import Path

import pytest

from tests.infra.deploy.workstation import Workstation, shellcheck
from tests.support.checkout import CHECKOUT

EXPECTED = Path(__file__).with_name("expected")
SCRIPTS = [*CHECKOUT.glob("infra/*.sh"), *CHECKOUT.glob(".devcontainer/*.sh")]


@pytest.mark.parametrize("environment", ["prod", "dev"])
def test_a_dry_run_prints_the_recorded_commands(
    environment: str, workstation: Workstation
) -> None:
    """It needs neither Azure nor its command line nor the variables."""
    workstation.remove("az", "func", "dig")
    unset = {"MICROSOFT_APP_ID": "", "LOG_ANALYTICS_WORKSPACE_ID": ""}

    finished = workstation.run("infra/deploy.sh", "--dry-run", environment, **unset)

    assert (finished.returncode, finished.stderr) == (0, "")
    expected = (EXPECTED / f"deploy_{environment}.sh").read_text("utf-8")
    assert finished.stdout == expected
    assert workstation.calls == []
    assert not (workstation.root / ".python_packages").exists()


@pytest.mark.parametrize(
    "script", [*SCRIPTS, *EXPECTED.glob("*.sh")], ids=lambda path: path.name
)
def test_scripts_and_what_they_print_are_sound(script: Path) -> None:
    shellcheck(script.relative_to(CHECKOUT))


def test_what_is_printed_makes_the_same_calls_when_it_is_run(
    first_deployment: Workstation, workstation: Workstation
) -> None:
    workstation.describe("test", "weu", "eus2")
    printed = workstation.deploy("--dry-run", "test")
    (workstation.root / "printed.sh").write_text(printed)

    finished = workstation.run("printed.sh")

    assert finished.returncode == 0, finished.stderr
    assert workstation.calls == first_deployment.calls
    assert workstation.azure.credentials == first_deployment.azure.credentials


def test_one_region_is_printed_with_the_global_part(workstation: Workstation) -> None:
    printed = workstation.deploy("--dry-run", "--region", "eus2", "prod")

    assert "rg-tmscalls-prod-eus2" in printed
    assert "prod.global.bicepparam" in printed
    assert "rg-tmscalls-prod-weu" not in printed
    assert "asuid.sea" not in printed
    # Where the group of the global part is does not depend on that region.
    assert "-n rg-tmscalls-prod-global -l westeurope " in printed
