"""The state of an environment, for a page that opens in the middle of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.simulator.environment.faults import FAULTS
from tests.simulator.platform.callers import CALLERS
from tests.simulator.services.places import LOCATIONS


def snapshot_of(
    *,
    environment: str,
    zone: str,
    global_host: str,
    regions: Iterable[Any],
    endpoints: Mapping[str, str],
    active_faults: Iterable[tuple[str, str | None]],
    rules: Sequence[Mapping[str, Any]],
    calls_per_second: float,
    number: int,
) -> dict[str, Any]:
    """Return regions, callers, faults and rules; JSON can carry it.

    ``regions`` have code, location, host, address and state; ``endpoints`` are online,
    degraded or disabled, by region; ``number`` is that of the first event which the
    snapshot may not contain.
    """
    return {
        "environment": environment,
        "zone": zone,
        "globalHost": global_host,
        "regions": [
            {
                **_members(region, "code", "location", "host", "address", "state"),
                **asdict(LOCATIONS[region.location]),
                "endpoint": endpoints[region.code],
            }
            for region in regions
        ],
        "callers": [
            {
                **_members(caller, "key", "city", "region"),
                **asdict(caller.coordinates),
                "countryCode": caller.country_code,
            }
            for caller in CALLERS.values()
        ],
        "faults": [
            {
                **_members(kind, "name", "title", "explanation"),
                "isRegional": kind.is_regional,
                "isInstant": kind.is_instant,
            }
            for kind in FAULTS.values()
        ],
        "activeFaults": [
            {"fault": fault, "region": region} for fault, region in active_faults
        ],
        "rules": list(rules),
        "callsPerSecond": calls_per_second,
        "number": number,
    }


def _members(value: object, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}
