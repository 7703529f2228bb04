"""The settings of an environment: names that are allowed, values that the app accepts.

The names come from local.settings.sample.json, which a test compares with the code. The
app's own reader checks the values, in the app settings that each region would get. It
needs the packages of the app (``make setup``); without them values are not checked.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.checks.notes import Json, Notes, suggestion

SAMPLE = Path(__file__).resolve().parents[2] / "local.settings.sample.json"
# The templates write these, from the rest of the file and from what they create.
OWNED = (
    "MicrosoftAppId",
    "CALLING_REGION",
    "CALLING_REGION_HOSTS",
    "CALLING_GLOBAL_HOST",
    "CALLING_REGION_RULES",
    "CALLING_IDENTITY_CLIENT_ID",
    "CALLING_STATE_URL",
)
SECRETS = ("MicrosoftAppPassword",)
# https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
_REFERENCE = re.compile(
    r"@Microsoft\.KeyVault\((?:SecretUri=https://|VaultName=)[^()]+\)"
)
# Files of the app are not on this machine, and Azure resolves references to secrets.
_ONLY_HERE = (
    "names a file that cannot be read.",
    "is a Key Vault reference that was not resolved.",
)
_DEPLOYMENT_IDS = {
    "MicrosoftAppId": "00000000-0000-0000-0000-000000000000",
    "CALLING_IDENTITY_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
}


def check_settings(settings: Json, notes: Notes) -> None:
    """Note settings that are unknown, the templates' own, secret or not a string."""
    if type(settings) is not dict:
        notes.note("settings", "must be an object, {} if there are none.")
        return
    known = _known_names()
    for name, value in settings.items():
        place = f"settings.{name}"
        if name in OWNED:
            notes.note(place, "is written by the templates, not by this file.")
        elif name in SECRETS and not _is_reference(value):
            notes.note(place, "is a secret; only a reference to it may be here.")
        elif name not in known and name not in SECRETS:
            notes.note(place, f"is not a setting of the app{suggestion(name, known)}.")
        elif type(value) is not str:
            notes.note(place, "must be a string; put JSON and numbers in quotes, too.")


def check_app_settings(regions: Iterable[Mapping[str, str]], notes: Notes) -> bool:
    """Note what the app would refuse; tell whether it could be checked.

    ``regions`` are the app settings of each region, without the IDs that only a
    deployment knows.
    """
    try:
        from shared.settings import read_settings  # noqa: PLC0415 - needs packages
    except ImportError:
        return False
    found = {
        problem
        for app_settings in regions
        for problem in read_settings({**app_settings, **_DEPLOYMENT_IDS}).problems
        if not problem.endswith(_ONLY_HERE)
    }
    for problem in sorted(found):
        notes.note("settings", f"the app would refuse to start: {problem}")
    return True


def _is_reference(value: Json) -> bool:
    """Tell whether a value only says where in a Key Vault the secret is."""
    return type(value) is str and _REFERENCE.fullmatch(value) is not None


def _known_names() -> list[str]:
    values = json.loads(SAMPLE.read_text("utf-8"))["Values"]
    return [name for name in values if name.startswith("CALLING_")]
