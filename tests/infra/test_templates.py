"""What the templates and parameter files refuse, and which files there are."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.bicep import BicepError
from tests.infra.templates import Templates

type Edit = Callable[[dict[str, Any]], object]

LOOP = "A host of a region belongs to Traffic Manager"
REFUSED: list[tuple[Edit, str]] = [
    (
        lambda d: d.update(regions=[]),
        "The list of regions is empty: an environment needs at least one.",
    ),
    (
        lambda d: d["regions"][1].update(code="weu"),
        "Two regions have the same code: weu, weu, sea.",
    ),
    (
        lambda d: (d["regions"][1].update(code="global"), d.update(rules=[])),
        "The region global has the label of the global host",
    ),
    (lambda d: d["regions"][1].update(defaultHostName="x.trafficmanager.net"), LOOP),
    (lambda d: d["domain"].update(zone="x.TrafficManager.net"), LOOP),
    (lambda d: d["regions"][0].update(loction="westeurope"), "['loction']"),
    (lambda d: d["regions"][0].pop("location"), "location"),
]


@pytest.mark.parametrize(("edit", "sentence"), REFUSED)
def test_both_templates_refuse_the_worst(
    edit: Edit, sentence: str, templates: Templates
) -> None:
    """The templates may be deployed without the check of descriptions."""
    edited = templates.with_description("prod", edit)
    for deploy in (edited.regional, edited.global_part):
        with pytest.raises(BicepError) as refusal:
            deploy()
        assert sentence in str(refusal.value)


def test_a_rule_that_names_no_region_is_refused(templates: Templates) -> None:
    edited = templates.with_description(
        "prod", lambda d: d["rules"][0].update(regions=["weu", "xx"])
    )
    with pytest.raises(BicepError, match="does not have: xx"):
        edited.regional()


def test_a_region_that_is_none_is_refused_with_those_there_are(
    templates: Templates,
) -> None:
    with pytest.raises(BicepError, match=r"REGION is «wue».* it has: weu, eus2, sea"):
        templates.regional(code="wue")


def test_an_application_id_that_is_none_is_refused(templates: Templates) -> None:
    with pytest.raises(BicepError, match="minimum allowable length is 36"):
        templates.regional(MICROSOFT_APP_ID="my-bot")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("params/prod.regional.bicepparam", "REGION"),
        ("params/prod.regional.bicepparam", "MICROSOFT_APP_ID"),
        ("params/prod.regional.bicepparam", "LOG_ANALYTICS_WORKSPACE_ID"),
        ("params/prod.global.bicepparam", "CUSTOM_DOMAIN_VERIFICATION_ID"),
    ],
)
def test_a_variable_that_is_missing_is_named(
    file: str, name: str, templates: Templates
) -> None:
    with pytest.raises(BicepError) as refusal:
        templates.compiler.snapshot(templates.files, file, {"resourceGroup": "rg"})
    assert f'Environment variable "{name}" does not exist' in str(refusal.value)


def test_there_are_enough_environments_and_no_global_part_without_a_domain(
    templates: Templates,
) -> None:
    """A default host name cannot go through Traffic Manager with TLS."""
    files = {name for name in templates.files if name.endswith(".bicepparam")}
    assert files == {
        "params/dev.regional.bicepparam",
        "params/prod.global.bicepparam",
        "params/prod.regional.bicepparam",
    }
    assert len(templates.codes("prod")) == 3
    assert templates.description("dev")["domain"] is None
