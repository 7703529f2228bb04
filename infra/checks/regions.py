"""The regions of an environment: codes, locations, and the names made from them."""

from collections.abc import Mapping

from infra.checks import limits
from infra.checks.notes import Json, Notes, matches, objects, suggestion
from infra.checks.partitions import check_partitions

MEMBERS = (
    "code",
    "location",
    "enabled",
    "priority",
    "defaultHostName",
    "partitions",
)
# The name of the global part's group and deployment.
GLOBAL = "global"


def check_regions(regions: Json, notes: Notes) -> None:
    """Note what is wrong with each region, and values that two of them share."""
    if type(regions) is not list or not regions:
        notes.note("regions", "must be a list with at least one region.")
        return
    if len(regions) > limits.MAX_REGIONS:
        sentence = f"has {len(regions)}; a bot can trust at most {limits.MAX_REGIONS}."
        notes.note("regions", sentence)
    for position, region in enumerate(regions):
        if type(region) is dict:
            _check_region(region, f"regions[{position}]", notes)
        else:
            notes.note(f"regions[{position}]", "must be an object with a code.")
    for name in ("code", "priority", "defaultHostName"):
        _check_unique(regions, name, notes)
    usable = objects(regions)
    if usable and all(region.get("enabled") is False for _, region in usable):
        notes.note(
            "regions", "are all disabled, so the global host would lead nowhere."
        )


def check_names(workload: Json, environment: str, regions: Json, notes: Notes) -> None:
    """Note the names that would be too long for Azure."""
    if not matches(limits.WORKLOAD, workload):
        sentence = "must be 2 to 12 lower-case letters and digits, a letter first."
        notes.note("workload", sentence)
        return
    for position, region in objects(regions):
        code = region.get("code")
        if not matches(limits.REGION_CODE, code):
            continue
        for resource, name, longest in limits.names(workload, environment, str(code)):
            if len(name) > longest:
                sentence = (
                    f"the {resource} «{name}» would have {len(name)} characters, "
                    f"but Azure allows {longest}; shorten the code or the workload."
                )
                notes.note(f"regions[{position}].code", sentence)


def _check_region(region: Mapping[str, Json], place: str, notes: Notes) -> None:
    notes.members(region, MEMBERS, required=("code", "location"), prefix=f"{place}.")
    code = region.get("code", "xx")
    if not matches(limits.REGION_CODE, code):
        notes.note(f"{place}.code", "must be 2 to 6 lower-case letters and digits.")
    elif code == GLOBAL:
        notes.note(f"{place}.code", f"«{GLOBAL}» is the name of the global part.")
    check_location(region.get("location", "westeurope"), f"{place}.location", notes)
    if type(region.get("enabled", True)) is not bool:
        notes.note(f"{place}.enabled", "must be true or false.")
    priority = region.get("priority", 1)
    if type(priority) is not int or not 1 <= priority <= limits.MAX_PRIORITY:
        sentence = f"must be a whole number from 1 to {limits.MAX_PRIORITY}."
        notes.note(f"{place}.priority", sentence)
    if "partitions" in region:
        check_partitions(region["partitions"], f"{place}.partitions", notes)


def check_location(location: Json, place: str, notes: Notes) -> None:
    """Note a location that Azure does not have."""
    if type(location) is not str:
        notes.note(place, "must be the name of an Azure location.")
    elif location not in limits.LOCATIONS:
        near = suggestion(location.lower().replace(" ", ""), limits.LOCATIONS)
        notes.note(place, f"«{location}» is not an Azure location{near}.")


def _check_unique(regions: Json, name: str, notes: Notes) -> None:
    first: dict[str | int, int] = {}
    for position, region in objects(regions):
        value = region.get(name)
        if not isinstance(value, str | int):
            continue
        if first.setdefault(value, position) != position:
            sentence = f"«{value}» is already used by regions[{first[value]}]."
            notes.note(f"regions[{position}].{name}", sentence)
