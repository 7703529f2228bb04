"""The domain of an environment: its hosts can be made, and no redirect loops."""

import re
from collections.abc import Mapping

from infra.checks import limits
from infra.checks.notes import Json, Notes, matches, objects
from shared.core.hosts import is_host, is_under_traffic_manager

MEMBERS = ("zone", "globalLabel", "keyVaultId", "secretName")

_AZURES_OWN = re.compile(r"(?:.+\.)?azurewebsites\.(?:net|us)")


def check_domain(domain: Json, regions: Json, notes: Notes) -> None:
    """Note what is wrong with the domain, and with the regions' hosts in it."""
    if domain is None:
        _check_default_hosts(regions, "", "", notes)
        return
    if type(domain) is not dict:
        notes.note("domain", f"must be null or an object with {', '.join(MEMBERS)}.")
        return
    notes.members(domain, MEMBERS, required=MEMBERS, prefix="domain.")
    zone, label = str(domain.get("zone", "")), str(domain.get("globalLabel", ""))
    if "zone" in domain:
        _check_zone(domain["zone"], notes)
    if "globalLabel" in domain:
        _check_global_label(domain["globalLabel"], regions, notes)
    _check_certificate(domain, notes)
    _check_default_hosts(regions, zone, f"{label}.{zone}", notes)


def _check_zone(zone: Json, notes: Notes) -> None:
    place = "domain.zone"
    if type(zone) is not str or not is_host(zone) or ":" in zone or "." not in zone:
        notes.note(place, "must be a domain name, such as calls.contoso.com.")
    elif len(zone) > limits.MAX_ZONE:
        notes.note(place, f"must have at most {limits.MAX_ZONE} characters.")
    elif zone != zone.lower():
        notes.note(place, "must be in lower case.")
    elif is_under_traffic_manager(zone):
        notes.note(
            place, "belongs to Traffic Manager: a redirect to a host in it loops."
        )
    elif _AZURES_OWN.fullmatch(zone):
        notes.note(place, "belongs to Azure: you cannot make records in it.")


def _check_global_label(label: Json, regions: Json, notes: Notes) -> None:
    if not matches(limits.DNS_LABEL, label):
        sentence = "must be one label of a host name, in lower case."
        notes.note("domain.globalLabel", sentence)
    elif label == limits.PROOF_LABEL:
        notes.note(
            "domain.globalLabel",
            f"«{label}» is reserved for Azure's domain verification.",
        )
    for position, region in objects(regions):
        if region.get("code") == label:
            sentence = f"«{label}» is the global host's label: a redirect to it loops."
            notes.note(f"regions[{position}].code", sentence)
        elif region.get("code") == limits.PROOF_LABEL:
            sentence = (
                f"«{limits.PROOF_LABEL}» is reserved for Azure's domain verification."
            )
            notes.note(f"regions[{position}].code", sentence)


def _check_certificate(domain: Mapping[str, Json], notes: Notes) -> None:
    if "keyVaultId" in domain and not matches(
        limits.KEY_VAULT_ID, domain["keyVaultId"]
    ):
        notes.note("domain.keyVaultId", "must be the resource ID of a Key Vault.")
    if "secretName" in domain and not matches(
        limits.KEY_VAULT_SECRET, domain["secretName"]
    ):
        sentence = "must be the name of a certificate in the Key Vault."
        notes.note("domain.secretName", sentence)


def _check_default_hosts(
    regions: Json, zone: str, global_host: str, notes: Notes
) -> None:
    for position, region in objects(regions):
        if "defaultHostName" not in region:
            continue
        host = region["defaultHostName"]
        place = f"regions[{position}].defaultHostName"
        if type(host) is not str or not is_host(host):
            notes.note(place, "must be a host name, such as app.azurewebsites.net.")
        elif is_under_traffic_manager(host):
            notes.note(place, "belongs to Traffic Manager: a redirect to it loops.")
        elif zone and host == global_host:
            notes.note(place, "is the global host: a redirect to it loops.")
        elif zone and host.endswith(f".{zone}"):
            notes.note(
                place, "is in the zone, but hosts of the zone are aliases of it."
            )
        elif not matches(limits.DEFAULT_HOST, host):
            notes.note(
                place, "must be the app's default host name, …azurewebsites.net."
            )
