"""Checks of the app settings: what Bicep writes is what the code reads, and usable."""

import json
import re
from typing import Any

from infra.checks.app_settings import OWNED, SECRETS
from shared.core.webhook import MAX_BODY_BYTES
from shared.settings import NAMES, Settings, read_settings
from tests.infra.checks import check
from tests.infra.templates import STORAGE, VARIABLES, Templates
from tests.support.checkout import read_json, read_text
from tests.support.markdown_tables import first_column

_APP = "modules/functionApp.bicep"
_OTHER = "stateContainerName = 'bot'"

# Read by the Functions host and by the exporter of telemetry.
PLATFORM_SETTINGS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsDisableHomepage",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
}
# https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#deprecated-properties-and-settings
_REJECTED = """
AzureWebJobsStorage ENABLE_ORYX_BUILD FUNCTIONS_EXTENSION_VERSION
FUNCTIONS_MAX_HTTP_CONCURRENCY FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED
FUNCTIONS_WORKER_PROCESS_COUNT FUNCTIONS_WORKER_RUNTIME FUNCTIONS_WORKER_RUNTIME_VERSION
SCM_DO_BUILD_DURING_DEPLOYMENT TZ WEBSITE_CONTENTAZUREFILECONNECTIONSTRING
WEBSITE_CONTENTOVERVNET WEBSITE_CONTENTSHARE WEBSITE_DNS_SERVER
WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT WEBSITE_NODE_DEFAULT_VERSION
WEBSITE_RUN_FROM_PACKAGE WEBSITE_SKIP_CONTENTSHARE_VALIDATION WEBSITE_TIME_ZONE
WEBSITE_VNET_ROUTE_ALL
"""
REJECTED = set(_REJECTED.split())
# What stands where Azure will put something of its own.
ONLY_AZURE_KNOWS = {
    "clientId": "99999999-8888-4777-8666-555555555555",
    "primaryEndpoints.blob": "https://account.blob.core.windows.net/",
    "ConnectionString": "InstrumentationKey=0;IngestionEndpoint=https://x.example/",
}
_REFERENCE = re.compile(
    r"\[(?:format\('[^']+', )?reference\('[^']+', '[^']+'\)\.([\w.]+)"
    r"(?:, '([^']+)')?\)?\]"
)


def _filled_in(settings: dict[str, str]) -> dict[str, str]:
    """Return settings with values for the expressions that Azure evaluates."""
    return {name: _fill_in(value) for name, value in settings.items()}


def _fill_in(value: str) -> str:
    if not value.startswith("[") or value.startswith(("[{", "[]")):
        return value
    found = _REFERENCE.fullmatch(value)
    assert found, f"an expression that nobody knows: {value}"
    return ONLY_AZURE_KNOWS[found[1]] + (found[2] or "")


@check((_APP, "DisableHomepage: 'true'", "DisableHomepage: 'true'\n TZ: 'UTC'"))
def test_what_is_written_is_read(templates: Templates) -> None:
    """Either the code or the platform reads a setting, and none is a secret."""
    for _environment, _code, snapshot in templates.regions():
        names = set(snapshot.app_settings)
        assert names <= {*NAMES, *PLATFORM_SETTINGS}
        assert names >= {*OWNED, *PLATFORM_SETTINGS}
        assert not names & {*SECRETS}
        assert not names & REJECTED


@check(("regional.bicep", "CALLING_REGION_RULES: string", "CALLING_RULES: string"))
def test_what_the_code_reads_is_what_sample_and_documentation_say(
    templates: Templates,
) -> None:
    """The templates write names of this list only."""
    sample = read_json("local.settings.sample.json")
    known = [name for name in sample["Values"] if name in NAMES]
    assert known == list(NAMES) == first_column("docs/settings.md", "name")
    written = set(templates.regional().app_settings) - PLATFORM_SETTINGS
    assert written <= set(known)


@check((_APP, "_credential: 'managedidentity'", "_credential: storage.listKeys()"))
def test_no_value_is_a_secret(templates: Templates) -> None:
    """Nor is there anything that Azure would look up with a key."""
    for _environment, _code, snapshot in templates.regions():
        text = json.dumps([snapshot.resources, snapshot.outputs])
        assert not re.search(r"list(?:Keys|AccountSas|Secrets)|AccountKey=|sig=", text)
        assert "@Microsoft.KeyVault" not in text


@check(
    ("regional.bicep", "HOSTS: string(hosts)", "HOSTS: string(items(hosts))"),
    (_APP, "CLIENT_ID: identity.properties.clientId", "CLIENT_ID: identityName"),
)
def test_the_app_can_use_its_settings(templates: Templates) -> None:
    """Its own reader has no problem and no warning in any region."""
    for environment, code, snapshot in templates.regions():
        report = read_settings(_filled_in(snapshot.app_settings))
        assert (report.problems, report.warnings) == ((), ())
        assert report.settings is not None
        _assert_as_described(report.settings, templates.description(environment))
        assert report.region == code
        assert report.settings.callback_host == snapshot.outputs["regionHost"]


def _assert_as_described(settings: Settings, description: dict[str, Any]) -> None:
    codes = [region["code"] for region in description["regions"]]
    assert list(settings.region_hosts) == codes
    assert [
        {**rule.conditions, "regions": rule.regions} for rule in settings.region_rules
    ] == [
        {name: tuple(values) for name, values in rule.items()}
        for rule in description["rules"]
    ]
    assert settings.app_id == VARIABLES["MICROSOFT_APP_ID"]
    assert settings.answer is True
    assert settings.credential.kind.value == "managed-identity"
    identity = settings.credential.identity_client_id
    assert identity == ONLY_AZURE_KNOWS["clientId"]


@check(("regional.bicep", "union(extraAppSettings, part", "union({}, part"))
def test_further_settings_arrive_and_change_no_other(templates: Templates) -> None:
    """The settings of the templates win over those of the description."""
    tenant = "1fdd12d0-4620-44ed-baec-459b611f84b2"
    settings = {
        "CALLING_TENANTS": tenant,
        "CALLING_REGION": "elsewhere",
        "AzureWebJobsStorage__credential": "none",
    }
    edited = templates.with_description("prod", {"settings": settings}).regional()
    expected = {**templates.regional().app_settings, "CALLING_TENANTS": tenant}
    assert edited.app_settings == expected


@check(
    (_APP, "${storage.properties.primaryEndpoints.blob}${state", "https://x/${state"),
    (_APP, "Endpoints.blob}${stateContainerName}'", "Endpoints.blob}${containerName}'"),
    ("regional.bicep", "stateContainerName = 'bot-state'", _OTHER),
)
def test_the_bot_keeps_its_state_in_a_container_of_its_region(
    templates: Templates,
) -> None:
    """The setting is always there, also where the bot keeps nothing."""
    for _environment, _code, region in templates.regions():
        value = region.app_settings["CALLING_STATE_URL"]
        assert region.one(STORAGE)["id"] in value
        assert _fill_in(value) == "https://account.blob.core.windows.net/bot-state"
        assert region.container("bot-state")


@check(
    (_APP, "'Authorization=AAD;ClientId=${", "'ClientId=${"),
    (
        _APP,
        "__blobServiceUri: storage.properties",
        "__blobServiceUri: insights.properties",
    ),
)
def test_the_host_uses_the_identity(templates: Templates) -> None:
    """Storage and telemetry have no keys."""
    region = templates.regional()
    settings = _filled_in(region.app_settings)
    client_id = ONLY_AZURE_KNOWS["clientId"]
    # With the account's name the host would look for tables, and in one cloud only.
    blobs = region.app_settings["AzureWebJobsStorage__blobServiceUri"]
    assert f"'{region.one(STORAGE)['id']}'" in blobs
    assert _fill_in(blobs) == ONLY_AZURE_KNOWS["primaryEndpoints.blob"]
    assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
    assert settings["AzureWebJobsStorage__clientId"] == client_id
    assert settings["AzureWebJobsDisableHomepage"] == "true"
    authentication = region.app_settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    assert "'Authorization=AAD;ClientId={0}'" in authentication


@check(
    ("topology.bicep", "? rules\n", "? map(rules, rule => { regions: rule.regions })\n")
)
def test_a_rule_arrives_as_it_is_described(templates: Templates) -> None:
    """A rule for data residency stays strict."""
    rule = {
        "callee": ["+4930"],
        "clientLocation": ["DE"],
        "regions": ["weu"],
        "strict": True,
    }
    edited = templates.with_description("prod", {"rules": [rule]})
    for region in templates.codes("prod"):
        settings = edited.regional(code=region).app_settings
        assert json.loads(settings["CALLING_REGION_RULES"]) == [rule]


@check(
    ("regional.bicep", "partitionSettings(region), ", ""),
    ("topology.bicep", "string(region.partitions)", "string([])"),
)
def test_a_region_gets_its_own_partitions(templates: Templates) -> None:
    """Names, or instances with their URLs; the other regions get none of them."""
    bot = {"url": "https://bot.contoso.com/api/calling", "draining": False}
    for partitions in (["a", "b"], {"a": "https://a.contoso.com/", "b": bot}):
        change = {"regions.0.partitions": partitions}
        edited = templates.with_description("prod", change)
        own = edited.regional(code="weu").app_settings.get("CALLING_PARTITIONS", "{}")
        assert json.loads(own) == partitions
        assert "CALLING_PARTITIONS" not in edited.regional(code="sea").app_settings


@check((_APP, "'1114112'", "'1048576'"))
def test_the_host_reads_little_more_than_the_app_takes(templates: Templates) -> None:
    """A body over the app's limit still gets 413, a huge one is not read at all."""
    name = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
    sample = read_json("local.settings.sample.json")
    for values in (templates.regional().app_settings, sample["Values"]):
        assert int(values[name]) == MAX_BODY_BYTES + 64 * 1024
    sentence = f"`{name}`, a setting of the Functions host, to `{values[name]}`"
    assert sentence in read_text("docs/settings.md")
