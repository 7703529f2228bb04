"""Checks of what leads a call to a region: Traffic Manager, DNS, webhook, redirects."""

import json
import subprocess
import sys
from functools import cache

from infra.bicep import CHECKOUT
from shared.core.hosts import is_under_traffic_manager
from tests.infra.checks import check
from tests.infra.templates import VARIABLES, Resource, Snapshot, Templates

_DNS = "modules/dns.bicep"
_PROFILE = "modules/trafficManager.bicep"

PROFILE = "Microsoft.Network/trafficmanagerprofiles"
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
    finished = subprocess.run(
        [sys.executable, "-c", INDEX],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [(method, path) for method, path in json.loads(finished.stdout)]


def _profile(snapshot: Snapshot) -> Resource:
    return snapshot.properties(PROFILE)


def _aliases(snapshot: Snapshot) -> dict[str, str]:
    zone = snapshot.one("Microsoft.Network/dnsZones")["name"]
    return {
        f"{alias['name'].removeprefix(f'{zone}/')}.{zone}": alias["properties"][
            "CNAMERecord"
        ]["cname"]
        for alias in snapshot.all("Microsoft.Network/dnsZones/CNAME")
    }


def _proofs(snapshot: Snapshot) -> dict[str, list[str]]:
    return {
        proof["name"].partition("/")[2]: proof["properties"]["TXTRecords"][0]["value"]
        for proof in snapshot.all("Microsoft.Network/dnsZones/TXT")
    }


@check(
    ("topology.bicep", "'${region.code}.${domain!.zone}'", "globalHost(domain)"),
    (
        "global.bicep",
        " host: defaultHostName(",
        " host: empty(stem) ? '' : profileHost //",
    ),
)
def test_a_redirect_never_goes_through_traffic_manager(templates: Templates) -> None:
    """Neither the host of a redirect nor what it is an alias of belongs to it."""
    shared = templates.global_part()
    aliases = _aliases(shared)
    for code in templates.codes("prod"):
        region = templates.regional(code=code)
        hosts = json.loads(region.app_settings["CALLING_REGION_HOSTS"])
        assert region.app_settings["CALLING_GLOBAL_HOST"] not in hosts.values()
        app = region.one("Microsoft.Web/sites")["name"]
        assert aliases[hosts[code]] == f"{app}.azurewebsites.net"
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
    labels = ["global", *templates.codes("prod")]
    assert _proofs(templates.global_part()) == {
        f"asuid.{label}": proof for label in labels
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
    assert [
        (one["name"], one["properties"]["endpointLocation"]) for one in endpoints
    ] == [(region["code"], region["location"]) for region in regions]
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
    assert monitor["customHeaders"] == [
        {
            "name": "Host",
            "value": templates.regional().app_settings["CALLING_GLOBAL_HOST"],
        }
    ]
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


@check(("global.bicep", "= '/api/calls'", "= '/api/messages'"))
def test_the_webhook_of_the_bot_is_a_route_of_the_app(templates: Templates) -> None:
    shared = templates.global_part()
    channel = shared.one("Microsoft.BotService/botServices/channels")
    assert channel["name"] == f"{VARIABLES['BOT_NAME']}/MsTeamsChannel"
    properties = channel["properties"]["properties"]
    assert (properties["isEnabled"], properties["enableCalling"]) == (True, True)
    url = properties["callingWebhook"]
    assert url == shared.outputs["webhookUrl"]
    assert url == "https://global.calls.contoso.com/api/calls"
    assert ("POST", "/" + url.split("/", maxsplit=3)[3]) in _routes()


@check(
    (
        "global.bicep",
        "scope: resourceGroup(botResourceGroupName)",
        "scope: resourceGroup(empty(botResourceGroupName) ? '' : resourceGroup().name)",
    )
)
def test_without_the_name_of_a_bot_no_webhook_is_registered(
    templates: Templates,
) -> None:
    """The bot may be in another resource group."""
    channel = "Microsoft.BotService/botServices/channels"
    assert not templates.global_part(BOT_NAME="").all(channel)
    elsewhere = templates.with_parameter(
        "params/prod.global.bicepparam", "param botResourceGroupName = 'rg-bots'"
    ).global_part()
    assert "/resourceGroups/rg-bots/" in elsewhere.one(channel)["id"]


@check(("global.bicep", "?? index + 1", "?? length(usableRegions) - index"))
def test_a_fourth_region_changes_what_it_must_and_no_more(templates: Templates) -> None:
    """It adds an endpoint, records and a host, and changes one setting elsewhere."""
    japan = {"code": "jpe", "location": "japaneast"}
    grown = templates.with_description("prod", lambda d: d["regions"].append(japan))
    before, after = templates.global_part(), grown.global_part()
    new = [one for one in after.resources if one not in before.resources]
    profile, alias, proof = sorted(new, key=lambda one: one["name"] != _name(before))
    assert [alias["name"], proof["name"]] == [
        "calls.contoso.com/jpe",
        "calls.contoso.com/asuid.jpe",
    ]
    jpe = profile["properties"]["endpoints"].pop()
    assert jpe["properties"]["target"] == "jpe.calls.contoso.com"
    assert profile == before.one(PROFILE)
    assert len(after.resources) == len(before.resources) + 2
    hosts = {**before.outputs["regionHosts"], "jpe": "jpe.calls.contoso.com"}
    assert after.outputs == {**before.outputs, "regionHosts": hosts}
    for code in templates.codes("prod"):
        old, new_one = templates.regional(code=code), grown.regional(code=code)
        old.app_settings["CALLING_REGION_HOSTS"] = json.dumps(
            hosts, separators=(",", ":")
        )
        assert new_one == old
    assert grown.regional(code="jpe").outputs["regionHost"] == "jpe.calls.contoso.com"


def _name(snapshot: Snapshot) -> str:
    return str(snapshot.one(PROFILE)["name"])


@check(
    (
        "global.bicep",
        "map(usableRegions, (r",
        "map(filter(usableRegions, o => o.?enabled ?? true), (r",
    )
)
def test_a_disabled_region_loses_its_endpoint_only(templates: Templates) -> None:
    """Redirects to it still arrive."""
    disabled = templates.with_description(
        "prod", lambda d: d["regions"][1].update(enabled=False)
    )
    expected = templates.global_part()
    endpoint: Resource = _profile(expected)["endpoints"][1]
    endpoint["properties"]["endpointStatus"] = "Disabled"
    assert disabled.global_part() == expected
    for code in templates.codes("prod"):
        assert disabled.regional(code=code) == templates.regional(code=code)


@check(("global.bicep", "region.?priority ?? index + 1", "index + 1"))
def test_a_region_has_its_place_in_the_order(templates: Templates) -> None:
    """The place counts with routing by priority."""
    preferred = templates.with_description(
        "prod", lambda d: d["regions"][2].update(priority=7)
    )
    endpoints = _profile(preferred.global_part())["endpoints"]
    assert [one["properties"]["priority"] for one in endpoints] == [1, 2, 7]
