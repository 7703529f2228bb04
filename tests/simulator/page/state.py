"""The state of an environment for a page that opens."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulator.page.port import ShownEnvironment


def state_of(environment: ShownEnvironment) -> dict[str, Any]:
    """Return everything that a page needs when it opens; JSON can carry it."""
    snapshot = environment.snapshot()
    codes = [region["code"] for region in snapshot["regions"]]
    profile = environment.traffic_manager.profile
    return {
        **snapshot,
        "seconds": environment.journal.now_seconds,
        "routes": routes_of(environment),
        "rulesByRegion": {code: rules_of(environment, code) for code in codes},
        "probe": {
            "intervalSeconds": profile.interval_seconds,
            "timeoutSeconds": profile.timeout_seconds,
            "toleratedFailures": profile.tolerated_failures,
            "ttlSeconds": profile.ttl_seconds,
        },
    }


def routes_of(environment: ShownEnvironment) -> dict[str, list[str]]:
    """Return the regions that DNS answers each caller with, best first."""
    answer = environment.traffic_manager.answer
    return {
        key: [endpoint.code for endpoint in answer(caller.location)]
        for key, caller in environment.callers.items()
    }


def rules_of(environment: ShownEnvironment, code: str) -> Sequence[Mapping[str, Any]]:
    """Return the rules that a region runs with."""
    rules: Sequence[Mapping[str, Any]] = json.loads(
        environment.settings_of(code)["CALLING_REGION_RULES"]
    )
    return rules


def unhealthy_of(snapshot: Mapping[str, Any]) -> frozenset[str]:
    """Return the regions whose health check does not reply 200 now."""
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
