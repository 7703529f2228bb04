"""What the templates and parameter files refuse, and which files there are."""

import pytest

from infra.bicep import BicepError
from tests.infra.templates import Templates

LOOP = "A host of a region belongs to Traffic Manager"
EMPTY = "The list of regions is empty: an environment needs at least one."
LABEL = "The region global has the label of the global host"
REFUSED: list[tuple[dict[str, object], str]] = [
    ({"regions": []}, EMPTY),
    ({"regions.1.code": "weu"}, "Two regions have the same code: weu, weu, sea."),
    ({"regions.1.code": "global", "rules": []}, LABEL),
    ({"regions.1.defaultHostName": "x.trafficmanager.net"}, LOOP),
    ({"domain.zone": "x.TrafficManager.net"}, LOOP),
    ({"regions.0.loction": "westeurope"}, "['loction']"),
    ({"regions.0.location": ...}, "location"),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_both_templates_refuse_the_worst(
    changes: dict[str, object], sentence: str, templates: Templates
) -> None:
    """The templates may be deployed without the check of descriptions."""
    edited = templates.with_description("prod", changes)
    for deploy in (edited.regional, edited.global_part):
        with pytest.raises(BicepError) as refusal:
            deploy()
        assert sentence in str(refusal.value)


def test_a_rule_that_names_no_region_is_refused(templates: Templates) -> None:
    edited = templates.with_description("prod", {"rules.0.regions": ["weu", "xx"]})
    with pytest.raises(BicepError, match="does not have: xx"):
        edited.regional()


def test_a_region_that_is_none_is_refused_with_those_there_are(
    templates: Templates,
) -> None:
    with pytest.raises(BicepError, match=r"REGION is «wue».* it has: weu, eus2, sea"):
        templates.regional(code="wue")


def test_service_tags_alone_would_shut_out_whoever_deploys(
    templates: Templates,
) -> None:
    line = "param allowedServiceTags = ['AzureCloud']"
    edited = templates.with_parameter("params/prod.regional.bicepparam", line)
    with pytest.raises(BicepError, match="needs allowedAddresses"):
        edited.regional()


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
    """It is read without a default, and here under a name that nobody has set."""
    reads = "readEnvironmentVariable('{}')"
    files = templates.with_text(file, reads.format(name), reads.format("NOT_SET")).files
    with pytest.raises(BicepError) as refusal:
        templates.compiler.snapshot(files, file, {"resourceGroup": "rg"})
    assert 'Environment variable "NOT_SET" does not exist' in str(refusal.value)


def test_there_are_enough_environments_and_no_global_part_without_a_domain(
    templates: Templates,
) -> None:
    """A default host name cannot go through Traffic Manager with TLS."""
    files = {name for name in templates.files if name.endswith(".bicepparam")}
    assert files == {
        "params/dev.regional.bicepparam",
        "params/prod.global.bicepparam",
        "params/prod.regional.bicepparam",
        "params/shared.bicepparam",
    }
    assert len(templates.codes("prod")) == 3
    assert templates.description("dev")["domain"] is None
