"""The optional members of a description: what each may be, and its default."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

from infra.checks import limits
from infra.checks.files import check_files
from infra.checks.notes import Json, Notes, matches, objects, texts
from infra.checks.regions import check_location

# topology.bicep has the same defaults for the members that templates read.
DEFAULTS: Mapping[str, Any] = {
    "globalLocation": None,
    "tags": {},
    "network": None,
    "workspaces": {},
    "certificateReader": "appService",
    "files": [],
}
NETWORK_MEMBERS = ("addressPrefixes",)
READERS = ("appService", "identity")
_OWN_TAGS = ("workload", "environment", "region")
# Settings that name a file of the app.
_FILE_SETTINGS = ("CALLING_CERTIFICATE_PATH", "CALLING_CA_BUNDLE")


def check_optional(description: Mapping[str, Json], notes: Notes) -> None:
    """Note what is wrong with the optional members that are there."""
    regions = objects(description.get("regions"))
    codes = texts([region.get("code") for _, region in regions])
    if "globalLocation" in description:
        check_location(description["globalLocation"], "globalLocation", notes)
    _check_tags(description.get("tags", {}), notes)
    if description.get("network") is not None:
        _check_network(description["network"], codes, notes)
    _check_workspaces(description.get("workspaces", {}), codes, notes)
    if description.get("certificateReader", READERS[0]) not in READERS:
        notes.note("certificateReader", f"must be {' or '.join(READERS)}.")
    check_files(description.get("files", []), notes)
    _check_named_files(description, notes)


def _check_tags(tags: Json, notes: Notes) -> None:
    if type(tags) is not dict:
        notes.note("tags", "must be an object, {} if there are none.")
        return
    if len(tags) > limits.MAX_TAGS:
        notes.note("tags", f"has {len(tags)}; there can be at most {limits.MAX_TAGS}.")
    seen: set[str] = set()
    for name, value in tags.items():
        place = f"tags.{name}"
        if not limits.TAG_NAME.fullmatch(name):
            sentence = "has a name that a DNS zone does not take: up to 128 letters,"
            notes.note(place, f"{sentence} digits, - and _, a letter first.")
        elif name.lower() in _OWN_TAGS:
            notes.note(place, "is written by the templates, not by this file.")
        elif name.lower() in seen:
            notes.note(place, "is there twice: Azure ignores upper and lower case.")
        seen.add(name.lower())
        if type(value) is not str or len(value) > limits.MAX_TAG_VALUE:
            longest = limits.MAX_TAG_VALUE
            notes.note(place, f"must be a string of at most {longest} characters.")


def _check_network(network: Json, codes: list[str], notes: Notes) -> None:
    if type(network) is not dict:
        sentence = f"must be null or an object with {', '.join(NETWORK_MEMBERS)}."
        notes.note("network", sentence)
        return
    notes.members(network, NETWORK_MEMBERS, required=NETWORK_MEMBERS, prefix="network.")
    prefixes = network.get("addressPrefixes", {})
    place = "network.addressPrefixes"
    if type(prefixes) is not dict:
        notes.note(place, "must be an object with an address range for each region.")
        return
    _check_codes(prefixes, codes, place, notes)
    for code in codes:
        if "addressPrefixes" in network and code not in prefixes:
            notes.note(f"{place}.{code}", "is missing.")
    known: dict[str, IPv4Network] = {}
    for code, prefix in prefixes.items():
        if sentence := _range_problem(prefix, known):
            notes.note(f"{place}.{code}", sentence)
        else:
            known[code] = IPv4Network(prefix)


def _range_problem(prefix: Json, known: Mapping[str, IPv4Network]) -> str:
    """Return what is wrong with an address range, or nothing."""
    try:
        # A number would be taken for an address, too.
        network = IPv4Network(prefix if type(prefix) is str else "")
    except ValueError:
        return "must be a range of addresses, such as 10.90.0.0/24."
    if not limits.MIN_PREFIX <= network.prefixlen <= limits.MAX_PREFIX:
        sizes = f"/{limits.MIN_PREFIX} to /{limits.MAX_PREFIX}"
        return f"must be from {sizes}: two subnets have to fit."
    if not any(network.subnet_of(one) for one in limits.PRIVATE_RANGES):
        return "must be private: in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
    if any(network.overlaps(one) for one in limits.RESERVED_RANGES):
        return "overlaps 172.30.0.0/15, which Azure's platform uses itself."
    for code, other in known.items():
        if network.overlaps(other):
            return f"overlaps the range of {code}: they could never be connected."
    return ""


def _check_workspaces(workspaces: Json, codes: list[str], notes: Notes) -> None:
    if type(workspaces) is not dict:
        notes.note("workspaces", "must be an object with workspaces by region code.")
        return
    _check_codes(workspaces, codes, "workspaces", notes)
    for code, workspace in workspaces.items():
        if not matches(limits.WORKSPACE_ID, workspace):
            sentence = "must be the resource ID of a Log Analytics workspace."
            notes.note(f"workspaces.{code}", sentence)


def _check_codes(
    members: Mapping[str, Json], codes: list[str], place: str, notes: Notes
) -> None:
    for code in members:
        if code not in codes:
            notes.note(f"{place}.{code}", "is not a region of this file.")


def _check_named_files(description: Mapping[str, Json], notes: Notes) -> None:
    """Note a relative path in the settings that the package would not have."""
    settings, files = description.get("settings"), description.get("files", [])
    if type(settings) is not dict or type(files) is not list:
        return
    for name in _FILE_SETTINGS:
        value = settings.get(name)
        path = value.strip() if type(value) is str else ""
        if path and not path.startswith("/") and path not in files:
            sentence = f"«{path}» is not one of files, so the package"
            notes.note(f"settings.{name}", f"{sentence} would not have it.")
