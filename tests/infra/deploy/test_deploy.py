"""Deployments of deploy.sh on an Azure of this machine: the order, and every break."""

import pytest

from tests.infra.deploy.stand_ins import TENANT_ID, VERIFICATION_ID
from tests.infra.deploy.workstation import Workstation
from tests.infra.health import health


def first_stamp(code: str) -> str:
    """Return the call that deploys a region without host names."""
    return stamp(code, is_bound="false", name="first")


def stamp(code: str, *, is_bound: str = "true", name: str = "stamp") -> str:
    return (
        f"REGION={code} BIND_HOST_NAMES={is_bound}"
        f" az deployment group create -g rg-tmscalls-test-{code}"
        f" --parameters infra/params/test.regional.bicepparam -n {name} -o none"
    )


GLOBAL_PART = (
    f"CUSTOM_DOMAIN_VERIFICATION_ID={VERIFICATION_ID} az deployment group create"
    " -g rg-tmscalls-test-global --parameters infra/params/test.global.bicepparam"
    " -n global -o none"
)


def publish(code: str) -> list[str]:
    """Return the calls that publish to a region and hold until it is healthy."""
    gate = f"python infra/wait_until_healthy.py --region {code}"
    return [
        f"func azure functionapp publish func-{code} --python --no-build",
        f"{gate} https://host-{code}/api/health",
    ]


def is_trust(call: str) -> bool:
    """Tell whether a call changes whom the bot's registration trusts."""
    return "az ad app federated-credential" in call


def test_the_first_deployment_makes_everything_in_order(
    first_deployment: Workstation,
) -> None:
    """Host names are bound after the global part; code comes last, region by region."""
    changes = first_deployment.changes

    assert [call for call in changes if not is_trust(call)] == [
        "az group create -n rg-tmscalls-test-global -l westeurope -o none",
        "az group create -n rg-tmscalls-test-weu -l westeurope -o none",
        "az group create -n rg-tmscalls-test-eus2 -l eastus2 -o none",
        first_stamp("weu"),
        first_stamp("eus2"),
        GLOBAL_PART,
        stamp("weu"),
        *publish("weu"),
        stamp("eus2"),
        *publish("eus2"),
    ]
    for code in ("weu", "eus2"):
        [at] = [n for n, call in enumerate(changes) if f'tmscalls-test-{code}"' in call]
        assert changes[at - 1] == stamp(code)
        assert changes[at + 1] == publish(code)[0]


def test_the_registration_trusts_the_identity_of_each_region(
    first_deployment: Workstation,
) -> None:
    credentials = first_deployment.azure.credentials

    assert sorted(credentials) == ["tmscalls-test-eus2", "tmscalls-test-weu"]
    assert credentials["tmscalls-test-weu"] == {
        "issuer": f"https://login.microsoftonline.com/{TENANT_ID}/v2.0",
        "subject": "principal-weu-2",
        "audiences": ["api://AzureADTokenExchange"],
    }


def test_the_package_is_built_once_before_any_region_is_touched(
    first_deployment: Workstation,
) -> None:
    """All regions get the same bits, and a failed build changes nothing."""
    calls = first_deployment.calls

    [built] = [n for n, call in enumerate(calls) if call.startswith("python -m pip")]
    assert built < calls.index(stamp("weu"))


def test_a_second_deployment_changes_nothing_but_deploys_again(
    deployed: Workstation,
) -> None:
    """Templates and code go to all regions again; nothing is created anew."""
    printed = deployed.deploy("test")

    assert deployed.changes == [
        GLOBAL_PART,
        stamp("weu"),
        *publish("weu"),
        stamp("eus2"),
        *publish("eus2"),
    ]
    webhook = "# Calling webhook: https://global.calls.contoso.com/api/calls\n"
    assert printed.endswith(webhook)


BREAKS = [
    ("az account show", "Check what must exist in Azure already"),
    ("az functionapp list-flex", "Check what must exist in Azure already"),
    ("group create -n rg-tmscalls-test-global", "Make the resource groups that are"),
    ("group create -n rg-tmscalls-test-weu", "Make the resource groups that are"),
    (
        "group list -g rg-tmscalls-test-weu",
        "Find out which regions are new: they go first",
    ),
    ("-n first -o none", "Deploy new regions, without host names"),
    ("-n global -o none", "Deploy the global part: Traffic Manager, DNS records"),
    ("-m pip install", "Build the package"),
    ("-m compileall", "Build the package"),
    ("-n stamp -o none", "Deploy weu"),
    ("federated-credential create", "Let the bot's registration trust the identity"),
    ("func azure functionapp publish", "Publish to weu"),
    ("wait_until_healthy.py", "Wait until weu is healthy"),
]


def test_a_deployment_that_breaks_at_every_step_in_turn_gets_done(
    workstation: Workstation,
) -> None:
    """Each failure names its step and ends the run; the next run carries on."""
    workstation.describe("test", "weu")
    for fail, step in BREAKS:
        workstation.azure.fail = fail

        told = workstation.fail("test")

        assert f"deploy: stopped at «{step}" in told
        assert "run the same command to carry on." in told
        assert fail in workstation.calls[-1]
    workstation.azure.fail = ""

    workstation.deploy("test")

    assert workstation.changes == [GLOBAL_PART, stamp("weu"), *publish("weu")]
    # Nothing is done twice that was done; the last run and two breaks did the rest.
    assert workstation.azure.deployments("weu") == ["first", *["stamp"] * 4]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"CALLING_LATER": "1"}, "200, warnings: ['CALLING_LATER: unknown setting.']"),
        ({"CALLING_ANSWER": "perhaps"}, "503, problems: ['CALLING_ANSWER: must be"),
    ],
)
def test_an_unhealthy_region_stops_the_roll_out(
    settings: dict[str, str], why: str, deployed: Workstation
) -> None:
    """The next region keeps its settings and its code."""
    deployed.health["weu"] = health("weu", "fresh", **settings)

    told = deployed.fail("test")

    assert deployed.changes == [GLOBAL_PART, stamp("weu"), *publish("weu")]
    assert f"weu is not healthy: {why}" in told
    assert "the roll-out stops at weu; not touched: eus2." in told
    assert "docs/deploy.md, «A region that is not healthy»" in told


def test_a_new_region_is_up_before_the_others_may_send_it_calls(
    deployed: Workstation,
) -> None:
    """It goes first wherever it is listed. If it fails, the others are untouched."""
    rules = [{"regions": ["sea"]}]
    deployed.describe("test", "weu", "eus2", "sea", rules=rules)
    deployed.health["sea"] = health("sea", CALLING_LATER="1")

    assert "not touched: weu eus2." in deployed.fail("test")
    assert [call for call in deployed.changes if not is_trust(call)] == [
        "az group create -n rg-tmscalls-test-sea -l southeastasia -o none",
        first_stamp("sea"),
        GLOBAL_PART,
        stamp("sea"),
        *publish("sea"),
    ]


def test_a_region_that_was_made_anew_is_trusted_again(deployed: Workstation) -> None:
    """Its identity is a new one, so its credential is updated."""
    del deployed.azure.groups["rg-tmscalls-test-eus2"]

    deployed.deploy("--region", "eus2", "test")

    [trust] = [call for call in deployed.changes if is_trust(call)]
    assert "federated-credential update" in trust
    subject = deployed.azure.credentials["tmscalls-test-eus2"]["subject"]
    assert subject == "principal-eus2-4"


def test_one_region_can_be_deployed_alone(deployed: Workstation) -> None:
    """The global part goes along; the script says how to tell the other regions."""
    printed = deployed.deploy("--region", "eus2", "test")

    assert deployed.changes == [GLOBAL_PART, stamp("eus2"), *publish("eus2")]
    assert not [call for call in deployed.calls if "weu" in call]
    last = "# To tell the other regions of changes: infra/deploy.sh test\n"
    assert printed.endswith(last)


def test_without_a_domain_there_is_no_global_part(workstation: Workstation) -> None:
    workstation.describe("test", "weu", domain=None)
    workstation.remove("dig")

    printed = workstation.deploy("test")

    assert [call for call in workstation.changes if not is_trust(call)] == [
        "az group create -n rg-tmscalls-test-weu -l westeurope -o none",
        stamp("weu"),
        *publish("weu"),
    ]
    assert not [call for call in workstation.calls if "global" in call or "dns" in call]
    host = workstation.azure.hosts["weu"]
    assert printed.endswith(f"# Calling webhook: https://{host}/api/calls\n")


def test_who_answers_no_calls_needs_no_trust(workstation: Workstation) -> None:
    """Nor does the operator need rights in the bot's registration."""
    settings = {"CALLING_ANSWER": "false"}
    workstation.describe("test", "weu", domain=None, settings=settings)

    workstation.deploy("test")

    assert not [call for call in workstation.calls if is_trust(call)]


def test_records_are_waited_for(deployed: Workstation) -> None:
    deployed.azure.dns_after = 2

    deployed.deploy("--region", "weu", "test")

    asked = "dig +short TXT asuid.global.calls.contoso.com"
    last = "dig +short TXT asuid.weu.calls.contoso.com"
    asks = [call for call in deployed.calls if call.startswith(("dig", "sleep"))]
    assert asks == [asked, "sleep 10", asked, "sleep 10", asked, last]


def test_records_that_never_appear_end_with_what_to_look_at(
    deployed: Workstation,
) -> None:
    """The run ends before any host name is bound."""
    deployed.azure.dns_after = -1

    told = deployed.fail("test", DNS_WAIT_SECONDS="0")

    assert deployed.changes == [GLOBAL_PART]
    assert (
        "deploy: asuid.global.calls.contoso.com is not visible after 0 s. Is"
        " calls.contoso.com delegated to the name servers above? See docs/deploy.md.\n"
    ) in told


def test_what_if_changes_nothing(deployed: Workstation) -> None:
    """It asks about all regions and the global part, and needs no Core Tools."""
    deployed.remove("func", "dig")

    deployed.deploy("--what-if", "test")

    assert deployed.changes == []
    asked = [call for call in deployed.calls if " what-if " in call]
    assert asked == [
        call.replace("create", "what-if").partition(" -n ")[0]
        for call in (stamp("weu"), stamp("eus2"), GLOBAL_PART)
    ]


def test_what_if_from_nothing_says_what_cannot_be_asked_yet(
    workstation: Workstation,
) -> None:
    workstation.describe("test", "weu")

    printed = workstation.deploy("--what-if", "test")

    assert [call for call in workstation.calls if "group exists" not in call] == []
    new = "# rg-tmscalls-test-weu does not exist yet: everything in it will be new.\n"
    assert new in printed
    assert "# Azure can tell once rg-tmscalls-test-global and" in printed
