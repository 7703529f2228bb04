"""Checks of what looks from outside: availability tests, and what Azure announces."""

import re

from tests.infra.checks import check
from tests.infra.templates import (
    INSIGHTS,
    SUBSCRIPTION,
    Resource,
    Snapshot,
    Templates,
)

_ALERTS = "modules/alerts.bicep"
_CERTIFICATE = "modules/hostCertificate.bicep"
_ANNOUNCED = "modules/serviceHealth.bicep"
ANNOUNCEMENTS = "Microsoft.Insights/activityLogAlerts"
METRIC_ALERTS = "Microsoft.Insights/metricAlerts"
WEBTESTS = "Microsoft.Insights/webtests"


@check(
    (_ALERTS, "windowSize: 'PT30M'", "windowSize: 'PT15M'"),
    (_ALERTS, "Frequency: 900", "Frequency: 1800"),
    (_CERTIFICATE, "windowSize: 'PT30M'", "windowSize: 'PT15M'"),
)
def test_every_place_of_a_test_counts_twice(templates: Templates) -> None:
    region = templates.regional()
    for test in region.all(WEBTESTS):
        window = re.fullmatch(r"PT(\d+)M", _alert_of(test, region)["windowSize"])
        assert window
        assert int(window[1]) * 60 >= 2 * test["properties"]["Frequency"]


@check(
    (_ALERTS, "SSLCheck: true", "SSLCheck: false"),
    (_CERTIFICATE, "LifetimeCheck: 30", "LifetimeCheck: 3"),
    ("regional.bicep", "Names ? hosts[region.code]", "Names ? globalHost(domain)"),
)
def test_the_host_that_redirects_name_is_tried_from_outside(
    templates: Templates,
) -> None:
    """Its certificate is checked, too: Traffic Manager does not look at that."""
    for environment in ("prod", "dev"):
        region = templates.regional(environment)
        host = region.outputs["regionHost"]
        insights = region.one(INSIGHTS)["id"]
        reached, certificate = region.all(WEBTESTS)
        for test in (reached, certificate):
            properties = test["properties"]
            assert properties["Request"]["RequestUrl"] == f"https://{host}/api/health"
            assert properties["ValidationRules"]["SSLCheck"] is True
            assert test["tags"][f"hidden-link:{insights}"] == "Resource"
            criteria = _alert_of(test, region)["criteria"]
            assert criteria["componentId"] == insights
        rules = reached["properties"]["ValidationRules"]
        assert rules["ExpectedHttpStatusCode"] == 200
        assert rules["SSLCertRemainingLifetimeCheck"] >= 7
        failed = _alert_of(reached, region)["criteria"]["failedLocationCount"]
        assert failed < len(reached["properties"]["Locations"])
        rules = certificate["properties"]["ValidationRules"]
        assert rules["IgnoreHttpStatusCode"] is True
        assert rules["SSLCertRemainingLifetimeCheck"] == 30


@check(
    (_ANNOUNCED, "equals: 'ServiceHealth'", "equals: 'Administrative'"),
    (_ANNOUNCED, "westeurope: 'West Europe'", "westeurope: 'westeurope'"),
    (_ANNOUNCED, "scopes: [subscription().id]", "scopes: [resourceGroup().id]"),
)
def test_what_azure_announces_for_a_region_is_told(templates: Templates) -> None:
    """Service Health names regions as people do; an unknown one gets everything."""
    places = {"weu": "West Europe", "eus2": "East US 2", "sea": "Southeast Asia"}
    for code, place in places.items():
        alert = templates.regional(
            code=code, target={"location": place.lower().replace(" ", "")}
        ).properties(ANNOUNCEMENTS)
        assert alert["scopes"] == [f"/subscriptions/{SUBSCRIPTION}"]
        category, _kinds, region = alert["condition"]["allOf"]
        assert category == {"field": "category", "equals": "ServiceHealth"}
        assert region["containsAny"] == [place, "Global"]
    elsewhere = templates.regional(target={"location": "moonbase"})
    assert len(elsewhere.properties(ANNOUNCEMENTS)["condition"]["allOf"]) == 2


def _alert_of(test: Resource, region: Snapshot) -> Resource:
    """Return the alert that looks at an availability test."""
    [properties] = [
        alert["properties"]
        for alert in region.all(METRIC_ALERTS)
        if alert["properties"]["criteria"].get("webTestId") == test["id"]
    ]
    return properties
