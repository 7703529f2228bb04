"""The app settings: environment variables in, one frozen ``Settings`` out.

All problems are collected and reported together, by name and never by value; with a
problem there are no settings. Names, defaults and meanings: docs/settings.md. Reads the
files that settings name, to tell at once whether they can be used; opens no socket.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeIs

from shared.core.clouds import Cloud
from shared.core.hosts import host_identity, is_host, is_under_traffic_manager
from shared.core.partitions import is_partition_name
from shared.core.regions import CONDITIONS, RegionRule
from shared.core.tokens import MAX_LEEWAY_SECONDS
from shared.setting_reader import SettingReader, is_region_code

# Every setting that this product reads, in the order of docs/settings.md.
NAMES = (
    "MicrosoftAppId",
    "CALLING_CLOUD",
    "CALLING_OPENID_CONFIGURATION_URL",
    "CALLING_METADATA_ISSUER",
    "CALLING_ISSUERS",
    "CALLING_LOGIN_URL",
    "CALLING_GRAPH_URL",
    "CALLING_TENANTS",
    "CALLING_TOKEN_LEEWAY_SECONDS",
    "CALLING_REGION",
    "CALLING_REGION_HOSTS",
    "CALLING_GLOBAL_HOST",
    "CALLING_REGION_RULES",
    "CALLING_REDIRECT_STATUS",
    "CALLING_ANSWER",
    "CALLING_PARTITIONS",
    "CALLING_CREDENTIAL",
    "CALLING_IDENTITY_CLIENT_ID",
    "MicrosoftAppPassword",
    "CALLING_CERTIFICATE_PATH",
    "CALLING_CA_BUNDLE",
)
# Set by Functions itself: https://learn.microsoft.com/azure/app-service/reference-app-settings
_OWN_HOST_NAME = "WEBSITE_HOSTNAME"
_PREFIX = "CALLING_"


class CredentialKind(StrEnum):
    """How tokens for Graph are got."""

    MANAGED_IDENTITY = "managed-identity"
    CLIENT_SECRET = "client-secret"  # noqa: S105 - the name of a kind, no secret
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSettings:
    """What the chosen kind of credential needs; the rest may be empty."""

    kind: CredentialKind
    app_id: str
    login_url: str
    federation_audience: str
    identity_client_id: str
    app_password: str
    certificate_path: str

    def __repr__(self) -> str:
        """Show the kind only: a secret must not reach a log by accident."""
        return f"CredentialSettings(kind={self.kind.value!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Usable settings.

    ``region`` is empty where there is only one deployment; ``callback_host`` is the
    host of every ``callbackUri``, empty only if ``answer`` is false.
    """

    app_id: str
    openid_configuration_url: str
    metadata_issuer: str
    issuers: frozenset[str]
    graph_url: str
    tenants: frozenset[str]
    token_leeway_seconds: int
    region: str
    region_hosts: Mapping[str, str]
    region_rules: tuple[RegionRule, ...]
    redirect_status: int
    answer: bool
    partitions: tuple[str, ...]
    callback_host: str
    credential: CredentialSettings
    ca_bundle: str


class SettingsReport(NamedTuple):
    """The outcome of reading: settings, or the problems why there are none.

    Attributes:
        settings: ``None`` if there is a problem.
        problems: ``NAME: sentence`` each, never a value.
        warnings: the same, for what does not make the settings unusable.
        region: code of this deployment if it can be told, for the health report.
    """

    settings: Settings | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    region: str


def read_settings(environ: Mapping[str, str]) -> SettingsReport:
    """Read all settings; raises nothing, whatever they contain."""
    reader = SettingReader(environ)
    settings = _read(reader)
    problems = tuple(reader.problems)
    return SettingsReport(
        settings=None if problems else settings,
        problems=problems,
        warnings=_warnings(environ),
        region=settings.region,
    )


def _warnings(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name unknown settings: a typing error, or newer infrastructure than code."""
    return tuple(
        f"{name}: unknown setting."
        for name in sorted(environ)
        if name.startswith(_PREFIX) and name not in NAMES and environ[name].strip()
    )


def _read(reader: SettingReader) -> Settings:
    cloud = reader.cloud("CALLING_CLOUD")
    reader.required("MicrosoftAppId", "(application ID of the bot)")
    region = reader.code("CALLING_REGION")
    hosts = _read_region_hosts(reader, region)
    region_hosts = hosts or {}
    answer = reader.boolean("CALLING_ANSWER", default=True)
    return Settings(
        app_id=reader.guid("MicrosoftAppId"),
        openid_configuration_url=reader.url(
            "CALLING_OPENID_CONFIGURATION_URL", cloud.openid_configuration_url
        ),
        metadata_issuer=reader.url("CALLING_METADATA_ISSUER", cloud.metadata_issuer),
        issuers=frozenset(reader.urls("CALLING_ISSUERS", cloud.issuers)),
        graph_url=reader.url("CALLING_GRAPH_URL", cloud.graph_url).rstrip("/"),
        tenants=frozenset(reader.guids("CALLING_TENANTS")),
        token_leeway_seconds=reader.integer(
            "CALLING_TOKEN_LEEWAY_SECONDS",
            default=MAX_LEEWAY_SECONDS,
            allowed=range(MAX_LEEWAY_SECONDS + 1),
        ),
        region=region,
        region_hosts=region_hosts,
        region_rules=_read_region_rules(reader, hosts or None),
        redirect_status=int(
            reader.choice("CALLING_REDIRECT_STATUS", ("302", "307"), default="302")
        ),
        answer=answer,
        partitions=_read_partitions(reader),
        callback_host=_read_callback_host(
            reader, region_hosts.get(region, ""), is_needed=answer
        ),
        credential=_read_credential(reader, cloud, is_needed=answer),
        ca_bundle=reader.authorities_file("CALLING_CA_BUNDLE"),
    )


def _read_region_hosts(reader: SettingReader, region: str) -> Mapping[str, str] | None:
    """Read the host of each region; ``None`` where it is not known which there are."""
    name = "CALLING_REGION_HOSTS"
    hosts = reader.json(name, dict, "object of region codes and hosts")
    entries = hosts or {}
    for position, (code, host) in enumerate(entries.items(), start=1):
        for problem in _host_problems(code, host):
            reader.note(name, f"entry {position} {problem}.")
    usable = [host_identity(host) for host in entries.values() if _is_host(host)]
    if len(set(usable)) < len(usable):
        reader.note(name, "has two regions with one host.")
    global_host = reader.text("CALLING_GLOBAL_HOST")
    if is_host(global_host) and host_identity(global_host) in usable:
        reader.note(name, "has the host of CALLING_GLOBAL_HOST.")
    if hosts != {} and not reader.text("CALLING_REGION"):
        reader.note(name, "needs CALLING_REGION.")
    if hosts is None:
        return None
    if region and region not in hosts:
        reader.note("CALLING_REGION", "is not a region of CALLING_REGION_HOSTS.")
    return {code: host if _is_host(host) else "" for code, host in hosts.items()}


def _host_problems(code: str, host: object) -> Iterator[str]:
    if not is_region_code(code):
        yield "has an ill-formed region code"
    if not _is_host(host):
        yield "is not a host, with or without a port"
    elif is_under_traffic_manager(host):
        yield "is under trafficmanager.net"


def _is_host(value: object) -> TypeIs[str]:
    return type(value) is str and is_host(value)


def _read_callback_host(
    reader: SettingReader, region_host: str, *, is_needed: bool
) -> str:
    """Read the host of callbackUri: the region's, the global one, or Functions' own."""
    global_host = reader.host("CALLING_GLOBAL_HOST")
    chosen = region_host or global_host
    if chosen or not is_needed:
        return chosen
    # A problem of its own is noted where a region or a host is there, but unusable.
    if reader.text("CALLING_REGION") or reader.text("CALLING_GLOBAL_HOST"):
        return ""
    return reader.host(_OWN_HOST_NAME) or reader.required(
        _OWN_HOST_NAME,
        "to answer calls where no CALLING_REGION or CALLING_GLOBAL_HOST is set",
    )


def _read_region_rules(
    reader: SettingReader, hosts: Mapping[str, str] | None
) -> tuple[RegionRule, ...]:
    """Read the rules; ``hosts`` are those of the regions, ``None`` if not known."""
    name = "CALLING_REGION_RULES"
    rules = reader.json(name, list, "list of rules")
    problems = [
        f"rule {position} {problem}."
        for position, rule in enumerate(rules or (), start=1)
        for problem in _rule_problems(rule, hosts)
    ]
    for problem in problems:
        reader.note(name, problem)
    if rules != [] and not reader.text("CALLING_REGION"):
        reader.note(name, "needs CALLING_REGION.")
    return () if problems else tuple(map(_build_rule, rules or ()))


def _rule_problems(rule: object, hosts: Mapping[str, str] | None) -> Iterator[str]:
    if type(rule) is not dict or "regions" not in rule:
        yield "must be an object with regions"
        return
    if not rule.keys() <= {"regions", *CONDITIONS}:
        yield "has an unknown condition"
    if not all(_is_list_of_texts(texts) for texts in rule.values()):
        yield "must hold non-empty lists of strings only"
    elif hosts is not None and not hosts.keys() >= set(rule["regions"]):
        yield "names a region without a host"


def _build_rule(rule: Mapping[str, list[str]]) -> RegionRule:
    conditions = {name: tuple(rule[name]) for name in CONDITIONS if name in rule}
    return RegionRule(conditions=conditions, regions=tuple(rule["regions"]))


def _is_list_of_texts(value: object) -> bool:
    return (
        type(value) is list
        and bool(value)
        and all(type(text) is str and bool(text) for text in value)
    )


def _read_partitions(reader: SettingReader) -> tuple[str, ...]:
    name = "CALLING_PARTITIONS"
    partitions = reader.json(name, list, "list of names") or []
    texts = [text for text in partitions if type(text) is str]
    if not all(map(is_partition_name, texts)) or len(texts) < len(partitions):
        reader.note(name, "has an ill-formed name.")
    if len(set(texts)) < len(texts):
        reader.note(name, "has a name twice.")
    return tuple(texts)


def _read_credential(
    reader: SettingReader, cloud: Cloud, *, is_needed: bool
) -> CredentialSettings:
    """Read the credential; what it needs is checked only if calls are answered."""
    kinds = tuple(kind.value for kind in CredentialKind)
    kind = CredentialKind(
        reader.choice(
            "CALLING_CREDENTIAL", kinds, default=CredentialKind.MANAGED_IDENTITY
        )
    )
    credential = CredentialSettings(
        kind=kind,
        app_id=reader.text("MicrosoftAppId"),
        login_url=reader.url("CALLING_LOGIN_URL", cloud.login_url).rstrip("/"),
        federation_audience=cloud.federation_audience,
        identity_client_id=reader.text("CALLING_IDENTITY_CLIENT_ID"),
        app_password=reader.text("MicrosoftAppPassword"),
        certificate_path=reader.text("CALLING_CERTIFICATE_PATH"),
    )
    if is_needed:
        _check_credential(reader, kind)
    return credential


def _check_credential(reader: SettingReader, kind: CredentialKind) -> None:
    why = f"for CALLING_CREDENTIAL {kind.value}"
    match kind:
        case CredentialKind.MANAGED_IDENTITY:
            reader.guid("CALLING_IDENTITY_CLIENT_ID")
        case CredentialKind.CLIENT_SECRET:
            reader.required("MicrosoftAppPassword", why)
        case CredentialKind.CERTIFICATE:
            reader.required("CALLING_CERTIFICATE_PATH", why)
            reader.certificate_file("CALLING_CERTIFICATE_PATH")
