"""Checks of private networking: storage is closed, the app has a way, calls come in."""

import ipaddress

from tests.infra.checks import check
from tests.infra.golden import OPTIONAL
from tests.infra.templates import SITE, STORAGE, Resource, Snapshot, Templates

_APP = "modules/functionApp.bicep"
_NETWORK = "modules/network.bicep"
_STORAGE = "modules/storage.bicep"
ADDRESS = "Microsoft.Network/publicIPAddresses"
DNS_ZONE = "Microsoft.Network/privateDnsZones"
ENDPOINT = "Microsoft.Network/privateEndpoints"
GATEWAY = "Microsoft.Network/natGateways"
NETWORK = "Microsoft.Network/virtualNetworks"
NETWORK_MEMBER = {"network": OPTIONAL["network"]}


def _private(templates: Templates, code: str = "weu") -> Snapshot:
    return templates.with_description("prod", NETWORK_MEMBER).regional(code=code)


def _subnets(region: Snapshot) -> dict[str, Resource]:
    subnets = region.properties(NETWORK)["subnets"]
    return {subnet["name"]: subnet["properties"] for subnet in subnets}


@check(
    (_STORAGE, "isPrivate ? 'Disabled'", "isPrivate ? 'Enabled'"),
    (
        _STORAGE,
        "bypass: 'None', defaultAction: 'Deny'",
        "bypass: 'None', defaultAction: 'Allow'",
    ),
    (
        "regional.bicep",
        "    isPrivate: isPrivate\n  }\n",
        "    isPrivate: false\n  }\n",
    ),
)
def test_storage_is_closed_to_the_public_only_with_a_network(
    templates: Templates,
) -> None:
    closed, opened = _private(templates), templates.regional()
    properties = closed.properties(STORAGE)
    assert properties["publicNetworkAccess"] == "Disabled"
    assert properties["networkAcls"] == {"bypass": "None", "defaultAction": "Deny"}
    assert opened.properties(STORAGE)["publicNetworkAccess"] == "Enabled"
    kinds = {one["type"] for one in opened.resources}
    assert not [kind for kind in kinds if kind.startswith("Microsoft.Network")]


@check(
    (_NETWORK, "groupIds: ['blob']", "groupIds: ['file']"),
    (_NETWORK, "name: 'endpoints'\n  }", "name: 'app'\n  }"),
    (_NETWORK, "'privatelink.blob.${", "'blob.${"),
    (_NETWORK, "virtualNetwork: { id: network.id }", "virtualNetwork: null"),
)
def test_the_app_reaches_its_storage_by_a_private_endpoint(
    templates: Templates,
) -> None:
    """Names of the account lead to the endpoint, in this network only."""
    region = _private(templates)
    network = region.one(NETWORK)["id"]
    endpoint = region.properties(ENDPOINT)
    assert endpoint["subnet"]["id"] == f"{network}/subnets/endpoints"
    [connection] = endpoint["privateLinkServiceConnections"]
    assert connection["properties"] == {
        "privateLinkServiceId": region.one(STORAGE)["id"],
        "groupIds": ["blob"],
    }
    zone = region.one(DNS_ZONE)
    assert "'privatelink.blob.{0}', environment().suffixes.storage" in zone["name"]
    link = region.properties(f"{DNS_ZONE}/virtualNetworkLinks")
    assert link == {"registrationEnabled": False, "virtualNetwork": {"id": network}}
    [records] = region.properties(f"{ENDPOINT}/privateDnsZoneGroups")[
        "privateDnsZoneConfigs"
    ]
    assert records["properties"]["privateDnsZoneId"] == zone["id"]


@check(
    (_NETWORK, "'Microsoft.App/environments'", "'Microsoft.Web/serverFarms'"),
    (_NETWORK, "cidrSubnet(addressPrefix, 26, 0)", "cidrSubnet(addressPrefix, 28, 0)"),
    (_NETWORK, "28, 4)", "28, 3)"),
    (_APP, "isPrivate ? appSubnet.id : null", "null"),
)
def test_the_app_has_a_subnet_of_its_own(templates: Templates) -> None:
    """Flex Consumption takes /27 or more, delegated to it, without an underscore."""
    for code in templates.codes("prod"):
        region = _private(templates, code)
        network = region.one(NETWORK)["id"]
        assert region.site["virtualNetworkSubnetId"] == f"{network}/subnets/app"
        app, endpoints = _subnets(region)["app"], _subnets(region)["endpoints"]
        [delegation] = app["delegations"]
        assert delegation["properties"]["serviceName"] == "Microsoft.App/environments"
        ranges = [
            ipaddress.ip_network(one["addressPrefix"]) for one in (app, endpoints)
        ]
        [whole] = region.properties(NETWORK)["addressSpace"]["addressPrefixes"]
        assert ranges[0].prefixlen <= 27
        assert not ranges[0].overlaps(ranges[1])
        for one in ranges:
            assert ipaddress.ip_network(whole).supernet_of(one)  # type: ignore[arg-type]
    assert templates.regional().site["virtualNetworkSubnetId"] is None


@check(
    (_NETWORK, "          natGateway: { id: gateway.id }\n", ""),
    (_NETWORK, "[{ id: address.id }]", "[]"),
)
def test_the_app_has_a_way_to_the_internet(templates: Templates) -> None:
    """It calls Graph and Entra, and a new network has no such way of its own."""
    region = _private(templates)
    gateway = region.one(GATEWAY)
    assert _subnets(region)["app"].get("natGateway") == {"id": gateway["id"]}
    address = region.one(ADDRESS)
    assert gateway["properties"]["publicIpAddresses"] == [{"id": address["id"]}]
    assert address["properties"]["publicIPAllocationMethod"] == "Static"


@check(
    (_APP, "    publicNetworkAccess: 'Enabled'", "    publicNetworkAccess: 'Disabled'")
)
def test_the_webhook_stays_public(templates: Templates) -> None:
    """The calling platform comes from the internet, and so do the probes."""
    region = _private(templates)
    assert region.site["publicNetworkAccess"] == "Enabled"
    config = region.site["siteConfig"]
    assert config["ipSecurityRestrictionsDefaultAction"] == "Allow"
    open_region = templates.regional()
    assert config == open_region.site["siteConfig"]
    assert region.one(SITE)["name"] == open_region.one(SITE)["name"]
