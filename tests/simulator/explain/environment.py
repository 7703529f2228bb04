"""Environments as explain needs them: the hosts, rules and settings of deployments.

What only Azure or the deployment's machine knows (application ID, files, credentials)
plays no part in a decision and is replaced or left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.environment import Environment as EnvironmentFile
from infra.environment import region_settings

_ANY_GUID = "00000000-0000-4000-8000-000000000000"
_NOT_FOR_DECISIONS = (
    "CALLING_CREDENTIAL",
    "CALLING_CERTIFICATE_PATH",
    "CALLING_CA_BUNDLE",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment: its regions, and what they are told.

    Attributes:
        name: such as ``prod``.
        hosts: host by region code.
        rules: CALLING_REGION_RULES, as JSON.
        settings: further settings of every region.
        partitions: of those regions that have their own, by code.
    """

    name: str
    hosts: Mapping[str, str]
    global_host: str = ""
    rules: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, str]
    partitions: Mapping[str, Any] = field(default_factory=dict)

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
        settings = region_settings(
            region,
            hosts=self.hosts,
            global_host=self.global_host,
            rules=self.rules,
            further=further,
            partitions=self.partitions.get(region),
        )
        return {**settings, "MicrosoftAppId": _ANY_GUID}


def read_environment(path: Path) -> Environment:
    """Read the description of an environment from a file.

    Raises:
        EnvironmentFileError: it is missing, or a deployment would refuse it.
    """
    file = EnvironmentFile.read(path)
    return Environment(
        name=file.name,
        hosts={region.code: file.host_name(region.code) for region in file.regions},
        global_host=file.global_name if file.has_domain else "",
        rules=file.rules,
        settings=file.settings,
        partitions={
            region.code: region.partitions
            for region in file.regions
            if region.partitions is not None
        },
    )
