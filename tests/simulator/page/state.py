"""The state of a world for a page that opens: the snapshot and what follows from it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulator.page.port import PageWorld


def state_of(world: PageWorld) -> dict[str, Any]:
    """Return everything that a page has to know at first; JSON can carry it."""
    snapshot = world.snapshot()
    codes = [region["code"] for region in snapshot["regions"]]
    profile = world.traffic_manager.profile
    return {
        **snapshot,
        "seconds": world.journal.now_seconds,
        "routes": routes_of(world),
        "rulesByRegion": {code: rules_of(world, code) for code in codes},
        "probe": {
            "intervalSeconds": profile.interval_seconds,
            "timeoutSeconds": profile.timeout_seconds,
            "toleratedFailures": profile.tolerated_failures,
            "ttlSeconds": profile.ttl_seconds,
        },
    }


def routes_of(world: PageWorld) -> dict[str, list[str]]:
    """Return the regions that DNS answers each caller with, best first."""
    return {
        key: [endpoint.code for endpoint in world.traffic_manager.answer(c.location)]
        for key, c in world.callers.items()
    }


def rules_of(world: PageWorld, code: str) -> Sequence[Mapping[str, Any]]:
    """Return the rules that a region runs with."""
    rules: Sequence[Mapping[str, Any]] = json.loads(
        world.settings_of(code)["CALLING_REGION_RULES"]
    )
    return rules


def unhealthy_of(snapshot: Mapping[str, Any]) -> frozenset[str]:
    """Return the regions that do not answer their health check with 200 now."""
    broken = {
        fault["region"]
        for fault in snapshot["activeFaults"]
        if fault["fault"] == "region-misconfigured"
    }
    return frozenset(
        region["code"]
        for region in snapshot["regions"]
        if region["state"] != "running" or region["code"] in broken
    )
