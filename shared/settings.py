"""The app settings: environment variables in, one frozen ``Settings`` out.

All problems are collected and reported together, by name and never by value; with a
problem there are no settings. Names, defaults and meanings: docs/settings.md. Reads the
files that settings name, to tell at once whether they can be used; opens no socket.
"""

from collections.abc import Mapping
from typing import NamedTuple

from shared.core.hosts import is_local
from shared.core.regions import RegionRule
from shared.core.tokens import MAX_LEEWAY_SECONDS
from shared.credential_settings import CredentialSettings, read_credential
from shared.instance_settings import DeliverySettings, read_delivery
from shared.region_settings import read_region_hosts, read_region_rules
from shared.setting_reader import SettingReader

# Every setting that this product reads, in the order of docs/settings.md.
NAMES = (
    "MicrosoftAppId",
    "CALLING_CLOUD",
    "CALLING_OPENID_CONFIGURATION_URL",
    "CALLING_KEY_SET_HOST",
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
    "CALLING_DELIVERY",
    "CALLING_DELIVERY_AUDIENCE",
    "CALLING_STATE_URL",
    "CALLING_CREDENTIAL",
    "CALLING_IDENTITY_CLIENT_ID",
    "MicrosoftAppPassword",
    "CALLING_CERTIFICATE_PATH",
    "CALLING_CA_BUNDLE",
)
# Set by Functions itself: https://learn.microsoft.com/azure/app-service/reference-app-settings
_OWN_HOST_NAME = "WEBSITE_HOSTNAME"
_PREFIX = "CALLING_"


class Settings(NamedTuple):
    """Usable settings.

    GUIDs are in lower case. ``region`` is empty where there is only one deployment,
    ``key_set_host`` where the host of the OpenID configuration has the keys, too.
    ``state_url`` has no slash at its end; empty means the memory of this process.
    ``callback_host`` is the host of every ``callbackUri``, empty only if ``answer`` is
    false.
    """

    app_id: str
    openid_configuration_url: str
    key_set_host: str
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
    delivery: DeliverySettings
    state_url: str
    callback_host: str
    credential: CredentialSettings
    ca_bundle: str

    @property
    def partitions(self) -> tuple[str, ...]:
        """The names of all partitions."""
        return self.delivery.partitions


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
        warnings=(*_unknown_settings(environ), *reader.warnings),
        region=settings.region,
    )


def _unknown_settings(environ: Mapping[str, str]) -> tuple[str, ...]:
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
    hosts = read_region_hosts(reader, region)
    region_hosts = hosts or {}
    answer = reader.boolean("CALLING_ANSWER", default=True)
    own_names = ("CALLING_GLOBAL_HOST", _OWN_HOST_NAME)
    own_hosts = [*region_hosts.values(), *map(reader.text, own_names)]
    delivery = read_delivery(reader, own_hosts)
    state_url = reader.container_url("CALLING_STATE_URL")
    return Settings(
        app_id=reader.guid("MicrosoftAppId"),
        openid_configuration_url=reader.url(
            "CALLING_OPENID_CONFIGURATION_URL", cloud.openid_configuration_url
        ),
        key_set_host=reader.host("CALLING_KEY_SET_HOST"),
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
        region_rules=read_region_rules(reader, hosts or None),
        redirect_status=int(
            reader.choice("CALLING_REDIRECT_STATUS", ("302", "307"), default="302")
        ),
        answer=answer,
        delivery=delivery,
        state_url=state_url,
        callback_host=_read_callback_host(
            reader,
            region_hosts.get(region, ""),
            is_needed=answer or bool(delivery.instances),
            # Where the platform posts to the instances, it must reach those.
            is_posted_to=not delivery.is_direct,
        ),
        credential=read_credential(
            reader,
            cloud,
            is_needed=answer,
            is_identity_needed=bool(delivery.audience or state_url),
        ),
        ca_bundle=reader.authorities_file("CALLING_CA_BUNDLE"),
    )


def _read_callback_host(
    reader: SettingReader, region_host: str, *, is_needed: bool, is_posted_to: bool
) -> str:
    """Read the host of callbackUri: the region's, the global one, or Functions' own."""
    hosts = {
        "CALLING_REGION_HOSTS": region_host,
        "CALLING_GLOBAL_HOST": reader.host("CALLING_GLOBAL_HOST"),
        _OWN_HOST_NAME: _read_own_host(reader) if is_needed else "",
    }
    name, host = next(((n, h) for n, h in hosts.items() if h), ("", ""))
    if is_needed and is_posted_to and host and is_local(host):
        # As with Core Tools, which call this machine localhost.
        cure = "; set CALLING_GLOBAL_HOST" if name == _OWN_HOST_NAME else ""
        reader.warn(name, f"names a host that the platform cannot reach{cure}.")
    return host


def _read_own_host(reader: SettingReader) -> str:
    """Read Functions' own host, which is only needed where there is no other."""
    # A problem of its own is noted where a region or a host is there, but unusable.
    if reader.text("CALLING_REGION") or reader.text("CALLING_GLOBAL_HOST"):
        return ""
    why = "to answer calls where no CALLING_REGION or CALLING_GLOBAL_HOST is set"
    reader.required(_OWN_HOST_NAME, why)
    return reader.host(_OWN_HOST_NAME)
