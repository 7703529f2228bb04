"""The state of a world, for a page that opens in the middle of it."""

from typing import TYPE_CHECKING, Any

from tests.simulator.environment.faults import FAULTS
from tests.simulator.environment.places import LOCATIONS

if TYPE_CHECKING:
    from tests.simulator.environment.world import EnvironmentWorld


def snapshot_of(world: "EnvironmentWorld") -> dict[str, Any]:
    """Return regions, callers, faults and rules; JSON can carry it."""
    statuses = world.traffic_manager.statuses()
    return {
        "environment": world.file.name,
        "zone": world.zone,
        "globalHost": world.global_host,
        "regions": [
            {
                "code": region.code,
                "location": region.location,
                "latitude": LOCATIONS[region.location].latitude,
                "longitude": LOCATIONS[region.location].longitude,
                "host": region.host,
                "address": region.address,
                "state": region.state,
                "endpoint": statuses[region.code],
            }
            for region in world.regions.values()
        ],
        "callers": [
            {
                "key": caller.key,
                "city": caller.city,
                "countryCode": caller.country_code,
                "region": caller.region,
                "latitude": caller.coordinates.latitude,
                "longitude": caller.coordinates.longitude,
            }
            for caller in world.callers.values()
        ],
        "faults": [
            {
                "name": kind.name,
                "title": kind.title,
                "explanation": kind.explanation,
                "isRegional": kind.is_regional,
                "isInstant": kind.is_instant,
            }
            for kind in FAULTS.values()
        ],
        "activeFaults": [
            {"fault": fault, "region": region} for fault, region in world.active_faults
        ],
        "rules": list(world.rules),
        "callsPerSecond": world.traffic.calls_per_second,
        "number": world.events.next_number,
    }
