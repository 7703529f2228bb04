"""local.settings.json, as Core Tools read it."""

import json
from collections.abc import Mapping, MutableMapping
from pathlib import Path

_BODY_SIZE_LIMIT = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
_DEFAULT_BODY_BYTES = 104_857_600


class LocalSettingsError(Exception):
    """The file cannot be used; the message says why and what to do."""


def apply_local_settings(
    app_directory: Path, environ: MutableMapping[str, str], *, port: int
) -> None:
    """Put ``Values`` into the environment; a non-empty variable that exists wins.

    Raises:
        LocalSettingsError: the file is there, but cannot be used.
    """
    for name, value in _read_values(app_directory / "local.settings.json").items():
        if not environ.get(name):
            environ[name] = value
    environ.setdefault("WEBSITE_HOSTNAME", f"localhost:{port}")
    environ["AZURE_FUNCTIONS_ENVIRONMENT"] = "Development"


def max_body_bytes(environ: Mapping[str, str]) -> int:
    """Return how large a body may be; the host ignores a limit that is no number.

    https://learn.microsoft.com/azure/azure-functions/functions-app-settings
    """
    try:
        return int(environ.get(_BODY_SIZE_LIMIT, ""))
    except ValueError:
        return _DEFAULT_BODY_BYTES


def _read_values(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text("utf-8-sig"))
        values = content.get("Values", {})
        # Core Tools count an absent IsEncrypted as true.
        is_encrypted = content.get("IsEncrypted", True)
        texts = {
            str(name): str(value) for name, value in values.items() if value is not None
        }
    except (OSError, ValueError, AttributeError) as error:
        message = f"{path.name} cannot be read: make it anew from the sample file."
        raise LocalSettingsError(message) from error
    if is_encrypted:
        message = f'{path.name} counts as encrypted: add "IsEncrypted": false.'
        raise LocalSettingsError(message)
    return texts
