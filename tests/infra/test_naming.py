"""Checks of names and hosts: legal, the same everywhere, each environment's own."""

import json
import re
from typing import Any

from infra.checks import limits
from tests.infra.checks import check
from tests.infra.templates import SUBSCRIPTION, Snapshot, Templates

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
RULES = {
    "Microsoft.Web/sites": r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,58}[a-zA-Z0-9])?",
    "Microsoft.Web/serverfarms": r"[\w-]{1,60}",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": (
        r".+/[a-z0-9](?:-?[a-z0-9]){2,62}"
    ),
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.Insights/components": r"[\w().-]{1,259}[\w()-]",
    "Microsoft.Insights/metricAlerts": r"[^*#&+:<>?@%{}\\/|]{1,259}[^ .]",
    "Microsoft.Insights/scheduledQueryRules": r"[^*#&+:<>?@%{}\\/|]{1,259}[^ .]",
    "Microsoft.Network/trafficmanagerprofiles": r"[a-z0-9](?:-?[a-z0-9]){0,31}",
}
# Their names are shared by all of Azure.
WORLDWIDE = (
    "Microsoft.Web/sites",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Network/trafficmanagerprofiles",
)


def _hosts(snapshot: Snapshot) -> dict[str, str]:
    hosts: dict[str, str] = json.loads(snapshot.app_settings["CALLING_REGION_HOSTS"])
    return hosts


def _names(snapshot: Snapshot) -> list[str]:
    return [resource["id"] for resource in snapshot.resources]


def _deployments(templates: Templates) -> list[Snapshot]:
    regional = [
        templates.regional(environment, code)
        for environment in ("prod", "dev")
        for code in templates.codes(environment)
    ]
    return [*regional, templates.global_part()]


@check(("topology.bicep", "'')}${token}'", "'')}${token}${token}'"))
def test_names_are_legal(templates: Templates) -> None:
    names = [
        (resource["type"], resource["name"])
        for deployment in _deployments(templates)
        for resource in deployment.resources
    ]
    for kind, name in names:
        if kind in RULES:
            assert re.fullmatch(RULES[kind], name), f"{kind} {name}"
    assert {kind for kind, _ in names} >= set(RULES)


@check(("topology.bicep", "'func-${stem}-${token}'", "'app-${stem}-${token}'"))
def test_names_are_those_that_the_description_is_checked_for(
    templates: Templates,
) -> None:
    """The check of descriptions knows the length of every name."""
    longest = templates.with_description(
        "dev", lambda d: d["regions"][0].update(code="abcde")
    )
    for tried, environment, code in (
        (templates, "prod", "eus2"),
        (templates, "dev", "weu"),
        (longest, "dev", "abcde"),
    ):
        snapshot = tried.regional(environment, code)
        found = {
            "function app": snapshot.one("Microsoft.Web/sites")["name"],
            "storage account": snapshot.one("Microsoft.Storage/storageAccounts")[
                "name"
            ],
        }
        expected = {
            name.resource: name for name in limits.names("tmscalls", environment, code)
        }
        for resource, name in found.items():
            stem = expected[resource].name.removesuffix("xxxxxx")
            assert re.fullmatch(rf"{stem}[a-z0-9]{{6}}", name)
            assert len(name) <= expected[resource].max_length


@check(("regional.bicep", "  usableRegions,\n", "  [region],\n"))
def test_every_region_knows_the_same_hosts(templates: Templates) -> None:
    """The global part and the outputs agree with them."""
    shared = templates.global_part()
    expected = shared.outputs["regionHosts"]
    assert list(expected) == templates.codes("prod")
    targets = {
        endpoint["name"]: endpoint["properties"]["target"]
        for endpoint in shared.one("Microsoft.Network/trafficmanagerprofiles")[
            "properties"
        ]["endpoints"]
    }
    assert targets == expected
    for code in templates.codes("prod"):
        region = templates.regional(code=code)
        assert _hosts(region) == expected
        assert region.outputs["regionHost"] == expected[code]
        assert region.app_settings["CALLING_REGION"] == code


@check(("regional.bicep", "'id-${stem}'", "'id-${stem}-${usableRegions[0].code}'"))
def test_order_changes_no_name(templates: Templates) -> None:
    """Regions may be listed and deployed in any order."""
    turned = templates.with_description("prod", lambda d: d["regions"].reverse())
    assert _hosts(turned.regional()) == _hosts(templates.regional())
    assert _names(turned.regional()) == _names(templates.regional())
    assert sorted(_names(turned.global_part())) == sorted(
        _names(templates.global_part())
    )


@check(("regional.bicep", "'id-${stem}'", "'id-${stem}-${deployment().name}'"))
def test_the_name_of_the_deployment_changes_nothing(templates: Templates) -> None:
    first = templates.regional(target={"deploymentName": "first"})
    assert first.resources == templates.regional().resources


@check(
    ("topology.bicep", "String(subscriptionId, ", "String(take(subscriptionId, 0), ")
)
def test_worldwide_names_differ_between_subscriptions(templates: Templates) -> None:
    other = {"subscriptionId": SUBSCRIPTION.replace("0", "9")}
    for mine, theirs in (
        (templates.regional(), templates.regional(target=other)),
        (templates.global_part(), templates.global_part(target=other)),
    ):
        _assert_no_name_in_common(mine, theirs)


@check(
    (
        "topology.bicep",
        "workload, environmentName), 6",
        "workload, take(environmentName, 0)), 6",
    )
)
def test_worldwide_names_differ_between_environments(templates: Templates) -> None:
    _assert_no_name_in_common(templates.regional(), templates.regional("dev"))
    _assert_no_name_in_common(
        templates.with_description(
            "dev", lambda d: d.update(workload="other")
        ).regional("dev"),
        templates.regional("dev"),
    )


def _assert_no_name_in_common(one: Snapshot, other: Snapshot) -> None:
    for kind in WORLDWIDE:
        names = [{r["name"] for r in snapshot.all(kind)} for snapshot in (one, other)]
        assert not names[0] & names[1], f"{kind} {names[0]}"
    tokens = [_token(snapshot) for snapshot in (one, other)]
    assert tokens[0] != tokens[1], "only the words differ, which anybody may choose"


def _token(snapshot: Snapshot) -> str:
    kind = next(kind for kind in WORLDWIDE if snapshot.all(kind))
    return str(snapshot.one(kind)["name"])[-6:]


@check(("topology.bicep", "null ? ''", "null ? 'azurewebsites.net'"))
def test_a_region_without_a_domain_has_the_default_host_of_its_app(
    templates: Templates,
) -> None:
    """A global host would be the same, so there is none."""
    region = templates.regional("dev")
    name = region.one("Microsoft.Web/sites")["name"]
    assert _hosts(region) == {"weu": f"{name}.azurewebsites.net"}
    assert region.outputs["regionHost"] == f"{name}.azurewebsites.net"
    assert region.app_settings["CALLING_GLOBAL_HOST"] == ""
    assert not region.all("Microsoft.Web/sites/hostNameBindings")
    assert not region.all("Microsoft.Web/sites/certificates")


@check(("topology.bicep", "region.?defaultHostName ?? '${", "'${"))
def test_a_default_host_that_azure_made_unique_is_taken_from_the_list(
    templates: Templates,
) -> None:
    """The region's host is an alias of it, or is it where there is no domain."""
    unique = "func-x-a1b2c3d4.westeurope-01.azurewebsites.net"

    def name_it(description: dict[str, Any]) -> None:
        description["regions"][0]["defaultHostName"] = unique

    assert _hosts(templates.with_description("dev", name_it).regional("dev")) == {
        "weu": unique
    }
    named = templates.with_description("prod", name_it)
    assert named.regional().outputs["regionHost"] == "weu.calls.contoso.com"
    aliases = named.global_part().all("Microsoft.Network/dnsZones/CNAME")
    assert unique in [a["properties"]["CNAMERecord"]["cname"] for a in aliases]
    made = templates.with_parameter(
        "params/dev.regional.bicepparam", "param uniqueDefaultHostName = true"
    ).regional("dev")
    site = made.one("Microsoft.Web/sites")["properties"]
    assert site["autoGeneratedDomainNameLabelScope"] == "TenantReuse"


@check(("topology.bicep", "'usgovtrafficmanager.net'", "'trafficmanager.net'"))
def test_azure_government_has_domains_of_its_own(templates: Templates) -> None:
    def move(description: dict[str, Any]) -> None:
        for region in description["regions"]:
            region["location"] = "usgovvirginia"

    moved = templates.with_description("prod", move).global_part()
    assert moved.outputs["trafficManagerHost"].endswith(".usgovtrafficmanager.net")
    hosts = [
        alias["properties"]["CNAMERecord"]["cname"]
        for alias in moved.all("Microsoft.Network/dnsZones/CNAME")
    ]
    assert len([host for host in hosts if host.endswith(".azurewebsites.us")]) == 3
