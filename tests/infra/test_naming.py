"""Checks of names and hosts: legal, the same everywhere, each environment's own."""

import re

from infra.checks import limits
from tests.infra.checks import check
from tests.infra.templates import (
    CONTAINER,
    PROFILE,
    SITE,
    STORAGE,
    SUBSCRIPTION,
    Snapshot,
    Templates,
)

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
RULES = {
    SITE: r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,58}[a-zA-Z0-9])?",
    "Microsoft.Web/serverfarms": r"[\w-]{1,60}",
    STORAGE: r"[a-z0-9]{3,24}",
    CONTAINER: r".+/[a-z0-9](?:-?[a-z0-9]){2,62}",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.Insights/components": r"[\w().-]{1,259}[\w()-]",
    "Microsoft.Insights/metricAlerts": r"[^*#&+:<>?@%{}\\/|]{1,259}[^ .]",
    "Microsoft.Insights/scheduledQueryRules": r"[^*#&+:<>?@%{}\\/|]{1,259}[^ .]",
    PROFILE: r"[a-z0-9](?:-?[a-z0-9]){0,31}",
}
# Their names are shared by all of Azure.
WORLDWIDE = (SITE, STORAGE, PROFILE)


def _names(snapshot: Snapshot) -> list[str]:
    return [resource["id"] for resource in snapshot.resources]


@check(("topology.bicep", "'')}${token}'", "'')}${token}${token}'"))
def test_names_are_legal(templates: Templates) -> None:
    regions = [region for _environment, _code, region in templates.regions()]
    names = [
        (resource["type"], resource["name"])
        for deployment in (*regions, templates.global_part())
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
    longest = templates.with_description("dev", {"regions.0.code": "abcde"})
    kinds = {"function app": SITE, "storage account": STORAGE}
    for tried, environment, code in (
        (templates, "prod", "eus2"),
        (templates, "dev", "weu"),
        (longest, "dev", "abcde"),
    ):
        snapshot = tried.regional(environment, code)
        checked = {n.resource: n for n in limits.names("tmscalls", environment, code)}
        for resource, kind in kinds.items():
            name = snapshot.one(kind)["name"]
            stem = checked[resource].name.removesuffix("xxxxxx")
            assert re.fullmatch(rf"{stem}[a-z0-9]{{6}}", name)
            assert len(name) <= checked[resource].max_length


@check(("regional.bicep", "  usableRegions,\n", "  [region],\n"))
def test_every_region_knows_the_same_hosts(templates: Templates) -> None:
    """The global part and the outputs agree with them."""
    shared = templates.global_part()
    expected = shared.outputs["regionHosts"]
    assert list(expected) == templates.codes("prod")
    endpoints = shared.properties(PROFILE)["endpoints"]
    assert {one["name"]: one["properties"]["target"] for one in endpoints} == expected
    for code in templates.codes("prod"):
        region = templates.regional(code=code)
        assert region.region_hosts == expected
        assert region.outputs["regionHost"] == expected[code]
        assert region.app_settings["CALLING_REGION"] == code


@check(("regional.bicep", "'id-${stem}'", "'id-${stem}-${usableRegions[0].code}'"))
def test_order_changes_no_name(templates: Templates) -> None:
    """Regions may be listed and deployed in any order."""
    regions = templates.description("prod")["regions"]
    turned = templates.with_description("prod", {"regions": regions[::-1]})
    assert turned.regional().region_hosts == templates.regional().region_hosts
    assert _names(turned.regional()) == _names(templates.regional())
    shared, expected = turned.global_part(), templates.global_part()
    assert sorted(_names(shared)) == sorted(_names(expected))


@check(("regional.bicep", "'id-${stem}'", "'id-${stem}-${deployment().name}'"))
def test_the_name_of_the_deployment_changes_nothing(templates: Templates) -> None:
    first = templates.regional(target={"deploymentName": "first"})
    assert first.resources == templates.regional().resources


@check(
    ("topology.bicep", "String(subscriptionId, ", "String(take(subscriptionId, 0), ")
)
def test_worldwide_names_differ_between_subscriptions(templates: Templates) -> None:
    other = {"subscriptionId": SUBSCRIPTION.replace("0", "9")}
    for predict in (templates.regional, templates.global_part):
        _assert_no_name_in_common(predict(), predict(target=other))


@check(("topology.bicep", "workload, environmentName), 6", "workload, workload), 6"))
def test_worldwide_names_differ_between_environments(templates: Templates) -> None:
    _assert_no_name_in_common(templates.regional(), templates.regional("dev"))
    other = templates.with_description("dev", {"workload": "other"})
    _assert_no_name_in_common(other.regional("dev"), templates.regional("dev"))


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
    host = f"{region.app_name}.azurewebsites.net"
    assert region.region_hosts == {"weu": host}
    assert region.outputs["regionHost"] == host
    assert region.app_settings["CALLING_GLOBAL_HOST"] == ""
    assert not region.all("Microsoft.Web/sites/hostNameBindings")
    assert not region.all("Microsoft.Web/sites/certificates")


@check(("topology.bicep", "region.?defaultHostName ?? '${", "'${"))
def test_a_default_host_that_azure_made_unique_is_taken_from_the_list(
    templates: Templates,
) -> None:
    """The region's host is an alias of it, or is it where there is no domain."""
    unique = "func-x-a1b2c3d4.westeurope-01.azurewebsites.net"
    change = {"regions.0.defaultHostName": unique}
    without_domain = templates.with_description("dev", change).regional("dev")
    assert without_domain.region_hosts == {"weu": unique}
    named = templates.with_description("prod", change)
    assert named.regional().outputs["regionHost"] == "weu.calls.contoso.com"
    aliases = named.global_part().all("Microsoft.Network/dnsZones/CNAME")
    assert unique in [a["properties"]["CNAMERecord"]["cname"] for a in aliases]
    made = templates.with_parameter(
        "params/dev.regional.bicepparam", "param uniqueDefaultHostName = true"
    ).regional("dev")
    assert made.site["autoGeneratedDomainNameLabelScope"] == "TenantReuse"


@check(("topology.bicep", "'usgovtrafficmanager.net'", "'trafficmanager.net'"))
def test_azure_government_has_domains_of_its_own(templates: Templates) -> None:
    change = {f"regions.{number}.location": "usgovvirginia" for number in range(3)}
    moved = templates.with_description("prod", change).global_part()
    assert moved.outputs["trafficManagerHost"].endswith(".usgovtrafficmanager.net")
    aliases = moved.all("Microsoft.Network/dnsZones/CNAME")
    hosts = [alias["properties"]["CNAMERecord"]["cname"] for alias in aliases]
    assert len([host for host in hosts if host.endswith(".azurewebsites.us")]) == 3
