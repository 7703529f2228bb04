"""What the simulator makes of an environment file: zones, names, app settings."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.environment import Environment, EnvironmentFileError
from shared.settings import read_settings
from tests.simulator.environment.own_variables import own_variables
from tests.simulator.platform.callers import CALLERS
from tests.simulator.services.places import LOCATIONS, distance_km
from tests.support.checkout import CHECKOUT

PARAMS = CHECKOUT / "infra" / "params"


def write(folder: Path, **changes: Any) -> Path:
    """Write prod's description with some members changed."""
    description = json.loads((PARAMS / "prod.json").read_text())
    file = folder / "prod.json"
    file.write_text(json.dumps({**description, **changes}))
    return file


def test_prod_has_a_host_for_each_region_and_one_for_all() -> None:
    file = Environment.read(PARAMS / "prod.json")

    assert [region.code for region in file.regions] == ["weu", "eus2", "sea"]
    assert file.global_name == "global.calls.contoso.com"
    assert file.host_name("sea") == "sea.calls.contoso.com"


def test_the_app_accepts_the_settings_of_every_region() -> None:
    file = Environment.read(PARAMS / "prod.json")
    for region in file.regions:
        settings = file.app_settings(region.code, port=4430, rules=file.rules)
        settings["MicrosoftAppId"] = "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10"
        report = read_settings(settings)

        assert report.problems == ()
        assert report.settings is not None
        assert report.settings.region_hosts["sea"] == "sea.calls.contoso.com:4430"
        assert settings["CALLING_GLOBAL_HOST"] == "global.calls.contoso.com:4430"


def test_an_environment_without_domain_gets_one_that_belongs_to_nobody() -> None:
    file = Environment.read(PARAMS / "dev.json")

    assert file.zone == "tmscalls.test"
    assert file.app_settings("weu", port=1, rules=[])["CALLING_GLOBAL_HOST"] == ""


def test_a_file_that_would_not_deploy_is_refused_with_reasons(tmp_path: Path) -> None:
    """The sentences are those of the check before a deployment."""
    with pytest.raises(EnvironmentFileError, match="nowhere"):
        Environment.read(write(tmp_path, rules=[{"regions": ["nowhere"]}]))
    with pytest.raises(EnvironmentFileError, match="no such file"):
        Environment.read(tmp_path / "other.json")


def test_a_disabled_region_and_further_settings_are_read(tmp_path: Path) -> None:
    regions = [
        {"code": "weu", "location": "westeurope"},
        {"code": "sea", "location": "southeastasia", "enabled": False},
    ]
    settings = {"CALLING_PARTITIONS": '["media-a"]'}
    file = Environment.read(
        write(tmp_path, regions=regions, rules=[], settings=settings)
    )

    assert [region.is_enabled for region in file.regions] == [True, False]
    made = file.app_settings("weu", port=1, rules=[])
    assert made["CALLING_PARTITIONS"] == '["media-a"]'


def test_every_location_that_a_file_may_name_is_on_the_map() -> None:
    from infra.checks.limits import LOCATIONS as known  # noqa: N811, PLC0415

    assert set(LOCATIONS) == known
    assert {caller.location for caller in CALLERS.values()} <= known
    assert len({caller.address for caller in CALLERS.values()}) == len(CALLERS)


def test_regions_see_the_variables_of_a_bot_and_no_setting_of_the_machine() -> None:
    own = {"PIN_SERVICE": "https://pins.test", "https_proxy": "http://proxy.test"}
    others = (
        "CALLING_TENANTS",
        "AZURE_CLIENT_ID",
        "AzureWebJobsStorage",
        "IDENTITY_ENDPOINT",
        "MicrosoftAppPassword",
        "PYTHONPATH",
        "WEBSITE_HOSTNAME",
    )

    assert own_variables({**own, **dict.fromkeys(others, "x")}) == own


@pytest.mark.parametrize(
    ("location", "other", "kilometres"),
    [
        ("westeurope", "northeurope", 750),
        ("eastus2", "westeurope", 6_300),
        ("southeastasia", "australiaeast", 6_300),
    ],
)
def test_distances_are_those_of_the_globe(
    location: str, other: str, kilometres: float
) -> None:
    assert distance_km(location, other) == pytest.approx(kilometres, rel=0.1)
