"""Descriptions of environments (``infra/params/<name>.json``), as explain needs them.

Hosts and rules are those that the deployments would get. What only Azure or the
deployment's machine knows (application ID, files, credentials) plays no part in a
decision and is replaced or left out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.check_environment import check_description
from shared.core.strict_json import StrictJsonError, read_value

DEFAULT_FILE = Path(__file__).resolve().parents[3] / "infra" / "params" / "prod.json"

_ANY_GUID = "00000000-0000-4000-8000-000000000000"
_NOT_FOR_DECISIONS = (
    "CALLING_CREDENTIAL",
    "CALLING_CERTIFICATE_PATH",
    "CALLING_CA_BUNDLE",
)
_MAX_FILE_BYTES = 1024 * 1024


class EnvironmentFileError(ValueError):
    """The file describes no environment; the message is made of sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment: its regions, best known first, and what they are told.

    Attributes:
        name: such as ``prod``.
        hosts: host by region code.
        rules: CALLING_REGION_RULES, as JSON.
        settings: further settings of every region.
    """

    name: str
    hosts: Mapping[str, str]
    global_host: str = ""
    rules: Any = ()
    settings: Mapping[str, str]

    @property
    def regions(self) -> tuple[str, ...]:
        """The codes of the regions, in the order of the file."""
        return tuple(self.hosts)

    def app_settings(self, region: str) -> dict[str, str]:
        """Return the environment variables of the deployment of a region."""
        further = {
            name: value
            for name, value in self.settings.items()
            if name not in _NOT_FOR_DECISIONS
        }
        return {
            **further,
            "MicrosoftAppId": _ANY_GUID,
            "CALLING_REGION": region,
            "CALLING_REGION_HOSTS": json.dumps(dict(self.hosts)),
            "CALLING_GLOBAL_HOST": self.global_host,
            "CALLING_REGION_RULES": json.dumps(self.rules),
        }


def read_environment(path: Path) -> Environment:
    """Read the description of an environment from a file.

    Raises:
        EnvironmentFileError: it cannot be read, or has problems, which are all told.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        sentence = f"cannot be read: {error.strerror or 'unknown error'}."
        raise EnvironmentFileError(sentence) from error
    try:
        description = read_value(data[: _MAX_FILE_BYTES + 1])
    except StrictJsonError as error:
        message = f"is not JSON: {error.__cause__}."
        raise EnvironmentFileError(message) from error
    problems = check_description(path.stem, description).problems
    if problems:
        raise EnvironmentFileError("; ".join(problems))
    domain = description["domain"]
    zone = domain["zone"] if domain else ""
    return Environment(
        name=path.stem,
        hosts={
            region["code"]: _host_of(region, zone) for region in description["regions"]
        },
        global_host=f"{domain['globalLabel']}.{zone}" if domain else "",
        rules=description["rules"],
        settings=description["settings"],
    )


def _host_of(region: Mapping[str, Any], zone: str) -> str:
    """Return the host of a region; without a domain only Azure knows the real one."""
    code = region["code"]
    if zone:
        return f"{code}.{zone}"
    return str(region.get("defaultHostName") or f"{code}.azurewebsites.net")
