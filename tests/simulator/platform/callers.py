"""Who calls the bot, and from where.

A caller has a source address of 127.0.2.x; by it the name server knows where a
question comes from.
"""

from dataclasses import dataclass

from tests.simulator.services.places import Coordinates


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who calls the bot, and the data centre that hosts the call.

    Attributes:
        key: how commands and events name the caller.
        country_code: ``source.countryCode`` of the notification.
        region: ``source.region`` and ``X-Microsoft-Skype-Caller-Region``.
        location: Azure location of the platform's data centre.
        address: source address of everything that the platform sends for this caller.
    """

    key: str
    city: str
    country_code: str
    region: str
    location: str
    coordinates: Coordinates
    address: str


_CALLERS = """
amsterdam NL emea westeurope 52.37 4.90
frankfurt DE emea germanywestcentral 50.11 8.68
paris FR emea francecentral 48.86 2.35
london GB emea uksouth 51.51 -0.13
dublin IE emea northeurope 53.35 -6.26
johannesburg ZA emea southafricanorth -26.20 28.05
new-york US amer eastus 40.71 -74.01
chicago US amer northcentralus 41.88 -87.63
san-francisco US amer westus 37.77 -122.42
sao-paulo BR amer brazilsouth -23.55 -46.63
singapore SG apac southeastasia 1.35 103.82
hong-kong HK apac eastasia 22.32 114.17
tokyo JP apac japaneast 35.68 139.69
sydney AU apac australiaeast -33.87 151.21
mumbai IN apac centralindia 19.08 72.88
"""

CALLERS: dict[str, Caller] = {
    key: Caller(
        key=key,
        city=key.replace("-", " ").title(),
        country_code=country,
        region=region,
        location=location,
        coordinates=Coordinates(float(latitude), float(longitude)),
        address=f"127.0.2.{last}",
    )
    for last, (key, country, region, location, latitude, longitude) in enumerate(
        (line.split() for line in _CALLERS.strip().splitlines()), start=1
    )
}
_LOCATION_BY_ADDRESS = {caller.address: caller.location for caller in CALLERS.values()}


def location_of(address: str) -> str | None:
    """Return the location that a source address stands for."""
    return _LOCATION_BY_ADDRESS.get(address)
