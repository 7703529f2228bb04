"""Descriptions of environments for tests."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

GOOD: dict[str, Any] = {
    "workload": "tmscalls",
    "regions": [
        {"code": "weu", "location": "westeurope"},
        {"code": "neu", "location": "northeurope", "enabled": False, "priority": 2},
        {"code": "sea", "location": "southeastasia"},
    ],
    "domain": {
        "zone": "calls.contoso.com",
        "globalLabel": "global",
        "keyVaultId": (
            "/subscriptions/11111111-2222-3333-4444-555555555555"
            "/resourceGroups/rg-shared/providers/Microsoft.KeyVault/vaults/kv-calls"
        ),
        "secretName": "wildcard",
    },
    "rules": [
        {"tenant": ["1fdd12d0-4620-44ed-baec-459b611f84b2"], "regions": ["weu"]},
        {"countryCode": ["DE", "FR"], "regions": ["weu", "neu"]},
        {"regions": ["sea"]},
    ],
    "settings": {"CALLING_REDIRECT_STATUS": "307", "CALLING_PARTITIONS": '["a", "b"]'},
    "globalLocation": "francecentral",
    "tags": {"owner": "calls"},
    "network": {
        "addressPrefixes": {
            "weu": "10.90.0.0/24",
            "neu": "10.90.1.0/24",
            "sea": "192.168.0.0/25",
        }
    },
    "workspaces": {
        "weu": (
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shared"
            "/providers/Microsoft.OperationalInsights/workspaces/log-weu"
        )
    },
    "certificateReader": "identity",
    "files": ["certificates/bot.pem", "ca.pem"],
}


def described(place: str, value: object) -> dict[str, Any]:
    """Return the good description with another value at one place."""
    return changed(GOOD, {place: value})


def changed(
    description: dict[str, Any], changes: Mapping[str, object]
) -> dict[str, Any]:
    """Return a description with other values at places such as ``regions.0.code``.

    The value ``...`` removes what is there.
    """
    description = deepcopy(description)
    for place, value in changes.items():
        steps = [int(step) if step.isdigit() else step for step in place.split(".")]
        *path, last = steps
        target: Any = description
        for step in path:
            target = target[step]
        if value is ...:
            del target[last]
        else:
            target[last] = value
    return description
