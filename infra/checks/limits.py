"""Limits of Azure: its locations, and the lengths of the names that the templates make.

Nothing here asks Azure. topology.bicep makes the names; a test compares the lengths
below with the names in the compiled snapshots.
"""

import re
from ipaddress import IPv4Network
from typing import NamedTuple

# `az account list-locations --query "[?metadata.regionType=='Physical'].name"`, public
# cloud and US Government. Some do not offer Flex Consumption: deploy.sh asks Azure.
# https://learn.microsoft.com/azure/reliability/regions-list
_LOCATIONS = """
australiacentral australiacentral2 australiaeast australiasoutheast austriaeast
belgiumcentral brazilsouth brazilsoutheast canadacentral canadaeast centralindia
centralus chilecentral denmarkeast eastasia eastus eastus2 francecentral francesouth
germanynorth germanywestcentral indonesiacentral israelcentral italynorth japaneast
japanwest jioindiacentral jioindiawest koreacentral koreasouth malaysiawest
mexicocentral newzealandnorth northcentralus northeurope norwayeast norwaywest
polandcentral qatarcentral southafricanorth southafricawest southcentralus
southeastasia southindia spaincentral swedencentral swedensouth switzerlandnorth
switzerlandwest uaecentral uaenorth uksouth ukwest westcentralus westeurope
westindia westus westus2 westus3
usdodcentral usdodeast usgovarizona usgovtexas usgovvirginia
"""
LOCATIONS = frozenset(_LOCATIONS.split())

# A registration can have at most 20 federated credentials, one per region:
# https://learn.microsoft.com/graph/api/resources/federatedidentitycredentials-overview
MAX_REGIONS = 20
MAX_PRIORITY = 1000

ENVIRONMENT = re.compile(r"[a-z][a-z0-9]{1,7}")
WORKLOAD = re.compile(r"[a-z][a-z0-9]{1,11}")
REGION_CODE = re.compile(r"[a-z0-9]{2,6}")
DNS_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Under this label App Service looks for the verification ID of a host name.
PROOF_LABEL = "asuid"
# This leaves room for asuid.<label>. within the 253 characters of a host name.
MAX_ZONE = 180
KEY_VAULT_ID = re.compile(
    r"/subscriptions/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"/resourceGroups/[\w.()-]{1,90}"
    r"/providers/Microsoft\.KeyVault/vaults/[a-z][a-z0-9-]{1,22}[a-z0-9]",
    re.IGNORECASE,
)
# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
KEY_VAULT_SECRET = re.compile(r"[0-9A-Za-z-]{1,127}")
DEFAULT_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.azurewebsites\.(?:net|us)")

# https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources
# The strictest of the tagged resources counts: a DNS zone has at most 15, three of them
# the templates' own, and neither spaces nor special characters in names.
MAX_TAGS = 12
MAX_TAG_VALUE = 256
TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}")
# network.bicep makes a subnet of 64 and one of 16 addresses; a network has at most /16.
MIN_PREFIX, MAX_PREFIX = 16, 25
PRIVATE_RANGES = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
)
# https://learn.microsoft.com/azure/container-apps/custom-virtual-networks#subnet-address-range-restrictions
RESERVED_RANGES = (IPv4Network("172.30.0.0/15"),)
WORKSPACE_ID = re.compile(
    r"/subscriptions/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"/resourceGroups/[\w.()-]{1,90}"
    r"/providers/Microsoft\.OperationalInsights/workspaces/[a-z0-9][a-z0-9-]{2,61}[a-z0-9]",
    re.IGNORECASE,
)
_TOKEN = "xxxxxx"  # noqa: S105 - a placeholder for the six letters that Azure computes


class Name(NamedTuple):
    """A name that the templates make: its resource, the name, the maximum length."""

    resource: str
    name: str
    max_length: int


def names(workload: str, environment: str, code: str) -> list[Name]:
    """Return those names of a region whose length Azure limits.

    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    """
    stem = f"{workload}-{environment}-{code}"
    return [
        Name("resource group", f"rg-{stem}", 90),
        Name("function app", f"func-{stem}-{_TOKEN}", 60),
        Name("storage account", f"st{workload}{environment}{code}{_TOKEN}", 24),
    ]
