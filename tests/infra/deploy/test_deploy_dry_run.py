"""What the program prints is what it runs, in this order, and a script by itself.

The recorded expectations are for reading as well. To record a change that was meant:
``infra/deploy.sh --dry-run prod > tests/infra/deploy/expected/deploy_prod.sh``.
"""

from copy import deepcopy
from pathlib import Path

import pytest

from infra.environment import PARAMS
from tests.infra.deploy.machine import Machine
from tests.infra.deploy.stand_ins import PrintedScript
from tests.infra.deploy.workstation import VARIABLES, Workstation, shellcheck
from tests.support.checkout import CHECKOUT
from tests.support.processes import run

EXPECTED = Path(__file__).with_name("expected")
SCRIPTS = [*CHECKOUT.glob("infra/*.sh"), *CHECKOUT.glob(".devcontainer/*.sh")]
RECORDED = {
    "deploy_prod": ("prod",),
    "deploy_dev": ("dev",),
    "preflight_prod": ("--preflight", "prod"),
    "drain_prod": ("--drain", "sea", "prod"),
    "undrain_prod": ("--undrain", "sea", "prod"),
    "remove_prod": ("--remove", "neu", "prod"),
}


@pytest.fixture
def in_checkout(workstation: Workstation) -> Workstation:
    """A workstation with the descriptions of the checkout."""
    workstation.params = PARAMS
    return workstation


@pytest.mark.parametrize("name", RECORDED)
def test_a_dry_run_prints_the_recorded_commands(
    name: str, in_checkout: Workstation
) -> None:
    """It needs neither Azure nor its command line nor the variables."""
    unset = {"MICROSOFT_APP_ID": "", "LOG_ANALYTICS_WORKSPACE_ID": ""}

    printed = in_checkout.deploy("--dry-run", *RECORDED[name], **unset)

    assert printed == (EXPECTED / f"{name}.sh").read_text("utf-8")
    assert in_checkout.calls == []


def test_every_recorded_script_is_compared() -> None:
    assert {path.stem for path in EXPECTED.glob("*.sh")} == {*RECORDED}


def test_the_command_finds_the_program_from_any_folder(tmp_path: Path) -> None:
    """infra/deploy.sh is the command; it changes to the checkout by itself."""
    if not (CHECKOUT / ".venv/bin/python").exists():
        pytest.skip("not set up")
    script = CHECKOUT / "infra" / "deploy.sh"

    finished = run("bash", script, "--dry-run", "dev", cwd=tmp_path)

    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout == (EXPECTED / "deploy_dev.sh").read_text("utf-8")


def test_scripts_and_what_they_print_are_sound() -> None:
    scripts = [*SCRIPTS, *EXPECTED.glob("*.sh")]
    shellcheck(*(script.relative_to(CHECKOUT) for script in scripts))


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("test",), {"BOT_NAME": "bot-calls"}),
        (("test",), {}),
        (("--region", "eus2", "test"), {}),
        (("--drain", "eus2", "test"), {}),
        (("--undrain", "eus2", "test"), {}),
    ],
    ids=" ".join,
)
def test_what_is_printed_makes_the_same_calls_when_it_is_run(
    arguments: tuple[str, ...],
    variables: dict[str, str],
    deployed: Workstation,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    if arguments == ("test",) and not variables:
        deployed.azure.group("global").tags["drained_weu"] = "by-hand"
    before = deepcopy(deployed.azure)
    script = deployed.deploy("--dry-run", *arguments)
    deployed.deploy(*arguments, **variables)
    machine = Machine(before, {**VARIABLES, "BOT_NAME": "", **variables})
    folder = tmp_path_factory.mktemp("printed")

    PrintedScript(folder, deployed.params).run(script, machine, **variables)

    assert machine.calls == deployed.calls
    assert before == deployed.azure


def test_one_region_is_printed_with_the_global_part(in_checkout: Workstation) -> None:
    printed = in_checkout.deploy("--dry-run", "--region", "eus2", "prod")

    assert "rg-tmscalls-prod-eus2" in printed
    assert "prod.global.bicepparam" in printed
    assert "rg-tmscalls-prod-weu" not in printed
    assert "asuid.sea" not in printed
    # Where the group of the global part is does not depend on that region.
    assert "-n rg-tmscalls-prod-global -l eastus2 " not in printed
