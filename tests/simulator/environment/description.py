"""An environment file, and the app settings that its regions get of it.

``infra/params/<environment>.json`` is what the templates deploy; here it is what the
simulated environment runs. The settings are put together as the templates do it; what
leads to the outside (identity provider, Entra, Graph, authority, credential) is the
simulator's.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from infra.check_environment import check_environment

type Rule = Mapping[str, Any]

# A domain that can belong to nobody: RFC 6761 section 6.2.
_NO_DOMAIN = "test"


class EnvironmentFileError(Exception):
    """The file cannot be used; ``problems`` are sentences that say why."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        """Keep the sentences."""
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionEntry:
    """A region of the file."""

    code: str
    location: str
    is_enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFile:
    """What the file says.

    Attributes:
        zone: of all hosts; one under ``.test`` where the file has no domain.
        global_name: leads through Traffic Manager.
        has_domain: whether the regions are told of the global host.
    """

    name: str
    regions: Sequence[RegionEntry]
    zone: str
    global_name: str
    has_domain: bool
    rules: Sequence[Rule]
    settings: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a file.

        Raises:
            EnvironmentFileError: it is missing, or a deployment would refuse it.
        """
        found = check_environment(path.stem, path.parent)
        if found.problems:
            raise EnvironmentFileError(path, found.problems)
        description = found.description
        domain = description["domain"]
        zone = domain["zone"] if domain else f"{description['workload']}.{_NO_DOMAIN}"
        label = domain["globalLabel"] if domain else "global"
        return cls(
            name=path.stem,
            regions=tuple(map(_read_region, description["regions"])),
            zone=zone,
            global_name=f"{label}.{zone}",
            has_domain=domain is not None,
            rules=tuple(description["rules"]),
            settings=dict(description["settings"]),
        )

    def host_name(self, code: str) -> str:
        """Return the name of a region's host."""
        return f"{code}.{self.zone}"

    def app_settings(
        self, code: str, *, port: int, rules: Sequence[Rule]
    ) -> dict[str, str]:
        """Return what the templates would write for a region, hosts with ``port``."""
        hosts = {
            region.code: f"{self.host_name(region.code)}:{port}"
            for region in self.regions
        }
        settings = {
            **self.settings,
            "CALLING_REGION": code,
            "CALLING_REGION_HOSTS": json.dumps(hosts),
            "CALLING_REGION_RULES": json.dumps(list(rules)),
        }
        if self.has_domain:
            settings["CALLING_GLOBAL_HOST"] = f"{self.global_name}:{port}"
        return settings


def _read_region(member: Mapping[str, Any]) -> RegionEntry:
    return RegionEntry(
        code=member["code"],
        location=member["location"],
        is_enabled=member.get("enabled", True),
    )
