"""Descriptions of environments for tests."""

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
}


def described(place: str, value: object) -> dict[str, Any]:
    """Return the good description with another value at ``regions.0.code``."""
    description = deepcopy(GOOD)
    *path, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    target: Any = description
    for step in path:
        target = target[step]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return description
