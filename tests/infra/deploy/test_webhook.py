"""The bot's webhook: the last step of a deployment, checked, with a way back."""

import pytest

from tests.infra.deploy.azure import FORMER_WEBHOOK, WEBHOOK
from tests.infra.deploy.expected_calls import GLOBAL_GATE, WEBHOOK_PART
from tests.infra.deploy.workstation import Workstation

BOT = {"BOT_NAME": "bot-calls"}


@pytest.fixture
def not_registered(deployed: Workstation) -> Workstation:
    """Everything is deployed, and the bot still points elsewhere."""
    deployed.azure.webhook = FORMER_WEBHOOK
    return deployed


def test_the_webhook_is_registered_once_the_global_host_is_healthy(
    not_registered: Workstation,
) -> None:
    not_registered.deploy("test", **BOT)

    assert not_registered.changes[-2:] == [GLOBAL_GATE, WEBHOOK_PART]
    assert not_registered.azure.webhook == WEBHOOK
    assert not_registered.azure.harm == []


def test_the_former_webhook_is_printed_with_the_command_that_restores_it(
    not_registered: Workstation,
) -> None:
    printed = not_registered.deploy("test", **BOT)

    [line] = [line for line in printed.splitlines() if "It was" in line]
    assert line == (
        f"# It was {FORMER_WEBHOOK} before. To put that back: az rest --method put"
        " --url '/subscriptions/s/resourceGroups/rg-bots/bots/bot-calls/channels/"
        "MsTeamsChannel?api-version=2022-09-15' --body"
        ' \'{"location":"global","properties":{"channelName":"MsTeamsChannel",'
        '"properties":{"acceptedTerms":true,"isEnabled":true,"enableCalling":true,'
        f'"callingWebhook":"{FORMER_WEBHOOK}"}}}}}}\''
    )


def test_a_webhook_that_is_right_is_left_alone(deployed: Workstation) -> None:
    printed = deployed.deploy("test", **BOT)

    assert WEBHOOK_PART not in deployed.calls
    assert "It was" not in printed


def test_a_bot_that_had_none_has_no_former_webhook(not_registered: Workstation) -> None:
    not_registered.azure.webhook = ""

    printed = not_registered.deploy("test", **BOT)

    assert "It was" not in printed
    assert not_registered.azure.webhook == WEBHOOK


def test_what_azure_kept_is_checked(not_registered: Workstation) -> None:
    """It was seen to ignore a webhook with a warning only."""
    not_registered.azure.forgets_webhook = True

    told = not_registered.fail("test", **BOT)

    assert f"the bot's webhook is «{FORMER_WEBHOOK}» and not this environment's" in told


def test_without_a_bot_the_webhook_is_not_touched(not_registered: Workstation) -> None:
    not_registered.deploy("test")

    assert not_registered.azure.webhook == FORMER_WEBHOOK
    assert not [call for call in not_registered.calls if "/channels" in call]


def test_the_webhook_waits_for_the_global_host(not_registered: Workstation) -> None:
    """All regions may be healthy while the alias leads nowhere."""
    not_registered.prepare = lambda machine: setattr(machine, "fail", GLOBAL_GATE)

    told = not_registered.fail("test", **BOT)

    assert "the bot's webhook was not touched." in told
    assert "stopped at «Wait until the global host is healthy»" in told
    assert not_registered.azure.webhook == FORMER_WEBHOOK


def test_the_webhook_waits_for_every_region(not_registered: Workstation) -> None:
    """Also for those that were not deployed this time; drained ones do not count."""
    not_registered.azure.broken["eus2"] = "503"

    told = not_registered.fail("--region", "weu", "test", **BOT)

    assert "Traffic Manager does not find eus2 healthy; the bot's webhook was" in told
    assert not_registered.azure.webhook == FORMER_WEBHOOK
    not_registered.azure.endpoints["eus2"].is_enabled = False
    not_registered.deploy("--region", "weu", "test", **BOT)
    assert not_registered.azure.webhook == WEBHOOK


def test_an_unhealthy_neighbour_stops_nothing_once_the_webhook_is_right(
    deployed: Workstation,
) -> None:
    deployed.azure.broken["eus2"] = "503"

    deployed.deploy("--region", "weu", "test", **BOT)


def test_a_region_that_was_drained_by_hand_stays_so_when_the_webhook_is_registered(
    not_registered: Workstation,
) -> None:
    not_registered.deploy("--drain", "eus2", "test")

    not_registered.deploy("test", **BOT)

    assert not not_registered.azure.endpoints["eus2"].is_enabled
    assert not_registered.azure.webhook == WEBHOOK
