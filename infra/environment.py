"""The description of an environment, infra/params/<environment>.json, read and checked.

::

    environment = Environment.read(Path("infra/params/prod.json"))
    environment.app_settings("weu")["CALLING_REGION_HOSTS"]

This is the only reader of these files in Python. It needs the standard library only and
changes nothing. infra/checks has what is checked, a module for each member of the file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import NamedTuple

from infra.checks import limits, optional
from infra.checks.advice import advice_on
from infra.checks.app_settings import check_app_settings, check_settings
from infra.checks.domain import check_domain
from infra.checks.notes import Json, Notes
from infra.checks.optional import check_optional
from infra.checks.partitions import check_one_place
from infra.checks.regions import check_names, check_regions
from infra.checks.rules import check_rules
from shared.core.strict_json import StrictJsonError, read_value

PARAMS = Path(__file__).with_name("params")
REQUIRED = ("workload", "regions", "domain", "rules", "settings")
MEMBERS = (*REQUIRED, *optional.DEFAULTS)

# Nobody can own a domain under it: RFC 6761 section 6.2.
_NO_DOMAIN = "test"

type Rule = Mapping[str, Json]


class EnvironmentFileError(Exception):
    """The file cannot be used; ``problems`` are sentences that say why."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        """Keep the sentences."""
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of the file.

    Attributes:
        default_host_name: that Azure gave its app, where it is not the usual one.
        partitions: its own; ``None`` if it has none.
    """

    code: str
    location: str
    is_enabled: bool
    default_host_name: str = ""
    partitions: Json = None

    @property
    def apps_domain(self) -> str:
        """The domain of Azure's usual host names there, as in topology.bicep."""
        is_government = self.location.startswith(("usgov", "usdod"))
        return f"azurewebsites.{'us' if is_government else 'net'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The domain of the file."""

    zone: str
    global_label: str
    key_vault_id: str
    secret_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the file says.

    Attributes:
        name: such as ``prod``.
        domain: ``None`` where apps keep the host names that Azure gives them.
        rules: region rules, as docs/settings.md describes them.
        settings: further app settings of every region.
        global_location: where the group of the global part belongs.
        tags: of all resources, beside those of the templates.
        network: address range by region code; ``None`` without private networking.
        workspaces: resource IDs by region code, of regions that have their own.
        certificate_reader: ``appService`` or ``identity``.
        files: PEM files of the checkout that belong into the package.
    """

    name: str
    workload: str
    regions: Sequence[Region]
    domain: Domain | None
    rules: Sequence[Rule]
    settings: Mapping[str, str]
    global_location: str
    tags: Mapping[str, str]
    network: Mapping[str, str] | None
    workspaces: Mapping[str, str]
    certificate_reader: str
    files: Sequence[str]

    @staticmethod
    def read(path: Path) -> "Environment":
        """Read and check a file.

        Raises:
            EnvironmentFileError: it is missing, or a deployment would refuse it.
        """
        found = check_environment(path.stem, path.parent)
        if found.environment is None:
            raise EnvironmentFileError(path, found.problems)
        return found.environment

    @staticmethod
    def from_description(name: str, description: Mapping[str, Json]) -> "Environment":
        """Take over a description in which ``check_description`` finds no problem."""
        domain = description["domain"]
        regions = tuple(map(_read_region, description["regions"]))
        further = {**optional.DEFAULTS, **description}
        network = further["network"]
        return Environment(
            name=name,
            workload=description["workload"],
            regions=regions,
            domain=_read_domain(domain) if domain else None,
            rules=tuple(description["rules"]),
            settings=dict(description["settings"]),
            global_location=further["globalLocation"] or regions[0].location,
            tags=dict(further["tags"]),
            network=dict(network["addressPrefixes"]) if network else None,
            workspaces=dict(further["workspaces"]),
            certificate_reader=further["certificateReader"],
            files=tuple(further["files"]),
        )

    @property
    def zone(self) -> str:
        """The zone of all hosts.

        Without a domain it is one under ``.test``: only Azure knows the real names.
        """
        return self.domain.zone if self.domain else f"{self.workload}.{_NO_DOMAIN}"

    @property
    def global_name(self) -> str:
        """Name of the host that goes through Traffic Manager."""
        return f"{self.domain.global_label if self.domain else 'global'}.{self.zone}"

    @property
    def has_domain(self) -> bool:
        """Whether the regions are told of the global host."""
        return self.domain is not None

    def host_name(self, code: str) -> str:
        """Return the name of a region's host."""
        return f"{code}.{self.zone}"

    def app_settings(
        self, code: str, *, port: int | None = None, rules: Sequence[Rule] | None = None
    ) -> dict[str, str]:
        """Return what regional.bicep writes for a region, all hosts with ``port``.

        Left out is what the file does not say: the IDs of the bot and of the identity.
        ``rules`` replace those of the file.
        """
        suffix = "" if port is None else f":{port}"
        codes = [region.code for region in self.regions]
        own = {region.code: region.partitions for region in self.regions}
        return region_settings(
            code,
            hosts={each: f"{self.host_name(each)}{suffix}" for each in codes},
            global_host=f"{self.global_name}{suffix}" if self.has_domain else "",
            rules=self.rules if rules is None else rules,
            further=self.settings,
            partitions=own[code],
        )


def region_settings(
    code: str,
    *,
    hosts: Mapping[str, str],
    global_host: str,
    rules: Sequence[Rule],
    further: Mapping[str, str],
    partitions: Json = None,
) -> dict[str, str]:
    """Return the app settings that tell a region of itself and of the others.

    Args:
        code: of the region.
        hosts: host by region code, this region included.
        global_host: empty where there is no domain.
        rules: region rules.
        further: settings of the description; the others win over them.
        partitions: the region's own; ``None`` if it has none.
    """
    own = {} if partitions is None else {"CALLING_PARTITIONS": json.dumps(partitions)}
    return {
        **further,
        **own,
        "CALLING_REGION": code,
        "CALLING_REGION_HOSTS": json.dumps(dict(hosts)),
        "CALLING_GLOBAL_HOST": global_host,
        "CALLING_REGION_RULES": json.dumps(list(rules)),
    }


class Findings(NamedTuple):
    """The outcome of a check.

    Attributes:
        environment: what the file says; ``None`` if there are problems.
        problems: ``place: sentence`` each.
        has_all_checks: whether the app's own reader was there to judge the settings.
        advice: ``place: sentences`` each, on what works and hurts later.
    """

    environment: Environment | None
    problems: list[str]
    has_all_checks: bool = True
    advice: Sequence[str] = ()


def check_environment(name: str, params: Path = PARAMS) -> Findings:
    """Read and check the description of an environment; raises nothing."""
    if not limits.ENVIRONMENT.fullmatch(name):
        return Findings(None, ["the name must be 2 to 8 lower-case letters, digits."])
    try:
        data = (params / f"{name}.json").read_bytes()
    except OSError:
        known = ", ".join(sorted(file.stem for file in params.glob("*.json")))
        return Findings(None, [f"there is no such file; there are: {known}."])
    try:
        description = read_value(data)
    except StrictJsonError as error:
        return Findings(None, [f"the file is not JSON: {_explain(error.__cause__)}."])
    return check_description(name, description)


def check_description(name: str, description: Json) -> Findings:
    """Check a description that is already read."""
    notes = Notes()
    if type(description) is not dict:
        notes.problems.append(f"must be an object with {', '.join(REQUIRED)}.")
        return Findings(None, notes.problems)
    notes.members(description, MEMBERS, required=REQUIRED)
    regions = description.get("regions", [])
    if "regions" in description:
        check_regions(regions, notes)
    if "workload" in description:
        check_names(description["workload"], name, regions, notes)
    check_domain(description.get("domain"), regions, notes)
    check_rules(description.get("rules", []), regions, notes)
    check_settings(description.get("settings", {}), notes)
    check_one_place(regions, description.get("settings"), notes)
    check_optional(description, notes)
    if notes.problems:
        return Findings(None, notes.problems)
    environment = Environment.from_description(name, description)
    has_all_checks = check_app_settings(
        [environment.app_settings(region.code) for region in environment.regions], notes
    )
    if notes.problems:
        return Findings(None, notes.problems)
    return Findings(environment, [], has_all_checks, list(advice_on(description)))


def _read_region(member: Mapping[str, Json]) -> Region:
    return Region(
        code=member["code"],
        location=member["location"],
        is_enabled=member.get("enabled", True),
        default_host_name=member.get("defaultHostName", ""),
        partitions=member.get("partitions"),
    )


def _read_domain(member: Mapping[str, Json]) -> Domain:
    return Domain(
        zone=member["zone"],
        global_label=member["globalLabel"],
        key_vault_id=member["keyVaultId"],
        secret_name=member["secretName"],
    )


def _explain(cause: BaseException | None) -> str:
    if isinstance(cause, JSONDecodeError):
        return f"line {cause.lineno}, column {cause.colno}: {cause.msg}"
    return str(cause or "something follows its end")
