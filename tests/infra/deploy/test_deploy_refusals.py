"""What deploy.sh refuses before it changes anything, each with a sentence."""

import re

import pytest

from tests.infra.deploy.deploy_world import World

USAGE = [
    ([], "which environment? See --help."),
    (["--dry-run"], "which environment? See --help."),
    (["dev", "prod"], "one environment at a time, please."),
    (["--dry-run", "--what-if", "dev"], "either --dry-run or --what-if, please."),
    (["--whatif", "dev"], "there is no option --whatif; see --help."),
    (["dev", "--region"], "--region needs the code of a region."),
    (["--region", "sea", "dev"], "dev has no region sea; it has: weu."),
    (["--region", "", "dev"], "--region needs the code of a region."),
]


@pytest.mark.parametrize(("arguments", "sentence"), USAGE)
def test_wrong_arguments_are_explained(
    arguments: list[str], sentence: str, world: World
) -> None:
    """And nothing is called."""
    finished = world.deploy(*arguments)

    assert finished.returncode == 1
    assert finished.stderr.splitlines()[0] == f"deploy: {sentence}"
    assert world.calls == []


def test_help_tells_options_and_variables(world: World) -> None:
    """From the head of the script, so it is never out of date."""
    finished = world.deploy("--help")

    assert finished.returncode == 0
    for word in ("--dry-run", "--what-if", "--region CODE", "MICROSOFT_APP_ID"):
        assert word in finished.stdout
    assert "shellcheck" not in finished.stdout


VARIABLES = [
    ("MICROSOFT_APP_ID", "", "the environment variable MICROSOFT_APP_ID is missing."),
    ("MICROSOFT_APP_ID", "calls-bot", "MICROSOFT_APP_ID must be a GUID."),
    (
        "LOG_ANALYTICS_WORKSPACE_ID",
        "",
        "the environment variable LOG_ANALYTICS_WORKSPACE_ID is missing.",
    ),
    (
        "LOG_ANALYTICS_WORKSPACE_ID",
        "b2c8f1a0-5d3e-4c7b-9a61-0e4d2f8c6b17",
        "LOG_ANALYTICS_WORKSPACE_ID must be the resource ID of a workspace.",
    ),
    ("DNS_WAIT_SECONDS", "1h", "DNS_WAIT_SECONDS must be a number."),
]


@pytest.mark.parametrize(("name", "value", "sentence"), VARIABLES)
def test_a_wrong_variable_is_told_before_azure_is_asked(
    name: str, value: str, sentence: str, world: World
) -> None:
    """By name; the templates read them for a question as well."""
    finished = world.deploy("--what-if", "dev", **{name: value})

    assert finished.returncode == 1
    assert f"deploy: {sentence}\n" in finished.stderr
    assert world.calls == []


@pytest.mark.parametrize(
    ("command", "environment"), [("az", "dev"), ("func", "dev"), ("dig", "prod")]
)
def test_a_missing_tool_is_told_before_azure_is_asked(
    command: str, environment: str, world: World
) -> None:
    """With the place that says where to get it."""
    world.remove(command)

    finished = world.deploy(environment)

    assert finished.returncode == 1
    assert f"deploy: {command} is missing; see docs/deploy.md.\n" in finished.stderr
    assert world.calls == []


def test_a_checkout_that_is_not_set_up_is_told(world: World) -> None:
    """Its Python checks the environment and builds the package."""
    (world.root / ".venv" / "bin" / "python").unlink()

    finished = world.deploy("dev")

    assert finished.returncode == 1
    assert ".venv/bin/python is missing; run `make setup` first." in finished.stderr


def test_an_unknown_environment_is_answered_with_the_known_ones(world: World) -> None:
    """A typing error is the likeliest reason."""
    finished = world.deploy("pord")

    assert finished.returncode == 1
    problem, stop = finished.stderr.splitlines()
    assert problem.startswith("infra/params/pord.json: there is no such file; there")
    assert stop == "deploy: nothing was done."
    assert world.calls == []


def test_a_description_with_a_problem_is_not_deployed(world: World) -> None:
    """Every problem of the file is told."""
    world.describe("test", "weu", rules=[{"regions": ["sea"]}])

    finished = world.deploy("test")

    assert finished.returncode == 1
    assert "rules[0].regions: «sea» is no region of this file." in finished.stderr
    assert world.calls == []


MISSING = [
    ({"is_logged_in": False}, "az has no subscription; log in with `az login`."),
    (
        {"resources": ("vaults/kv-contoso",)},
        "LOG_ANALYTICS_WORKSPACE_ID names no workspace that you may read.",
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
    members: dict[str, object], sentence: str, world: World
) -> None:
    """Instead of after the minutes that the first regions take."""
    world.describe("test", "weu")
    for name, value in members.items():
        setattr(world.azure, name, value)

    finished = world.deploy("test", BOT_NAME="bot-calls")

    assert finished.returncode == 1
    assert f"deploy: {sentence}\n" in finished.stderr
    assert "stopped at «Ask Azure for what must be there already»" in finished.stderr
    assert world.changes == []


def test_an_output_that_is_missing_ends_the_run_with_its_name(world: World) -> None:
    """A template that was changed; an empty name must not reach a command."""
    world.describe("test", "weu", domain=None)
    script = world.root / "infra" / "steps.sh"
    script.write_text(script.read_text().replace("stamp functionAppName", "stamp no"))

    finished = world.deploy("test")

    assert finished.returncode == 1
    assert "the deployment stamp in rg-tmscalls-test-weu has no output no." in (
        finished.stderr
    )
    assert not [call for call in world.calls if call.startswith("func")]


def test_nothing_secret_and_no_colour_is_printed(deployed: World) -> None:
    """What is printed goes into the logs of pipelines."""
    printed = deployed.deploy("test").stdout

    assert not re.search(r"\x1b|[Pp]assword|secret", printed)
