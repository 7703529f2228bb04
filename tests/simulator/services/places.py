"""Where Azure's locations are, and how far apart.

Coordinates: ``az account list-locations --query "[].{n:name, m:metadata}"``, rounded.
Traffic Manager's Performance routing answers by a table of measured latencies, which
is not published; here distance on the globe stands for it.
"""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

_EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Degrees; north and east are positive."""

    latitude: float
    longitude: float

    def distance_km(self, other: "Coordinates") -> float:
        """Return the great-circle distance."""
        north, other_north = radians(self.latitude), radians(other.latitude)
        half_north = (other_north - north) / 2
        half_east = radians(other.longitude - self.longitude) / 2
        chord = sin(half_north) ** 2 + (
            cos(north) * cos(other_north) * sin(half_east) ** 2
        )
        return 2 * _EARTH_RADIUS_KM * asin(sqrt(chord))


_LOCATIONS = """
australiacentral -35.31 149.12|australiacentral2 -35.31 149.12
australiaeast -33.86 151.21|australiasoutheast -37.81 144.96
austriaeast 48.21 16.37|belgiumcentral 50.85 4.35|brazilsouth -23.55 -46.63
brazilsoutheast -22.91 -43.17|canadacentral 43.65 -79.38
canadaeast 46.82 -71.22|centralindia 18.58 73.92|centralus 41.59 -93.62
chilecentral -33.45 -70.67|denmarkeast 55.68 12.57|eastasia 22.27 114.19
eastus 37.37 -79.82|eastus2 36.67 -78.39|francecentral 46.38 2.37
francesouth 43.83 2.18|germanynorth 53.07 8.81|germanywestcentral 50.11 8.68
indonesiacentral -6.21 106.85|israelcentral 31.27 33.45|italynorth 45.47 9.18
japaneast 35.68 139.77|japanwest 34.69 135.50|jioindiacentral 21.15 79.09
jioindiawest 22.47 70.06|koreacentral 37.57 126.98|koreasouth 35.18 129.08
malaysiawest 3.14 101.69|mexicocentral 20.59 -100.39|newzealandnorth -36.85 174.76
northcentralus 41.88 -87.63|northeurope 53.35 -6.26|norwayeast 59.91 10.75
norwaywest 58.97 5.73|polandcentral 52.23 21.01|qatarcentral 25.55 51.44
southafricanorth -25.73 28.22|southafricawest -34.08 18.84|southcentralus 29.42 -98.50
southeastasia 1.28 103.83|southindia 12.98 80.16|spaincentral 40.42 -3.70
swedencentral 60.67 17.14|swedensouth 55.61 13.00|switzerlandnorth 47.45 8.56
switzerlandwest 46.20 6.14|uaecentral 24.47 54.37|uaenorth 25.27 55.32
uksouth 50.94 -0.80|ukwest 53.43 -3.08|westcentralus 40.89 -110.23
westeurope 52.37 4.90|westindia 19.09 72.87|westus 37.78 -122.42
westus2 47.23 -119.85|westus3 33.45 -112.07
usdodcentral 41.60 -93.61|usdodeast 36.67 -78.39|usgovarizona 33.45 -112.07
usgovtexas 29.42 -98.50|usgovvirginia 37.37 -79.82
"""

LOCATIONS: dict[str, Coordinates] = {
    name: Coordinates(float(latitude), float(longitude))
    for name, latitude, longitude in (
        line.split() for line in _LOCATIONS.strip().replace("|", "\n").splitlines()
    )
}


def distance_km(location: str, other: str) -> float:
    """Return the distance between two Azure locations."""
    return LOCATIONS[location].distance_km(LOCATIONS[other])
