"""The preflight: everything that would stop a deployment, with the cure of each."""

import pytest

from tests.infra.deploy.azure import SUBSCRIPTION_ID, Group
from tests.infra.deploy.workstation import Workstation

BOT = {"BOT_NAME": "bot-calls"}
VAULT = "vaults/kv-contoso"
WORKSPACE = "workspaces/calls"
IMPORT = "az keyvault certificate import --vault-name kv-contoso -n wildcard-calls"

# What is wrong, and how the sentence that tells it begins and ends.
PROBLEMS = [
    ({"versions": ("2.87.9", "0.49.2", "4.15.1")}, "Azure CLI 2.87.9", "az upgrade"),
    ({"versions": ("2.91.0", "0.35.1", "4.15.1")}, "Bicep 0.35.1", "az bicep upgrade"),
    (
        {"versions": ("2.91.0", "0.49.2", "4.12.9")},
        "Core Tools (func) 4.12.9 is too old; 4.13 or newer is needed:",
        "npm install -g azure-functions-core-tools@4",
    ),
    ({"is_logged_in": False}, "az has no subscription", "log in: az login"),
    (
        {"unregistered": ("App",)},
        "Microsoft.App is not registered:",
        "az provider register -n Microsoft.App --wait",
    ),
    (
        {"unregistered": ("BotService",)},
        "Microsoft.BotService is not registered:",
        "az provider register -n Microsoft.BotService --wait",
    ),
    (
        {"actions": ("*/read", "Microsoft.Resources/*", "Microsoft.Web/*")},
        "you may not do Microsoft.Authorization/roleAssignments/write: an owner runs",
        f"--scope /subscriptions/{SUBSCRIPTION_ID}",
    ),
    (
        {"resources": (VAULT,)},
        "LOG_ANALYTICS_WORKSPACE_ID names no workspace that you may read:",
        "az monitor log-analytics workspace list --query '[].id' -o tsv",
    ),
    (
        {"resources": (WORKSPACE,)},
        "domain.keyVaultId names no Key Vault that you may read:",
        "az keyvault list --query '[].id' -o tsv",
    ),
    (
        {"certificate": "*.contoso.com"},
        "the certificate wildcard-calls-contoso-com is for *.contoso.com,",
        "-f <file outside the checkout>",
    ),
    (
        {"certificate": ""},
        "the vault has no certificate wildcard-calls-contoso-com: ",
        "-f <file outside the checkout>",
    ),
    (
        {"reader_roles": ""},
        "App Service may not read the certificate:",
        "--assignee abfa0a7c-a6b6-4736-8310-5855508787cd",
    ),
    (
        {"bots": {}},
        "there is no bot bot-calls in this subscription:",
        "--query '[].name'",
    ),
    (
        {"locations": ("eastus2",)},
        "westeurope does not offer Flex Consumption:",
        "az functionapp list-flexconsumption-locations -o table",
    ),
    (
        {"used_up": ("westeurope",)},
        "FlexMemory is used up in westeurope (9 of 9):",
        "or choose another location",
    ),
    (
        {"groups": {"rg-tmscalls-test-weu": Group(1, "northeurope")}},
        "the group rg-tmscalls-test-weu exists in northeurope, not in westeurope:",
        "az group delete -n rg-tmscalls-test-weu",
    ),
    (
        {"policy": "storage must not be public"},
        "Azure would refuse the templates in weu, see it in full with",
        "(RequestDisallowedByPolicy) storage must not be public",
    ),
    (
        {"credentials": {f"other-{n}": {} for n in range(20)}},
        "the bot's registration has 20 federated credentials, 1 more are needed,",
        "--federated-credential-id <one that nobody needs>",
    ),
]


@pytest.mark.parametrize(("members", "begin", "end"), PROBLEMS)
def test_a_problem_is_told_with_the_command_that_cures_it(
    members: dict[str, object], begin: str, end: str, workstation: Workstation
) -> None:
    """A deployment makes nothing then."""
    workstation.describe("test", "weu")
    for name, value in members.items():
        setattr(workstation.azure, name, value)

    told = workstation.fail("test", **BOT).splitlines()

    [line] = [each for each in told if each.startswith(f"deploy: {begin}")]
    assert line.endswith(end)
    assert told[-1] == "deploy: nothing was made; the above would stop the deployment."
    assert workstation.changes == []


def test_all_problems_are_told_at_once(workstation: Workstation) -> None:
    workstation.describe("test", "weu")
    azure = workstation.azure
    azure.versions, azure.policy = ("2.0.0", "0.1.0", "4.0.0"), "no"
    azure.unregistered, azure.reader_roles = ("App", "Web"), ""

    told = workstation.fail("--preflight", "test", **BOT)

    assert told.count("deploy: ") == 8
    assert workstation.changes == []


def test_a_good_environment_passes_and_nothing_is_changed(
    workstation: Workstation,
) -> None:
    workstation.describe("test", "weu", "eus2")

    printed = workstation.deploy("--preflight", "test", **BOT)

    assert printed.endswith("# Nothing would stop a deployment.\n")
    assert workstation.told == ""
    assert workstation.changes == []


def test_without_a_domain_less_is_needed(workstation: Workstation) -> None:
    workstation.describe("test", "weu", domain=None)
    azure = workstation.azure
    azure.resources, azure.certificate, azure.reader_roles = (WORKSPACE,), "", ""
    azure.unregistered = ("KeyVault", "Network", "BotService")
    workstation.prepare = lambda machine: setattr(machine, "missing", ("dig",))

    workstation.deploy("--preflight", "test")

    assert not [call for call in workstation.calls if "keyvault" in call]


@pytest.mark.parametrize(
    ("tool", "sentence"),
    [
        ("az", "Azure CLI is missing; 2.88 or newer is needed: az upgrade"),
        ("func", "Core Tools (func) is missing; 4.13 or newer is needed: npm install"),
        ("dig", "dig is missing: apt-get install bind9-dnsutils"),
    ],
)
def test_a_missing_tool_is_told(
    tool: str, sentence: str, workstation: Workstation
) -> None:
    workstation.describe("test", "weu")
    workstation.prepare = lambda machine: setattr(machine, "missing", (tool,))

    assert f"deploy: {sentence}" in workstation.fail("--preflight", "test")


@pytest.mark.parametrize(
    ("refused", "warning"),
    [
        ("ad app federated-credential", "the federated credentials of the bot's"),
        ("/usages", "the quotas of westeurope could not be read."),
        ("keyvault certificate", "the certificate wildcard-calls-contoso-com could"),
        ("role assignment list", "whether App Service may read the certificate"),
        ("provider list", "the resource providers could not be listed."),
        ("/permissions", "your permissions in the subscription could not be read."),
    ],
)
def test_what_the_operator_may_not_look_at_is_a_warning(
    refused: str, warning: str, workstation: Workstation
) -> None:
    """He may be allowed to deploy all the same."""
    workstation.describe("test", "weu")
    workstation.prepare = lambda machine: setattr(machine, "fail", refused)

    workstation.deploy("--preflight", "test")

    assert workstation.told.startswith(f"warning: {warning}")


def test_a_zone_that_is_not_delegated_yet_is_a_warning(
    workstation: Workstation,
) -> None:
    """The deployment waits for that."""
    workstation.describe("test", "weu")
    workstation.azure.is_delegated = False

    workstation.deploy("--preflight", "test")

    assert workstation.told.startswith("warning: calls.contoso.com is not delegated")


def test_a_workspace_that_cannot_be_reached_is_no_problem(
    workstation: Workstation,
) -> None:
    """Its region may be down, which is when the others must be deployable."""
    workstation.describe("test", "weu")
    workstation.prepare = lambda machine: setattr(machine, "fail", "workspaces/calls")

    workstation.deploy("--preflight", "test")

    assert "warning: the workspace of LOG_ANALYTICS_WORKSPACE_ID" in workstation.told


def test_the_group_of_the_bot_is_compared(workstation: Workstation) -> None:
    workstation.describe("test", "weu")

    told = workstation.fail("--preflight", "test", BOT_RESOURCE_GROUP="rg-x", **BOT)

    sentence = "the bot bot-calls is in rg-bots and not in rg-x: export"
    assert f"deploy: {sentence} BOT_RESOURCE_GROUP=rg-bots\n" in told
    workstation.deploy("--preflight", "test", BOT_RESOURCE_GROUP="RG-Bots", **BOT)


def test_a_group_that_does_not_exist_yet_is_stood_for_by_the_workspace_s(
    deployed: Workstation,
) -> None:
    """So policies are asked before anything is made."""
    deployed.describe("test", "weu", "eus2", "sea")

    deployed.deploy("--preflight", "test")

    asked = [call for call in deployed.calls if "group validate" in call]
    groups = [call.split(" -g ")[1].split()[0] for call in asked]
    assert groups == ["rg-tmscalls-test-weu", "rg-tmscalls-test-eus2", "rg-shared"]


def test_the_preflight_of_one_region_asks_about_that_region(
    workstation: Workstation,
) -> None:
    workstation.describe("test", "weu", "eus2")
    workstation.azure.locations = ("eastus2",)

    workstation.deploy("--preflight", "--region", "eus2", "test")
