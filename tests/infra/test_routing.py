"""Checks of what leads a call to a region: Traffic Manager, DNS, webhook, redirects."""

import json
import sys
from functools import cache

from shared.core.hosts import is_under_traffic_manager
from tests.infra.checks import check
from tests.infra.templates import (
    CHANNEL,
    LOCK,
    PROFILE,
    VARIABLES,
    Resource,
    Snapshot,
    Templates,
)
from tests.support.processes import output_of

_DNS = "modules/dns.bicep"
_PROFILE = "modules/trafficManager.bicep"
_WEBHOOK = "modules/callingWebhook.bicep"

EXTERNAL = "Microsoft.Network/trafficManagerProfiles/externalEndpoints"
INDEX = """
import asyncio, json
from pathlib import Path
from tests.localhost.routes import build_routes, read_host_configuration
from tests.localhost.worker import Worker
app = Path.cwd()
worker = asyncio.run(Worker.load(app))
assert not worker.error, worker.error
routes = build_routes(worker.functions, read_host_configuration(app))
print(json.dumps([
    [method, "/" + "/".join(segment or "{}" for segment in route.segments)]
    for route in routes for method in sorted(route.methods)
]))
"""


@cache
def _routes() -> list[tuple[str, str]]:
    """Return method and path of what the worker library indexes, by host.json."""
    printed = json.loads(output_of(sys.executable, "-c", INDEX))
    return [(method, path) for method, path in printed]


def _profile(snapshot: Snapshot) -> Resource:
    return snapshot.properties(PROFILE)


def _aliases(snapshot: Snapshot) -> dict[str, str]:
    found = {}
    for alias in snapshot.all("Microsoft.Network/dnsZones/CNAME"):
        zone, _, label = alias["name"].partition("/")
        found[f"{label}.{zone}"] = alias["properties"]["CNAMERecord"]["cname"]
    return found


@check(
    ("topology.bicep", "'${region.code}.${domain!.zone}'", "globalHost(domain)"),
    (
        "global.bicep",
        " host: defaultHostName(",
        " host: stem == '' ? '' : profileHost //",
    ),
)
def test_a_redirect_never_goes_through_traffic_manager(templates: Templates) -> None:
    """Neither the host of a redirect nor what it is an alias of belongs to it."""
    shared = templates.global_part()
    aliases = _aliases(shared)
    for code in templates.codes("prod"):
        region = templates.regional(code=code)
        hosts = region.region_hosts
        assert region.app_settings["CALLING_GLOBAL_HOST"] not in hosts.values()
        assert aliases[hosts[code]] == f"{region.app_name}.azurewebsites.net"
        for host in hosts.values():
            assert not is_under_traffic_manager(host)
            assert not is_under_traffic_manager(aliases[host])


@check(("global.bicep", "host: profileHost }", "host: hosts[usableRegions[0].code] }"))
def test_the_global_host_leads_to_traffic_manager(templates: Templates) -> None:
    """The regions and the URL of the webhook have the same one."""
    shared = templates.global_part()
    profile = shared.one(PROFILE)
    host = templates.regional().app_settings["CALLING_GLOBAL_HOST"]
    assert host == "global.calls.contoso.com"
    assert _profile(shared)["dnsConfig"]["relativeName"] == profile["name"]
    assert _aliases(shared)[host] == f"{profile['name']}.trafficmanager.net"
    assert shared.outputs["trafficManagerHost"] == _aliases(shared)[host]
    assert shared.outputs["webhookUrl"].startswith(f"https://{host}/")


@check((_DNS, "name: 'asuid.${alias.label}'", "name: 'awverify.${alias.label}'"))
def test_every_host_is_proved_to_be_ours(templates: Templates) -> None:
    """Azure looks for the asuid record before it binds a host name."""
    proof = [VARIABLES["CUSTOM_DOMAIN_VERIFICATION_ID"]]
    records = templates.global_part().all("Microsoft.Network/dnsZones/TXT")
    values = {one["name"]: one["properties"]["TXTRecords"] for one in records}
    assert values == {
        f"calls.contoso.com/asuid.{label}": [{"value": proof}]
        for label in ("global", *templates.codes("prod"))
    }


@check(("global.bicep", "ttlSeconds: 300", "ttlSeconds: 3600"))
def test_records_can_be_changed_within_minutes(templates: Templates) -> None:
    """An operator may have to do so when a region is lost."""
    shared = templates.global_part()
    records = shared.all("Microsoft.Network/dnsZones/CNAME")
    records += shared.all("Microsoft.Network/dnsZones/TXT")
    assert len(records) == 8
    assert {record["properties"]["TTL"] for record in records} == {300}


@check(("global.bicep", "if (manageDns) {", "if (manageDns || !empty(token)) {"))
def test_somebody_else_may_manage_the_zone(templates: Templates) -> None:
    shared = templates.with_parameter(
        "params/prod.global.bicepparam", "param manageDns = false"
    ).global_part()
    kinds = {resource["type"] for resource in shared.resources}
    assert not [kind for kind in kinds if "dnsZones" in kind]
    assert shared.one(PROFILE) == templates.global_part().one(PROFILE)


@check(
    (_PROFILE, "endpointLocation: endpoint.location", "endpointLocation: null"),
    (_PROFILE, "Profiles/externalEndpoints'", "Profiles/azureEndpoints'"),
)
def test_every_region_is_an_external_endpoint(templates: Templates) -> None:
    """Endpoints have a location, for routing by latency, and lie in the profile."""
    shared = templates.global_part()
    endpoints = _profile(shared)["endpoints"]
    regions = templates.description("prod")["regions"]
    locations = {
        one["name"]: one["properties"]["endpointLocation"] for one in endpoints
    }
    assert [*locations.items()] == [(one["code"], one["location"]) for one in regions]
    for endpoint in endpoints:
        assert endpoint["type"] == EXTERNAL
        assert endpoint["properties"]["endpointStatus"] == "Enabled"
        assert "targetResourceId" not in endpoint["properties"]
        assert "alwaysServe" not in endpoint["properties"]
    assert len([r for r in shared.resources if "ndpoints" in r["type"]]) == 0
    priorities = [one["properties"]["priority"] for one in endpoints]
    assert len(set(priorities)) == len(endpoints)
    assert _profile(shared)["trafficRoutingMethod"] == "Performance"
    assert _profile(shared)["profileStatus"] == "Enabled"


@check(
    ("global.bicep", "= '/api/health'", "= '/health'"),
    (_PROFILE, "name: 'Host'", "name: 'X-Host'"),
    (_PROFILE, "protocol: 'HTTPS'", "protocol: 'HTTP'"),
)
def test_the_probe_is_one_that_an_app_answers(templates: Templates) -> None:
    """It uses HTTPS, a path that exists and the host that every region has bound."""
    monitor = _profile(templates.global_part())["monitorConfig"]
    assert (monitor["protocol"], monitor["port"]) == ("HTTPS", 443)
    assert ("GET", monitor["path"]) in _routes()
    host = templates.regional().app_settings["CALLING_GLOBAL_HOST"]
    assert monitor["customHeaders"] == [{"name": "Host", "value": host}]
    assert monitor["expectedStatusCodeRanges"] == [{"min": 200, "max": 200}]


@check(("global.bicep", "param dnsTtl int = 30", "param dnsTtl int = 60"))
def test_a_lost_region_is_out_of_the_answers_within_65_seconds(
    templates: Templates,
) -> None:
    profile = _profile(templates.global_part())
    monitor = profile["monitorConfig"]
    interval, timeout = monitor["intervalInSeconds"], monitor["timeoutInSeconds"]
    # https://learn.microsoft.com/azure/traffic-manager/traffic-manager-monitoring
    assert interval in (10, 30)
    assert 5 <= timeout <= (9 if interval == 10 else 10)
    tolerated = monitor["toleratedNumberOfFailures"]
    assert 1 <= tolerated <= 9, "one lost packet must not move all calls"
    ttl = profile["dnsConfig"]["ttl"]
    assert (tolerated + 1) * interval + timeout + ttl <= 65


@check(
    ("global.bicep", "= '/api/calls'", "= '/api/messages'"),
    (_WEBHOOK, "      incomingCallRoute: 'graphPma'\n", ""),
    ("global.bicep", "= 'CommercialDeployment'", "= 'FallbackDeploymentEnvironment'"),
)
def test_the_webhook_of_the_bot_is_a_route_of_the_app(templates: Templates) -> None:
    shared = templates.global_part()
    channel = shared.one(CHANNEL)
    assert channel["name"] == f"{VARIABLES['BOT_NAME']}/MsTeamsChannel"
    properties = channel["properties"]["properties"]
    assert (properties["isEnabled"], properties["enableCalling"]) == (True, True)
    # What is left out gets a default of Azure's, which is not for calling.
    assert properties.get("incomingCallRoute") == "graphPma"
    assert properties["deploymentEnvironment"] == "CommercialDeployment"
    url = properties["callingWebhook"]
    assert url == shared.outputs["webhookUrl"]
    assert url == "https://global.calls.contoso.com/api/calls"
    assert ("POST", "/" + url.split("/", maxsplit=3)[3]) in _routes()


@check(
    ("global.bicep", "name : botResourceGroupName)", "name : botName)"),
    ("global.bicep", "empty(botResourceGroupName)", "!empty(botResourceGroupName)"),
)
def test_without_the_name_of_a_bot_no_webhook_is_registered(
    templates: Templates,
) -> None:
    """The bot may be in another resource group."""
    assert not templates.global_part(BOT_NAME="").all(CHANNEL)
    elsewhere = templates.global_part(BOT_RESOURCE_GROUP="rg-bots")
    assert "/resourceGroups/rg-bots/" in elsewhere.one(CHANNEL)["id"]
    assert "/resourceGroups/rg-bots/" not in templates.global_part().one(CHANNEL)["id"]


@check(("global.bicep", "?? index + 1", "?? length(usableRegions) - index"))
def test_a_fourth_region_changes_what_it_must_and_no_more(templates: Templates) -> None:
    """It adds an endpoint, records and a host, and changes one setting elsewhere."""
    regions = templates.description("prod")["regions"]
    japan = {"code": "jpe", "location": "japaneast"}
    grown = templates.with_description("prod", {"regions": [*regions, japan]})
    before, after = templates.global_part(), grown.global_part()
    profile = after.one(PROFILE)
    new = [one["name"] for one in after.resources if one not in before.resources]
    zone = "calls.contoso.com"
    changed = [profile["name"], "tmscalls-prod-global-degraded"]
    assert sorted(new) == sorted([*changed, f"{zone}/jpe", f"{zone}/asuid.jpe"])
    jpe = profile["properties"]["endpoints"].pop()
    assert jpe["properties"]["target"] == "jpe.calls.contoso.com"
    assert profile == before.one(PROFILE)
    assert len(after.resources) == len(before.resources) + 2
    hosts = {**before.outputs["regionHosts"], "jpe": "jpe.calls.contoso.com"}
    assert after.outputs == {**before.outputs, "regionHosts": hosts}
    for code in templates.codes("prod"):
        old, new_one = templates.regional(code=code), grown.regional(code=code)
        compact = json.dumps(hosts, separators=(",", ":"))
        old.app_settings["CALLING_REGION_HOSTS"] = compact
        assert new_one == old
    assert grown.regional(code="jpe").outputs["regionHost"] == "jpe.calls.contoso.com"


@check(
    (
        "global.bicep",
        "map(usableRegions, (r",
        "map(filter(usableRegions, o => o.?enabled ?? true), (r",
    ),
    ("global.bicep", " && !contains(split(drainedRegions, ' '), region.code)", ""),
    (
        "global.bicep",
        "filter(usableRegions, region => (region.?enabled ?? true)",
        "filter(usableRegions, region => (true)",
    ),
    (
        "global.bicep",
        "endpointNames: calledCodes",
        "endpointNames: map(usableRegions, o => o.code)",
    ),
)
def test_a_disabled_or_drained_region_loses_its_endpoint_only(
    templates: Templates,
) -> None:
    """Redirects to it still arrive, and no alert takes it for a failure."""
    disabled = templates.with_description("prod", {"regions.1.enabled": False})
    expected = templates.global_part()
    endpoint = _profile(expected)["endpoints"][1]
    endpoint["properties"]["endpointStatus"] = "Disabled"
    assert _watched(expected) == ["weu", "eus2", "sea"]
    _watched(expected).remove("eus2")
    assert disabled.global_part() == expected
    assert templates.global_part(DRAINED_REGIONS="neu eus2") == expected
    for code in templates.codes("prod"):
        assert disabled.regional(code=code) == templates.regional(code=code)


def _watched(snapshot: Snapshot) -> list[str]:
    """Return the regions for which the alert of the endpoints fires."""
    [alert] = snapshot.all("Microsoft.Insights/metricAlerts")
    [criterion] = alert["properties"]["criteria"]["allOf"]
    values: list[str] = criterion["dimensions"][0]["values"]
    return values


@check(("global.bicep", "if (!empty(calledCodes))", "if (!empty(usableRegions))"))
def test_there_is_no_alert_where_no_region_gets_calls(templates: Templates) -> None:
    shared = templates.global_part(DRAINED_REGIONS="weu eus2 sea")
    assert not shared.all("Microsoft.Insights/metricAlerts")


@check(
    (_PROFILE, "if (isLocked)", "if (!isLocked)"),
    (_DNS, "if (isLocked)", "if (!isLocked)"),
    (_DNS, "  scope: start\n", "  scope: zone\n"),
    (_PROFILE, "'CanNotDelete'", "'ReadOnly'"),
)
def test_locks_keep_profile_and_zone(templates: Templates) -> None:
    """A lock on the zone itself would keep the records of a removed region, too."""
    shared = templates.global_part()
    scopes = {
        lock["id"].partition("/providers/Microsoft.Authorization/")[0]: lock
        for lock in shared.all(LOCK)
    }
    zone = shared.one("Microsoft.Network/dnsZones")["id"]
    assert set(scopes) == {shared.one(PROFILE)["id"], f"{zone}/SOA/@"}
    for lock in scopes.values():
        assert lock["properties"]["level"] == "CanNotDelete"
    unlocked = templates.with_parameter(
        "params/prod.global.bicepparam", "param lockResources = false"
    ).global_part()
    assert not unlocked.all(LOCK)


@check((_PROFILE, "'ProbeHealthStatusEvents'", "'ProbeHealth'"))
def test_what_the_probes_find_is_kept(templates: Templates) -> None:
    """Without a workspace it is not."""
    shared = templates.global_part()
    diagnostics = shared.one("Microsoft.Insights/diagnosticSettings")
    assert diagnostics["id"].startswith(shared.one(PROFILE)["id"])
    properties = diagnostics["properties"]
    assert properties["workspaceId"] == VARIABLES["LOG_ANALYTICS_WORKSPACE_ID"]
    assert properties["logs"] == [
        {"category": "ProbeHealthStatusEvents", "enabled": True}
    ]
    without = templates.global_part(LOG_ANALYTICS_WORKSPACE_ID="")
    assert not without.all("Microsoft.Insights/diagnosticSettings")


@check(("global.bicep", "region.?priority ?? index + 1", "index + 1"))
def test_a_region_has_its_place_in_the_order(templates: Templates) -> None:
    """The place counts with routing by priority."""
    preferred = templates.with_description("prod", {"regions.2.priority": 7})
    endpoints = _profile(preferred.global_part())["endpoints"]
    assert [one["properties"]["priority"] for one in endpoints] == [1, 2, 7]
