"""Checks of the function app: plan, scale, TLS, access, package, identity."""

from shared.edge.call_control import PLACES
from tests.infra.checks import check
from tests.infra.templates import (
    SITE,
    STORAGE,
    Resource,
    Snapshot,
    Templates,
)
from tests.support.checkout import read_text

_APP = "modules/functionApp.bicep"
PLAN = "Microsoft.Web/serverfarms"
REGIONAL = "params/prod.regional.bicepparam"
# https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#deprecated-properties-and-settings
_REJECTED = """
alwaysOn appSettings containerSize ftpsState functionAppScaleLimit healthCheckPath
isReserved isXenon javaVersion linuxFxVersion minimumElasticInstanceCount
netFrameworkVersion nodeVersion phpVersion powerShellVersion preWarmedInstanceCount
pythonVersion use32BitWorkerProcess vnetRouteAllEnabled windowsFxVersion
"""
REJECTED_SITE_CONFIG = set(_REJECTED.split())


def _scale(snapshot: Snapshot) -> Resource:
    return snapshot.site["functionAppConfig"]["scaleAndConcurrency"]


@check((_APP, "'FC1', tier: 'FlexConsumption'", "'Y1', tier: 'Dynamic'"))
def test_the_plan_is_flex_consumption_on_linux(templates: Templates) -> None:
    region = templates.regional()
    plan = region.one(PLAN)
    assert plan["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert plan["properties"]["reserved"] is True
    assert region.site["serverFarmId"] == plan["id"]
    assert region.one(SITE)["kind"] == "functionapp,linux"


@check((_APP, "      http20Enabled: true", "      http20Enabled: true\n ftpsState: ''"))
def test_nothing_is_set_that_flex_consumption_rejects(templates: Templates) -> None:
    """Such a property fails the deployment or is silently ignored."""
    assert not REJECTED_SITE_CONFIG & templates.regional().site["siteConfig"].keys()


@check(("regional.bicep", "pythonVersion string = '3.13'", "pythonVersion string = ''"))
def test_python_is_the_version_of_the_project(templates: Templates) -> None:
    """The packages are locked for the version in .python-version."""
    expected = read_text(".python-version").strip()
    runtime = templates.regional().site["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": expected}


@check(
    (_APP, "instanceCount: alwaysReadyInstances", "instanceCount: 0"),
    (_APP, "[{ name: 'http', instanceCount", "[{ name: 'blob', instanceCount"),
    ("regional.bicep", "InstanceConcurrency int = 64", "InstanceConcurrency int = 16"),
)
def test_an_instance_is_ready_and_takes_several_calls(templates: Templates) -> None:
    """A call needs no cold start, and the second one no second instance."""
    scale = _scale(templates.regional())
    assert [ready["name"] for ready in scale["alwaysReady"]] == ["http"]
    assert scale["alwaysReady"][0]["instanceCount"] >= 1
    assert scale["triggers"]["http"]["perInstanceConcurrency"] == 64
    assert scale["instanceMemoryMB"] == 2048
    assert 40 <= scale["maximumInstanceCount"] <= 1000
    # No request waits for a place, however many an instance gets at once.
    assert PLACES >= 64


@check(("regional.bicep", "== 'false' ? 2 : 1", "== 'no' ? 2 : 1"))
def test_calls_for_an_instance_that_may_record_find_two_instances(
    templates: Templates,
) -> None:
    """Such a call has 5 s: too little for a cold start while one instance restarts."""
    assert _ready(templates, {}) == 1
    assert _ready(templates, {"CALLING_ANSWER": "true"}) == 1
    assert _ready(templates, {"CALLING_ANSWER": " False "}) == 2


def _ready(templates: Templates, settings: dict[str, str]) -> int:
    region = templates.with_description("prod", {"settings": settings}).regional()
    return int(_scale(region)["alwaysReady"][0]["instanceCount"])


@check(
    ("regional.bicep", "max(alwaysReadyInstances, zoneRedundant ? 2 : 1)", "1"),
    ("modules/storage.bicep", "'Standard_ZRS'", "'Standard_GRS'"),
)
def test_zones_take_two_instances_and_storage_in_three(templates: Templates) -> None:
    """One parameter does all of it; by default there are no zones."""
    assert templates.regional().properties(PLAN)["zoneRedundant"] is False
    zoned = templates.with_parameter(REGIONAL, "param zoneRedundant = true").regional()
    assert zoned.properties(PLAN)["zoneRedundant"] is True
    assert _scale(zoned)["alwaysReady"] == [{"name": "http", "instanceCount": 2}]
    assert zoned.one(STORAGE)["sku"]["name"] == "Standard_ZRS"


@check(
    (_APP, "minTlsVersion: '1.2'\n      remote", "minTlsVersion: '1.3'\n      remote"),
    (_APP, "httpsOnly: true", "httpsOnly: false"),
)
def test_callers_need_tls_of_a_version_that_they_have(templates: Templates) -> None:
    """The calling platform would not connect to a host that wants TLS 1.3."""
    site = templates.regional().site
    config = site["siteConfig"]
    assert site["httpsOnly"] is True
    assert (config["minTlsVersion"], config["scmMinTlsVersion"]) == ("1.2", "1.2")
    assert config["http20Enabled"] is True


@check((_APP, "clientAffinityEnabled: false", "clientAffinityEnabled: true"))
def test_nothing_answers_in_place_of_the_code(templates: Templates) -> None:
    """There is no sign-in page, no CORS, no sticky session, no debugger."""
    region = templates.regional()
    assert region.site["clientAffinityEnabled"] is False
    assert region.site["siteConfig"]["remoteDebuggingEnabled"] is False
    assert "cors" not in region.site["siteConfig"]
    configured = [one["name"] for one in region.all("Microsoft.Web/sites/config")]
    assert configured == [f"{region.app_name}/appsettings"]


@check(
    (_APP, "empty(allowedServiceTags) ? 'Allow' : 'Deny'", "'Allow'"),
    (_APP, "priority: 200 + index", "priority: 100 + index"),
    (_APP, "map(empty(allowedServiceTags) ? [] : allowedAddresses,", "map([],"),
)
def test_anybody_may_call_unless_service_tags_are_given(templates: Templates) -> None:
    """The addresses of the platform are not published; the token decides."""
    config = templates.regional().site["siteConfig"]
    assert config["ipSecurityRestrictionsDefaultAction"] == "Allow"
    assert config["ipSecurityRestrictions"] == []
    tags = ["AzureCloud", "AzureTrafficManager"]
    given = templates.with_parameter(REGIONAL, f"param allowedServiceTags = {tags}")
    line = "param allowedAddresses = ['203.0.113.7/32']"
    config = given.with_parameter(REGIONAL, line).regional().site["siteConfig"]
    assert config["ipSecurityRestrictionsDefaultAction"] == "Deny"
    rules = config["ipSecurityRestrictions"]
    assert [rule["ipAddress"] for rule in rules] == [*tags, "203.0.113.7/32"]
    kinds = ["ServiceTag", "ServiceTag", "Default"]
    assert [rule["tag"] for rule in rules] == kinds
    assert {rule["action"] for rule in rules} == {"Allow"}
    assert len({rule["priority"] for rule in rules}) == 3


@check(
    (_APP, "  dependsOn: [settings]\n", ""),
    (_APP, "  dependsOn: [ftpPasswords]\n", ""),
)
def test_an_app_is_changed_by_one_resource_at_a_time(templates: Templates) -> None:
    """Two at once fail with a conflict: settings, then FTP, then SCM, then the rest."""
    resources = templates.compiled(_APP)["resources"]
    after = {name: set(one.get("dependsOn", [])) for name, one in resources.items()}
    assert after["settings"] >= {"app"}
    assert after["ftpPasswords"] >= {"settings"}
    assert after["scmPasswords"] >= {"ftpPasswords"}


@check((_APP, "'scm'\n  properties: { allow: f", "'scm'\n  properties: { allow: !f"))
def test_there_are_no_passwords_for_publishing(templates: Templates) -> None:
    region = templates.regional()
    policies = region.all("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {policy["name"]: policy["properties"] for policy in policies} == {
        f"{region.app_name}/ftp": {"allow": False},
        f"{region.app_name}/scm": {"allow": False},
    }


@check((_APP, "primaryEndpoints.blob}${containerName}'", "primaryEndpoints.blob}x'"))
def test_the_package_is_read_with_the_identity(templates: Templates) -> None:
    region = templates.regional()
    deployment = region.site["functionAppConfig"]["deployment"]["storage"]
    assert deployment["type"] == "blobContainer"
    assert deployment["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": region.identity,
    }
    assert region.one(STORAGE)["id"] in deployment["value"]
    assert region.container("app-package")
    assert ".primaryEndpoints.blob, 'app-package')" in deployment["value"]


@check((_APP, "type: 'UserAssigned'\n", "type: 'SystemAssigned, UserAssigned'\n"))
def test_the_app_has_one_identity(templates: Templates) -> None:
    """The app also uses it to read from a Key Vault."""
    region = templates.regional()
    assert region.one(SITE)["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": {region.identity: {}},
    }
    assert region.site["keyVaultReferenceIdentity"] == region.identity


@check((_APP, "CertificatesEnabled: true", "CertificatesEnabled: false"))
def test_an_app_can_get_a_certificate(templates: Templates) -> None:
    """That is decided when the app is created, even where there is no domain yet."""
    for environment in ("prod", "dev"):
        site = templates.regional(environment).site
        assert site["siteScopedCertificatesEnabled"] is True
