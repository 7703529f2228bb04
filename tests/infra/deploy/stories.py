"""Parts of the life of an environment, each with how it must end.

A story makes its own workstations, so that it can be played with any program.
"""

from collections.abc import Callable

from tests.infra.deploy.azure import FORMER_WEBHOOK, WEBHOOK, Group
from tests.infra.deploy.expected_calls import (
    GLOBAL_GATE,
    WEBHOOK_PART,
    first_stamp,
    global_part,
    is_trust,
    switch,
    turn,
)
from tests.infra.deploy.machine import Machine
from tests.infra.deploy.workstation import Workstation

type Story = Callable[[Callable[[], Workstation]], None]

BOT = {"BOT_NAME": "bot-calls"}
DAY = 86_400
STORIES: dict[str, Story] = {}


def story(function: Story) -> Story:
    STORIES[function.__name__] = function
    return function


def changes(workstation: Workstation) -> list[str]:
    return [call for call in workstation.changes if not is_trust(call)]


@story
def from_nothing(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", "eus2")
    one.azure.dns_after = 2
    one.deploy("test", **BOT)
    assert changes(one)[3:] == [
        first_stamp("weu"),
        first_stamp("eus2"),
        global_part("weu eus2"),
        *turn("weu", is_drained=False),
        *turn("eus2", is_drained=False),
        GLOBAL_GATE,
        WEBHOOK_PART,
    ]
    assert [call for call in one.calls if "asuid.eus2" in call]
    assert one.azure.harm == []
    subjects = [each["subject"] for each in one.azure.credentials.values()]
    assert subjects == ["principal-weu-2", "principal-eus2-3"]
    assert f"It was {FORMER_WEBHOOK} before." in one.printed
    assert f'"callingWebhook":"{FORMER_WEBHOOK}"' in one.printed
    assert "sleep 10" in one.calls


@story
def again(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", "eus2")
    one.deploy("test", **BOT)
    one.deploy("test", **BOT)
    assert one.changes == [global_part(), *turn("weu"), *turn("eus2"), GLOBAL_GATE]
    assert one.azure.harm == []
    assert "It was" not in one.printed
    assert one.calls[one.calls.index(switch("weu", "Disabled")) + 1] == "sleep 65"
    del one.azure.groups["rg-tmscalls-test-eus2"], one.azure.apps["eus2"]
    one.deploy("--region", "eus2", "test")
    assert one.azure.credentials["tmscalls-test-eus2"]["subject"].endswith("-4")
    assert [call for call in one.changes if "https://global" in call] != [GLOBAL_GATE]


@story
def one_more_region(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", "eus2", disabled=("eus2",))
    one.deploy("test", **BOT)
    assert not one.azure.endpoints["eus2"].is_enabled
    one.describe("test", "weu", "eus2", "sea", disabled=("eus2",))
    one.prepare = lambda machine: setattr(machine, "fail", "BIND_HOST_NAMES=true")
    assert "stopped at «Deploy sea»" in one.fail("test")
    one.prepare = lambda _: None
    one.azure.broken["sea"] = "503"
    assert "not touched: weu eus2." in one.fail("test")
    assert global_part("eus2 sea") in one.changes
    one.azure.broken.clear()
    one.deploy("test")
    assert one.azure.is_online("sea")
    assert not one.azure.endpoints["eus2"].is_enabled
    del one.azure.group("weu").deployments["stamp"]
    one.azure.endpoints["sea"].is_enabled = False
    one.deploy("--region", "weu", "test")
    assert one.azure.is_online("weu")
    assert switch("weu", "Disabled") not in one.calls


@story
def a_bot_elsewhere(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", "eus2")
    one.deploy("test")
    assert one.azure.webhook == FORMER_WEBHOOK
    one.azure.forgets_webhook = True
    one.fail("test", **BOT)
    one.azure.forgets_webhook = False
    one.prepare = lambda machine: setattr(machine, "fail", GLOBAL_GATE)
    one.fail("test", **BOT)
    assert one.azure.webhook == FORMER_WEBHOOK
    one.prepare = lambda _: None
    one.azure.broken["eus2"] = "503"
    one.fail("--region", "weu", "test", **BOT)
    assert one.azure.webhook == FORMER_WEBHOOK
    one.azure.broken.clear()
    one.deploy("--region", "weu", "test", **BOT)
    assert one.azure.webhook == WEBHOOK
    one.azure.broken["eus2"] = "503"
    one.deploy("--region", "weu", "test", **BOT)


@story
def new_code(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", "eus2")
    one.deploy("test", **BOT)
    one.prepare = lambda machine: setattr(machine, "build", "new.lock")
    one.azure.quiet_failures = 1
    assert "stops at weu; not touched: eus2." in one.fail("test", **BOT)
    one.deploy("test", **BOT)
    assert {app.build for app in one.azure.apps.values()} == {"new.lock"}


@story
def by_hand(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", "eus2")
    one.deploy("test", **BOT)
    one.deploy("--drain", "eus2", "test")
    assert one.calls[-1] == "sleep 65"
    assert one.azure.group("global").tags == {"drained_eus2": "by-hand"}
    one.fail("--drain", "weu", "test")
    assert one.changes == []
    one.deploy("test", **BOT)
    assert one.changes[0] == global_part("eus2")
    assert not one.azure.endpoints["eus2"].is_enabled
    assert switch("weu", "Disabled") not in one.calls
    one.azure.webhook = FORMER_WEBHOOK
    one.deploy("test", **BOT)
    assert not one.azure.endpoints["eus2"].is_enabled
    one.deploy("--undrain", "eus2", "test")
    assert one.azure.group("global").tags == {}
    assert one.azure.is_online("eus2")
    one.azure.broken["eus2"] = "503"
    one.run("test")
    assert switch("weu", "Disabled") not in one.calls
    one.fail("--undrain", "eus2", "test")


@story
def a_region_goes(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", "eus2")
    one.deploy("test", **BOT)
    for code in ("weu", "global"):
        one.fail("--remove", code, "test")
        assert one.calls == []
    one.describe("test", "weu")
    assert "weu may still send calls" in one.fail("--remove", "eus2", "test")
    assert one.changes == []
    one.deploy("test")
    one.azure.endpoints["eus2"] = one.azure.endpoints["weu"]
    one.fail("--remove", "eus2", "test")
    assert one.changes == []
    del one.azure.endpoints["eus2"]
    one.deploy("--remove", "eus2", "test")
    assert not {"eus2", "asuid.eus2"} & one.azure.records
    assert "rg-tmscalls-test-eus2" in one.azure.groups
    one.azure.clock += DAY - 1000
    one.fail("--remove", "eus2", "test")
    one.azure.clock += DAY
    one.deploy("--remove", "eus2", "test")
    assert [*one.azure.credentials] == ["tmscalls-test-weu"]
    assert "rg-tmscalls-test-eus2" not in one.azure.groups
    assert one.azure.group("global").tags == {}
    one.deploy("--remove", "eus2", "test")
    assert one.changes == []
    assert one.azure.harm == []


@story
def trouble_passes(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", "eus2")
    azure = one.azure
    azure.lag_seconds, azure.throttles, azure.conflicts = 60.0, 3, 1
    azure.role_seconds, azure.dns_failures = 85.0, 2
    one.deploy("test", **BOT)
    azure.throttles = 0
    azure.group("weu").deployments["stamp"] = azure.clock + 100
    one.deploy("test", **BOT)
    azure.broken["weu"] = "503, problems"
    one.fail("test")
    assert len([call for call in one.calls if "wait_until" in call]) == 1
    azure.broken.clear()
    azure.dns_after = -1
    assert "is not visible" in one.fail("test", DNS_WAIT_SECONDS="20")


@story
def trouble_stays(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", domain=None)
    one.azure.conflicts = 4
    assert "stopped at «Deploy weu»" in one.fail("test")
    one.deploy("test")
    one.azure.lag_seconds = 1e9
    one.prepare = lambda machine: setattr(machine, "build", "new")
    one.fail("test")
    assert len([call for call in one.calls if call.startswith("func azure")]) == 4
    assert one.calls.count("sleep 30") == 3
    one.azure.lag_seconds = 0.0
    one.deploy("test")
    assert len([call for call in one.calls if call.startswith("func azure")]) == 1
    one.azure.hosts["weu"] = ""
    assert "has no output regionHost" in one.fail("test")
    one.azure.hosts.clear()

    def end(machine: Machine) -> None:
        def interrupt(_number: int, _when: str) -> None:
            if "-n stamp" in machine.calls[-1]:
                raise KeyboardInterrupt

        machine.interrupt = interrupt

    one.prepare = end
    assert one.run("test") == 130
    one.prepare = lambda machine: setattr(
        machine, "fail", "account show --query tenant"
    )
    assert "Find out who" in one.fail("test")


@story
def an_app_is_elsewhere(make: Callable[[], Workstation]) -> None:
    """The description must say so before DNS does, and before code is published."""
    unique = "func-weu-a1b2.westeurope-01.azurewebsites.net"
    for members in ({}, {"domain": None}):
        one = make()
        one.describe("test", "weu", **members)
        one.azure.app_hosts["weu"] = unique
        for _attempt in range(2):
            failure = one.fail("test")
            assert f'Write "defaultHostName": "{unique}" into region weu' in failure
            assert one.azure.records == set()
            assert not one.azure.apps["weu"].build
        one.describe("test", "weu", hosts={"weu": unique}, **members)
        one.deploy("test")
        assert one.azure.apps["weu"].build
        one.azure.app_hosts.clear()
        failure = one.fail("test")
        assert "is at func-weu.azurewebsites.net, and others" in failure
        assert f"look for it at {unique}." in failure


@story
def an_expired_login(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu", domain=None)
    one.deploy("test")
    one.azure.is_expired = True
    assert "The login has expired" in one.fail("test")


@story
def what_would_stop_it(make: Callable[[], Workstation]) -> None:
    full = {f"other-{n}": {"subject": ""} for n in range(20)}
    for name, value, told in (
        ("versions", ("2.87.9", "0.49.2", "4.15.1"), "Azure CLI"),
        ("versions", ("2.88.0", "0.35.9", "4.15.1"), "Bicep"),
        ("versions", ("2.88.0", "0.36.0", "4.12.9"), "Core Tools"),
        ("unregistered", ("App",), "Microsoft.App is"),
        ("used_up", ("westeurope",), "FlexMemory"),
        ("certificate", "*.contoso.com", "is for *.contoso.com"),
        ("certificate", "", "has no certificate"),
        ("locations", ("eastus2",), "westeurope does not"),
        ("groups", {"rg-tmscalls-test-weu": Group(1, "x")}, "exists in x"),
        ("credentials", full, "federated credentials"),
        ("policy", "no", "Azure would refuse"),
        ("bots", {}, "there is no bot"),
    ):
        one = make()
        one.describe("test", "weu")
        setattr(one.azure, name, value)
        assert f"deploy: {told}" in one.fail("test", **BOT) or told in one.told
        assert one.told.count("deploy: ") == 2
        assert one.changes == []


@story
def what_would_not_stop_it(make: Callable[[], Workstation]) -> None:
    one = make()
    one.describe("test", "weu")
    one.azure.versions, one.azure.is_delegated = ("2.88.0", "0.36.0", "4.13.0"), False
    one.deploy("--preflight", "test", BOT_RESOURCE_GROUP="RG-Bots", **BOT)
    assert one.told.startswith("warning: calls.contoso.com is not delegated")
    assert [call for call in one.calls if "validate -g rg-shared" in call]
