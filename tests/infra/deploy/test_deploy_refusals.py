"""What deploy.sh refuses before it changes anything, each with a sentence."""

import re

import pytest

from tests.infra.deploy.stand_ins import TENANT_ID
from tests.infra.deploy.workstation import Workstation

USAGE = [
    ([], "which environment? See --help."),
    (["--dry-run"], "which environment? See --help."),
    (["dev", "prod"], "name only one environment."),
    (["--dry-run", "--what-if", "dev"], "use either --dry-run or --what-if."),
    (["--whatif", "dev"], "there is no option --whatif; see --help."),
    (["dev", "--region"], "--region needs the code of a region."),
    (["--region", "sea", "dev"], "dev has no region sea; it has: weu."),
    (["--region", "", "dev"], "--region needs the code of a region."),
]


@pytest.mark.parametrize(("arguments", "sentence"), USAGE)
def test_wrong_arguments_are_explained(
    arguments: list[str], sentence: str, workstation: Workstation
) -> None:
    told = workstation.fail(*arguments)

    assert told.splitlines()[0] == f"deploy: {sentence}"
    assert workstation.calls == []


def test_help_tells_options_and_variables(workstation: Workstation) -> None:
    """The text is the head of the script, so it cannot go out of date."""
    printed = workstation.deploy("--help")

    for word in ("--dry-run", "--what-if", "--region CODE", "MICROSOFT_APP_ID"):
        assert word in printed
    assert "shellcheck" not in printed


APP_ID, WORKSPACE_ID = "MICROSOFT_APP_ID", "LOG_ANALYTICS_WORKSPACE_ID"
VARIABLES = [
    (APP_ID, "", f"the environment variable {APP_ID} is missing."),
    (APP_ID, "calls-bot", f"{APP_ID} must be a GUID."),
    (WORKSPACE_ID, "", f"the environment variable {WORKSPACE_ID} is missing."),
    (
        WORKSPACE_ID,
        TENANT_ID,
        f"{WORKSPACE_ID} must be the resource ID of a workspace.",
    ),
    ("DNS_WAIT_SECONDS", "1h", "DNS_WAIT_SECONDS must be a number."),
]


@pytest.mark.parametrize(("name", "value", "sentence"), VARIABLES)
def test_a_wrong_variable_is_told_before_azure_is_asked(
    name: str, value: str, sentence: str, workstation: Workstation
) -> None:
    told = workstation.fail("--what-if", "dev", **{name: value})

    assert f"deploy: {sentence}\n" in told
    assert workstation.calls == []


@pytest.mark.parametrize(
    ("command", "environment"), [("az", "dev"), ("func", "dev"), ("dig", "prod")]
)
def test_a_missing_tool_is_told_before_azure_is_asked(
    command: str, environment: str, workstation: Workstation
) -> None:
    workstation.remove(command)

    told = workstation.fail(environment)

    assert f"deploy: {command} is missing; see docs/deploy.md.\n" in told
    assert workstation.calls == []


def test_a_checkout_that_is_not_set_up_is_told(workstation: Workstation) -> None:
    (workstation.root / ".venv" / "bin" / "python").unlink()

    told = workstation.fail("dev")

    assert ".venv/bin/python is missing; run `make setup` first." in told


def test_an_unknown_environment_is_answered_with_the_known_ones(
    workstation: Workstation,
) -> None:
    problem, stop = workstation.fail("pord").splitlines()

    assert problem.startswith("infra/params/pord.json: there is no such file; there")
    assert stop == "deploy: nothing was done."
    assert workstation.calls == []


def test_a_description_with_a_problem_is_not_deployed(workstation: Workstation) -> None:
    workstation.describe("test", "weu", rules=[{"regions": ["sea"]}])

    told = workstation.fail("test")

    assert "rules[0].regions: «sea» is not a region of this file." in told
    assert workstation.calls == []


MISSING = [
    ({"is_logged_in": False}, "az has no subscription; log in with `az login`."),
    (
        {"resources": ("vaults/kv-contoso",)},
        f"{WORKSPACE_ID} names no workspace that you may read.",
    ),
    (
        {"resources": ("workspaces/calls",)},
        "domain.keyVaultId names no Key Vault that you may read.",
    ),
    ({}, "there is no bot bot-calls in this subscription; see docs/deploy.md."),
    (
        {"locations": ("eastus2",), "resources": ("workspaces", "vaults", "bot-calls")},
        "westeurope does not offer Flex Consumption.",
    ),
]


@pytest.mark.parametrize(("members", "sentence"), MISSING)
def test_what_must_be_there_is_asked_for_before_anything_is_made(
    members: dict[str, object], sentence: str, workstation: Workstation
) -> None:
    """A template that fails late costs minutes."""
    workstation.describe("test", "weu")
    for name, value in members.items():
        setattr(workstation.azure, name, value)

    told = workstation.fail("test", BOT_NAME="bot-calls")

    assert f"deploy: {sentence}\n" in told
    assert "stopped at «Check what must exist in Azure already»" in told
    assert workstation.changes == []


def test_an_output_that_is_missing_ends_the_run_with_its_name(
    workstation: Workstation,
) -> None:
    """An empty name must not reach a command."""
    workstation.describe("test", "weu", domain=None)
    script = workstation.root / "infra" / "steps.sh"
    script.write_text(script.read_text().replace("stamp functionAppName", "stamp no"))

    told = workstation.fail("test")

    assert "the deployment stamp in rg-tmscalls-test-weu has no output no." in told
    assert not [call for call in workstation.calls if call.startswith("func")]


def test_nothing_secret_and_no_colour_is_printed(deployed: Workstation) -> None:
    """What is printed ends up in the logs of pipelines."""
    printed = deployed.deploy("test")

    assert not re.search(r"\x1b|[Pp]assword|secret", printed)
