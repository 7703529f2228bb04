"""Draining, letting in and removing regions by hand."""

import pytest

from tests.infra.deploy.expected_calls import GROUP_ID, global_part, switch, turn
from tests.infra.deploy.workstation import Workstation

DAY = 86_400


def test_a_drained_region_gets_no_calls_and_is_marked(deployed: Workstation) -> None:
    printed = deployed.deploy("--drain", "eus2", "test")

    mark = f"az tag update --resource-id {GROUP_ID} --operation Merge"
    assert deployed.changes == [
        f"{mark} --tags drained_eus2=by-hand -o none",
        switch("eus2", "Disabled"),
    ]
    assert deployed.calls[-1] == "sleep 65"
    assert "follow-ups of running calls still arrive" in printed


def test_the_last_region_cannot_be_drained(deployed: Workstation) -> None:
    deployed.deploy("--drain", "eus2", "test")

    told = deployed.fail("--drain", "weu", "test")

    assert "deploy: no other region is online to take the calls of weu.\n" in told
    assert deployed.changes == []


def test_a_region_that_was_drained_by_hand_stays_so_until_it_is_let_in(
    deployed: Workstation,
) -> None:
    """Whatever is deployed in between."""
    deployed.deploy("--drain", "eus2", "test")

    printed = deployed.deploy("test")

    assert deployed.changes[0] == global_part("eus2")
    assert (
        "# eus2 was drained by hand and stays so: infra/deploy.sh --undrain" in printed
    )
    assert not deployed.azure.endpoints["eus2"].is_enabled

    deployed.deploy("--undrain", "eus2", "test")

    assert deployed.azure.is_online("eus2")
    assert deployed.azure.group("global").tags == {}
    deployed.deploy("test")
    assert deployed.azure.is_online("eus2")


def test_letting_in_takes_back_what_an_interrupted_deployment_left(
    deployed: Workstation,
) -> None:
    """There is no mark to delete then."""
    deployed.azure.endpoints["eus2"].is_enabled = False

    deployed.deploy("--undrain", "eus2", "test")

    assert deployed.changes == [switch("eus2", "Enabled")]


def test_letting_in_an_unhealthy_region_is_told(deployed: Workstation) -> None:
    deployed.deploy("--drain", "eus2", "test")
    deployed.azure.broken["eus2"] = "503"

    told = deployed.fail("--undrain", "eus2", "test")

    assert "Traffic Manager does not find eus2 healthy" in told


@pytest.mark.parametrize("option", ["--drain", "--undrain"])
def test_without_a_domain_nothing_can_be_drained(
    option: str, workstation: Workstation
) -> None:
    workstation.describe("test", "weu", "eus2", domain=None)

    told = workstation.fail(option, "weu", "test")

    assert told == "deploy: test has no domain, and so no Traffic Manager.\n"
    assert workstation.calls == []


def test_before_the_first_deployment_nothing_can_be_drained(
    workstation: Workstation,
) -> None:
    workstation.describe("test", "weu", "eus2")
    workstation.azure.groups.clear()

    told = workstation.fail("--drain", "weu", "test")

    assert "stopped at «Drain weu»" in told


@pytest.fixture
def forgotten(deployed: Workstation) -> Workstation:
    """``eus2`` has left the description, and the other region knows that."""
    deployed.describe("test", "weu")
    deployed.deploy("test")
    return deployed


def test_removing_a_region_deletes_its_records_and_a_day_later_the_rest(
    forgotten: Workstation,
) -> None:
    """A name may be cached for longer than it should; the app serves it meanwhile."""
    printed = forgotten.deploy("--remove", "eus2", "test")

    assert "# infra/deploy.sh --remove eus2 test\n" in printed
    assert not {"eus2", "asuid.eus2"} & forgotten.azure.records
    assert "rg-tmscalls-test-eus2" in forgotten.azure.groups

    told = forgotten.fail("--remove", "eus2", "test")
    assert "less than a day ago" in told

    forgotten.azure.clock += DAY
    forgotten.deploy("--remove", "eus2", "test")

    assert "rg-tmscalls-test-eus2" not in forgotten.azure.groups
    assert list(forgotten.azure.credentials) == ["tmscalls-test-weu"]
    assert forgotten.azure.group("global").tags == {}
    assert forgotten.azure.harm == []


def test_a_region_that_another_one_knows_is_not_removed(deployed: Workstation) -> None:
    """It would still send calls there."""
    deployed.describe("test", "weu")

    told = deployed.fail("--remove", "eus2", "test")

    assert "weu may still send calls to eus2: run infra/deploy.sh test first." in told
    assert deployed.changes == []


def test_a_region_that_traffic_manager_knows_is_not_removed(
    forgotten: Workstation, deployed: Workstation
) -> None:
    forgotten.azure.endpoints["eus2"] = forgotten.azure.endpoints["weu"]

    told = forgotten.fail("--remove", "eus2", "test")

    assert "Traffic Manager still sends calls to eus2" in told
    assert forgotten.changes == []


@pytest.mark.parametrize("code", ["weu", "global"])
def test_what_the_description_names_is_not_removed(
    code: str, deployed: Workstation
) -> None:
    """Nor is the part that all regions share."""
    told = deployed.fail("--remove", code, "test")

    assert told.startswith(f"deploy: {code} is still in infra/params/test.json.")
    assert deployed.calls == []


def test_without_a_domain_a_region_is_removed_at_once(workstation: Workstation) -> None:
    """It has no records, and no name but its own."""
    workstation.describe("test", "weu", "eus2", domain=None)
    workstation.deploy("test")
    workstation.describe("test", "weu", domain=None)
    workstation.deploy("test")

    workstation.deploy("--remove", "eus2", "test")

    assert "rg-tmscalls-test-eus2" not in workstation.azure.groups
    assert list(workstation.azure.credentials) == ["tmscalls-test-weu"]


def test_removing_twice_changes_nothing(forgotten: Workstation) -> None:
    forgotten.deploy("--remove", "eus2", "test")
    forgotten.azure.clock += DAY
    forgotten.deploy("--remove", "eus2", "test")

    forgotten.deploy("--remove", "eus2", "test")

    assert forgotten.changes == []


def test_a_region_that_an_interrupted_run_left_drained_is_told(
    deployed: Workstation,
) -> None:
    """A deployment of another region does not let it in."""
    deployed.azure.endpoints["eus2"].is_enabled = False

    printed = deployed.deploy("--region", "weu", "test")

    told = "# Regions that get no calls: eus2. To let one in: infra/deploy.sh --undrain"
    assert told in printed
    assert "Regions that get no calls:" not in deployed.deploy("test")


def test_a_drained_region_is_told_from_its_neighbour(deployed: Workstation) -> None:
    deployed.deploy("--drain", "eus2", "test")

    deployed.deploy("test")

    assert deployed.changes[1:5] == turn("weu", is_drained=False)
