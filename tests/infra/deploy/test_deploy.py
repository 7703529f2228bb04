"""Deployments on an Azure of this machine: the order, and who gets calls when."""

import pytest

from tests.infra.deploy.azure import FORMER_WEBHOOK, TENANT_ID, WEBHOOK
from tests.infra.deploy.expected_calls import (
    GLOBAL_GATE,
    WEBHOOK_PART,
    first_stamp,
    global_part,
    is_trust,
    publish,
    stamp,
    switch,
    turn,
)
from tests.infra.deploy.workstation import Workstation

BOT = {"BOT_NAME": "bot-calls"}


def test_the_first_deployment_makes_everything_in_order(
    first_deployment: Workstation,
) -> None:
    """Host names are bound after the global part; the bot's webhook comes last."""
    changes = first_deployment.changes

    assert [call for call in changes if not is_trust(call)] == [
        "az group create -n rg-tmscalls-test-global -l westeurope -o none",
        "az group create -n rg-tmscalls-test-weu -l westeurope -o none",
        "az group create -n rg-tmscalls-test-eus2 -l eastus2 -o none",
        first_stamp("weu"),
        first_stamp("eus2"),
        global_part("weu eus2"),
        *turn("weu", is_drained=False),
        *turn("eus2", is_drained=False),
        GLOBAL_GATE,
        WEBHOOK_PART,
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


def test_the_package_is_built_once_before_anything_is_made(
    first_deployment: Workstation,
) -> None:
    """All regions get the same bits, and a failed build changes nothing."""
    calls = first_deployment.calls

    [built] = [n for n, call in enumerate(calls) if call == "infra/package.sh test"]
    assert built < calls.index(first_deployment.changes[0])


def test_a_second_deployment_drains_each_region_and_makes_nothing(
    deployed: Workstation,
) -> None:
    """No region is changed while it gets calls."""
    printed = deployed.deploy("test", **BOT)

    assert deployed.changes == [
        global_part(),
        *turn("weu"),
        *turn("eus2"),
        GLOBAL_GATE,
    ]
    assert deployed.azure.harm == []
    assert printed.endswith(f"# Calling webhook: {WEBHOOK}\n")


def test_draining_waits_before_and_letting_in_waits_after(
    deployed: Workstation,
) -> None:
    """Resolvers keep the old answer for a while; the next region waits for this one."""
    deployed.deploy("test")

    calls = deployed.calls
    off, on = (
        calls.index(switch("weu", "Disabled")),
        calls.index(switch("weu", "Enabled")),
    )
    assert calls[off + 1] == "sleep 65"
    assert "endpoint show" in calls[on + 1]
    assert calls[on + 2] == "sleep 10"


def test_a_deployment_that_failed_does_not_take_the_only_region_away(
    workstation: Workstation,
) -> None:
    """It still serves, whatever its last deployment came to."""
    workstation.describe("test", "weu")
    workstation.deploy("test")
    del workstation.azure.group("weu").deployments["stamp"]

    workstation.deploy("test")

    assert workstation.changes[0] == global_part()
    assert switch("weu", "Disabled") not in workstation.calls


def test_an_only_region_is_not_drained(workstation: Workstation) -> None:
    """Nobody else could take its calls."""
    workstation.describe("test", "weu")
    workstation.deploy("test")

    printed = workstation.deploy("test")

    assert switch("weu", "Disabled") not in workstation.calls
    assert "# No other region is online: weu keeps getting calls.\n" in printed


def test_a_region_is_not_drained_while_no_other_one_is_healthy(
    deployed: Workstation,
) -> None:
    deployed.azure.broken["eus2"] = "503"

    deployed.run("test")

    assert switch("weu", "Disabled") not in deployed.calls


def test_a_region_that_is_disabled_in_the_description_stays_so(
    workstation: Workstation,
) -> None:
    """It is deployed and healthy, and gets no calls."""
    workstation.describe("test", "weu", "eus2", disabled=("eus2",))
    workstation.deploy("test")

    assert workstation.azure.is_up("eus2")
    assert not workstation.azure.endpoints["eus2"].is_enabled
    assert [call for call in workstation.calls if "-n eus2 --type" in call] == []


def test_a_region_that_is_enabled_again_gets_calls_once_it_is_healthy(
    workstation: Workstation,
) -> None:
    workstation.describe("test", "weu", "eus2", disabled=("eus2",))
    workstation.deploy("test")
    workstation.describe("test", "weu", "eus2")

    workstation.deploy("test")

    assert workstation.changes[0] == global_part("eus2")
    assert workstation.azure.is_online("eus2")


@pytest.mark.parametrize("complaint", ["200, warnings: [...]", "503, problems: [...]"])
def test_an_unhealthy_region_stops_the_roll_out(
    complaint: str, deployed: Workstation
) -> None:
    """The next region keeps its settings and its code; this one gets no calls."""
    deployed.azure.broken["weu"] = complaint

    told = deployed.fail("test", **BOT)

    assert deployed.changes == [
        global_part(),
        *turn("weu", is_let_in=False),
    ]
    assert "deploy: the roll-out stops at weu; not touched: eus2." in told
    assert "docs/deploy.md, «A region that is not healthy»" in told
    assert not deployed.azure.endpoints["weu"].is_enabled


def test_a_new_region_is_up_before_the_others_may_send_it_calls(
    deployed: Workstation,
) -> None:
    """It goes first wherever it is listed. If it fails, the others are untouched."""
    rules = [{"regions": ["sea"]}]
    deployed.describe("test", "weu", "eus2", "sea", rules=rules)
    deployed.azure.broken["sea"] = "200, warnings: [...]"

    assert "not touched: weu eus2." in deployed.fail("test")
    assert [call for call in deployed.changes if not is_trust(call)] == [
        "az group create -n rg-tmscalls-test-sea -l southeastasia -o none",
        first_stamp("sea"),
        global_part("sea"),
        *turn("sea", is_drained=False, is_let_in=False),
    ]


def test_a_region_that_was_made_anew_is_trusted_again(deployed: Workstation) -> None:
    """Its identity is a new one, so its credential is updated."""
    del deployed.azure.groups["rg-tmscalls-test-eus2"]
    del deployed.azure.apps["eus2"]

    deployed.deploy("--region", "eus2", "test")

    [trust] = [call for call in deployed.changes if is_trust(call)]
    assert "federated-credential update" in trust
    subject = deployed.azure.credentials["tmscalls-test-eus2"]["subject"]
    assert subject == f"principal-eus2-{deployed.azure.group('eus2').number}"


def test_one_region_can_be_deployed_alone(deployed: Workstation) -> None:
    """The global part goes along; the program says how to tell the other regions."""
    printed = deployed.deploy("--region", "eus2", "test")

    gate = GLOBAL_GATE.replace(" --build 0a1b2c3d4e5f.9f8e7d6c5b4a", "")
    assert deployed.changes == [global_part(), *turn("eus2"), gate]
    last = "# To tell the other regions of changes: infra/deploy.sh test\n"
    assert printed.endswith(last)


def test_without_a_domain_there_is_no_global_part(workstation: Workstation) -> None:
    workstation.describe("test", "weu", domain=None)
    workstation.prepare = lambda machine: setattr(machine, "missing", ("dig",))

    printed = workstation.deploy("test", **BOT)

    assert [call for call in workstation.changes if not is_trust(call)] == [
        "az group create -n rg-tmscalls-test-weu -l westeurope -o none",
        stamp("weu"),
        *publish("weu"),
    ]
    assert not [call for call in workstation.calls if "global" in call or "dns" in call]
    assert printed.endswith("# Calling webhook: https://host-weu/api/calls\n")
    assert workstation.azure.webhook == FORMER_WEBHOOK


def test_who_answers_no_calls_needs_no_trust(workstation: Workstation) -> None:
    """Nor does the operator need rights in the bot's registration."""
    settings = {"CALLING_ANSWER": "false"}
    workstation.describe("test", "weu", domain=None, settings=settings)

    workstation.deploy("test")

    assert not [call for call in workstation.calls if is_trust(call)]


def test_records_are_waited_for(deployed: Workstation) -> None:
    deployed.azure.dns_asked, deployed.azure.dns_after = 0, 2

    deployed.deploy("--region", "weu", "test")

    asked = "dig +short TXT asuid.global.calls.contoso.com"
    last = "dig +short TXT asuid.weu.calls.contoso.com"
    start = deployed.calls.index(asked)
    expected = [asked, "sleep 10", asked, "sleep 10", asked, last]
    assert deployed.calls[start : start + 6] == expected


def test_records_that_never_appear_end_with_what_to_look_at(
    deployed: Workstation,
) -> None:
    """The run ends before any host name is bound."""
    deployed.azure.dns_after = -1

    told = deployed.fail("test", DNS_WAIT_SECONDS="0")

    assert deployed.changes == [global_part()]
    assert (
        "deploy: asuid.global.calls.contoso.com is not visible after 0 s. Is"
        " calls.contoso.com delegated to the name servers above? See docs/deploy.md.\n"
    ) in told


def test_what_if_changes_nothing(deployed: Workstation) -> None:
    """It asks about all regions and the global part, and needs no Core Tools."""
    deployed.prepare = lambda machine: setattr(machine, "missing", ("func", "dig"))

    deployed.deploy("--what-if", "test", **BOT)

    assert deployed.changes == []
    asked = [call for call in deployed.calls if " what-if " in call]
    assert asked == [
        call.replace("create", "what-if").partition(" -n ")[0]
        for call in (stamp("weu"), stamp("eus2"), WEBHOOK_PART)
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


def test_nothing_secret_and_no_colour_is_printed(deployed: Workstation) -> None:
    """What is printed ends up in the logs of pipelines."""
    printed = deployed.deploy("test", **BOT)

    assert "\x1b" not in printed
    assert "password" not in printed.lower()
