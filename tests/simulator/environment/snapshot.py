"""The state of an environment, for a page that opens in the middle of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from tests.simulator.environment.faults import FAULTS
from tests.simulator.platform.callers import CALLERS
from tests.simulator.services.places import LOCATIONS


class ShownRegion(Protocol):
    """What a page shows of a region."""

    @property
    def code(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def state(self) -> str: ...


def snapshot_of(
    *,
    environment: str,
    zone: str,
    global_host: str,
    regions: Iterable[ShownRegion],
    endpoints: Mapping[str, str],
    active_faults: Iterable[tuple[str, str | None]],
    rules: Sequence[Mapping[str, Any]],
    calls_per_second: float,
    number: int,
) -> dict[str, Any]:
    """Return regions, callers, faults and rules; JSON can carry it.

    Args:
        environment: its name.
        zone: of all hosts.
        global_host: that Traffic Manager answers for.
        regions: in the order of the file.
        endpoints: online, degraded or disabled, by region.
        active_faults: each with its region or None.
        rules: of all regions.
        calls_per_second: how fast honest calls come.
        number: of the first event that the snapshot does not contain.
    """
    return {
        "environment": environment,
        "zone": zone,
        "globalHost": global_host,
        "regions": [
            {
                "code": region.code,
                "location": region.location,
                "latitude": LOCATIONS[region.location].latitude,
                "longitude": LOCATIONS[region.location].longitude,
                "host": region.host,
                "address": region.address,
                "state": region.state,
                "endpoint": endpoints[region.code],
            }
            for region in regions
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
            for caller in CALLERS.values()
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
            {"fault": fault, "region": region} for fault, region in active_faults
        ],
        "rules": list(rules),
        "callsPerSecond": calls_per_second,
        "number": number,
    }
