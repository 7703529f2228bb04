"""What the program refuses before Azure is asked, and what it says when it stops."""

from collections.abc import Callable

import pytest

from tests.infra.deploy.azure import TENANT_ID
from tests.infra.deploy.expected_calls import global_part, stamp, turn
from tests.infra.deploy.machine import Machine
from tests.infra.deploy.workstation import Workstation

USAGE = [
    ([], "which environment? See --help."),
    (["--dry-run"], "which environment? See --help."),
    (["dev", "prod"], "name only one environment."),
    (["--dry-run", "--what-if", "dev"], "use either --dry-run or --what-if."),
    (["--whatif", "dev"], "there is no option --whatif; see --help."),
    (["dev", "--region"], "--region needs the code of a region."),
    (["--region", "sea", "test"], "test has no region sea; it has: weu."),
    (["--region", "", "test"], "--region needs the code of a region."),
    (["--drain", "test"], "which environment? See --help."),
    (["--drain", "sea", "test"], "test has no region sea; it has: weu."),
    (["--drain", "weu", "--undrain", "weu", "test"], "name only one region."),
    (["--preflight", "--what-if", "test"], "use either --preflight or --what-if."),
]


@pytest.mark.parametrize(("arguments", "sentence"), USAGE)
def test_wrong_arguments_are_explained(
    arguments: list[str], sentence: str, workstation: Workstation
) -> None:
    workstation.describe("test", "weu")

    told = workstation.fail(*arguments)

    assert told == f"deploy: {sentence}\n"
    assert workstation.calls == []


def test_help_tells_options_and_variables(workstation: Workstation) -> None:
    printed = workstation.deploy("--help")

    for word in ("--dry-run", "--what-if", "--region CODE", "MICROSOFT_APP_ID"):
        assert word in printed
    for word in ("--preflight", "--drain CODE", "--undrain CODE", "--remove CODE"):
        assert word in printed


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
    workstation.describe("test", "weu")

    told = workstation.fail("--what-if", "test", **{name: value})

    assert told == f"deploy: {sentence}\n"
    assert workstation.calls == []


def test_draining_needs_no_variables(deployed: Workstation) -> None:
    """An operator at night has other things to look for."""
    unset = {"MICROSOFT_APP_ID": "", "LOG_ANALYTICS_WORKSPACE_ID": ""}

    deployed.deploy("--drain", "eus2", "test", **unset)

    assert not deployed.azure.endpoints["eus2"].is_enabled


def test_an_unknown_environment_is_answered_with_the_known_ones(
    workstation: Workstation,
) -> None:
    workstation.describe("test", "weu")

    problem, stop = workstation.fail("tset").splitlines()

    assert problem == "infra/params/tset.json: there is no such file; there are: test."
    assert stop == "deploy: nothing was done."
    assert workstation.calls == []


def test_a_description_with_a_problem_is_not_deployed(workstation: Workstation) -> None:
    workstation.describe("test", "weu", rules=[{"regions": ["sea"]}])

    told = workstation.fail("test")

    assert "rules[0].regions: «sea» is not a region of this file." in told
    assert workstation.calls == []


def test_an_output_that_is_missing_ends_the_run_with_its_name(
    deployed: Workstation,
) -> None:
    """An empty name must not reach a command."""
    deployed.azure.hosts["weu"] = ""

    told = deployed.fail("test")

    assert "the deployment stamp in rg-tmscalls-test-weu has no output regionH" in told
    assert not [call for call in deployed.calls if "wait_until_healthy" in call]


BREAKS = [
    ("infra/package.sh", "Build the package"),
    ("group create -n rg-tmscalls-test-global", "Make the resource groups that are"),
    ("group create -n rg-tmscalls-test-weu", "Make the resource groups that are"),
    (
        "group list -g rg-tmscalls-test-weu --query [?properties",
        "Find out which regions are new: they go first",
    ),
    ("-n first -o none", "Deploy new regions, without host names"),
    ("-n global -o none", "Deploy the global part: Traffic Manager and DNS records"),
    ("dig +short TXT asuid.weu", "Wait until the DNS records are visible"),
    ("-n stamp -o none", "Deploy weu"),
    ("federated-credential create", "Let the bot's registration trust the identity"),
    ("wait_until_healthy.py --region", "Wait until weu is healthy"),
    ("--endpoint-status Enabled", "Let calls into weu"),
    ("https://global.calls.contoso.com", "Wait until the global host is healthy"),
    ("-n webhook -o none", "Register the webhook of the bot"),
]


def failing(call: str) -> Callable[[Machine], None]:
    return lambda machine: setattr(machine, "fail", call)


def test_a_deployment_that_breaks_at_every_step_in_turn_gets_done(
    workstation: Workstation,
) -> None:
    """Each failure names its step and ends the run; the next run carries on."""
    workstation.describe("test", "weu")
    for fail, step in BREAKS:
        workstation.prepare = failing(fail)

        told = workstation.fail("test", BOT_NAME="bot-calls")

        assert f"deploy: stopped at «{step}" in told
        assert "run the same command to carry on." in told
        assert fail in workstation.calls[-1]
    workstation.prepare = lambda _: None

    workstation.deploy("test", BOT_NAME="bot-calls")

    assert workstation.changes[:4] == [
        global_part(),
        *turn("weu", is_drained=False)[:3],
    ]
    assert stamp("weu") in workstation.changes
    assert workstation.azure.deployments("weu") == ["first", "stamp"]
    assert len({*workstation.azure.made}) == len(workstation.azure.made)
