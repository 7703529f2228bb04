"""Checks of the app and what it stands on: plan, identity, storage, certificate."""

import json
import re
from typing import Any

from infra.bicep import CHECKOUT
from tests.infra.templates import VARIABLES, Resource, Snapshot, Templates

REGIONAL = "params/prod.regional.bicepparam"
SITE = "Microsoft.Web/sites"
# https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#deprecated-properties-and-settings
REJECTED_SITE_CONFIG = {
    "alwaysOn",
    "appSettings",
    "containerSize",
    "ftpsState",
    "functionAppScaleLimit",
    "healthCheckPath",
    "isReserved",
    "isXenon",
    "javaVersion",
    "linuxFxVersion",
    "minimumElasticInstanceCount",
    "netFrameworkVersion",
    "nodeVersion",
    "phpVersion",
    "powerShellVersion",
    "preWarmedInstanceCount",
    "pythonVersion",
    "use32BitWorkerProcess",
    "vnetRouteAllEnabled",
    "windowsFxVersion",
}
STORAGE_BLOB_DATA_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _site(snapshot: Snapshot) -> dict[str, Any]:
    properties: dict[str, Any] = snapshot.one(SITE)["properties"]
    return properties


def _scale(snapshot: Snapshot) -> dict[str, Any]:
    scale: dict[str, Any] = _site(snapshot)["functionAppConfig"]["scaleAndConcurrency"]
    return scale


def _identity(snapshot: Snapshot) -> str:
    identity = snapshot.one("Microsoft.ManagedIdentity/userAssignedIdentities")
    return str(identity["id"])


def the_plan_is_flex_consumption_on_linux(templates: Templates) -> None:
    """And the app is on it."""
    region = templates.regional()
    plan = region.one("Microsoft.Web/serverfarms")
    assert plan["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert plan["properties"]["reserved"] is True
    assert _site(region)["serverFarmId"] == plan["id"]
    assert region.one(SITE)["kind"] == "functionapp,linux"


def nothing_is_set_that_flex_consumption_rejects(templates: Templates) -> None:
    """Such a property fails the deployment, or is ignored in silence."""
    config = _site(templates.regional())["siteConfig"]
    assert not REJECTED_SITE_CONFIG & config.keys()


def python_is_the_version_of_the_project(templates: Templates) -> None:
    """That of .python-version, which the packages are locked for."""
    expected = (CHECKOUT / ".python-version").read_text().strip()
    runtime = _site(templates.regional())["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": expected}


def an_instance_is_ready_and_takes_several_calls(templates: Templates) -> None:
    """No cold start within the time of a call, no instance for every second call."""
    scale = _scale(templates.regional())
    assert [ready["name"] for ready in scale["alwaysReady"]] == ["http"]
    assert scale["alwaysReady"][0]["instanceCount"] >= 1
    assert scale["triggers"]["http"]["perInstanceConcurrency"] == 16
    assert scale["instanceMemoryMB"] == 2048
    assert 40 <= scale["maximumInstanceCount"] <= 1000


def zones_take_two_instances_and_storage_in_three(templates: Templates) -> None:
    """All of it by one parameter; by default there are no zones."""
    plain = templates.regional()
    assert (
        plain.one("Microsoft.Web/serverfarms")["properties"]["zoneRedundant"] is False
    )
    zoned = templates.with_parameter(REGIONAL, "param zoneRedundant = true").regional()
    plan = zoned.one("Microsoft.Web/serverfarms")
    assert plan["properties"]["zoneRedundant"] is True
    assert _scale(zoned)["alwaysReady"] == [{"name": "http", "instanceCount": 2}]
    storage = zoned.one("Microsoft.Storage/storageAccounts")
    assert storage["sku"]["name"] == "Standard_ZRS"


def callers_need_tls_of_a_version_that_they_have(templates: Templates) -> None:
    """1.2 at least, and no more: the calling platform would not connect to 1.3 only."""
    site = _site(templates.regional())
    config = site["siteConfig"]
    assert site["httpsOnly"] is True
    assert (config["minTlsVersion"], config["scmMinTlsVersion"]) == ("1.2", "1.2")
    assert config["http20Enabled"] is True


def nothing_answers_in_place_of_the_code(templates: Templates) -> None:
    """No sign-in page, no CORS, no sticky sessions, no debugger."""
    region = templates.regional()
    site = _site(region)
    assert site["clientAffinityEnabled"] is False
    assert site["siteConfig"]["remoteDebuggingEnabled"] is False
    assert "cors" not in site["siteConfig"]
    assert [one["name"] for one in region.all("Microsoft.Web/sites/config")] == [
        f"{region.one(SITE)['name']}/appsettings"
    ]


def anybody_may_call_unless_service_tags_are_given(templates: Templates) -> None:
    """The addresses of the platform are not published; the token decides."""
    config = _site(templates.regional())["siteConfig"]
    assert config["ipSecurityRestrictionsDefaultAction"] == "Allow"
    assert config["ipSecurityRestrictions"] == []
    line = "param allowedServiceTags = ['AzureCloud', 'AzureTrafficManager']"
    config = _site(templates.with_parameter(REGIONAL, line).regional())["siteConfig"]
    assert config["ipSecurityRestrictionsDefaultAction"] == "Deny"
    rules = config["ipSecurityRestrictions"]
    assert [rule["ipAddress"] for rule in rules] == [
        "AzureCloud",
        "AzureTrafficManager",
    ]
    assert {(rule["tag"], rule["action"]) for rule in rules} == {
        ("ServiceTag", "Allow")
    }
    assert len({rule["priority"] for rule in rules}) == 2


def there_are_no_passwords_for_publishing(templates: Templates) -> None:
    """Neither of FTP nor of the deployment site."""
    region = templates.regional()
    app = region.one(SITE)["name"]
    policies = region.all("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {p["name"]: p["properties"] for p in policies} == {
        f"{app}/ftp": {"allow": False},
        f"{app}/scm": {"allow": False},
    }


def storage_has_no_keys_and_nothing_public(templates: Templates) -> None:
    """Whoever wants to read or write shows a token of Entra, over TLS."""
    region = templates.regional()
    storage = region.one("Microsoft.Storage/storageAccounts")["properties"]
    assert storage["allowSharedKeyAccess"] is False
    assert storage["allowBlobPublicAccess"] is False
    assert storage["allowCrossTenantReplication"] is False
    assert storage["defaultToOAuthAuthentication"] is True
    assert storage["supportsHttpsTrafficOnly"] is True
    assert storage["minimumTlsVersion"] == "TLS1_2"
    container = region.one("Microsoft.Storage/storageAccounts/blobServices/containers")
    assert container["properties"]["publicAccess"] == "None"


def the_package_is_read_with_the_identity(templates: Templates) -> None:
    """From the container that is there."""
    region = templates.regional()
    deployment = _site(region)["functionAppConfig"]["deployment"]["storage"]
    assert deployment["type"] == "blobContainer"
    assert deployment["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": _identity(region),
    }
    container = region.one("Microsoft.Storage/storageAccounts/blobServices/containers")
    account = region.one("Microsoft.Storage/storageAccounts")["id"]
    assert account in deployment["value"]
    assert f"'{container['name'].rpartition('/')[2]}'" in deployment["value"]


def the_app_has_one_identity(templates: Templates) -> None:
    """That of its region, also to read from a Key Vault."""
    region = templates.regional()
    site = region.one(SITE)
    assert site["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": {_identity(region): {}},
    }
    assert site["properties"]["keyVaultReferenceIdentity"] == _identity(region)


def the_identity_has_the_two_roles_that_it_needs(templates: Templates) -> None:
    """Each on its one resource; names that what-if can tell beforehand."""
    region = templates.regional()
    expected = {
        STORAGE_BLOB_DATA_OWNER: region.one("Microsoft.Storage/storageAccounts")["id"],
        MONITORING_METRICS_PUBLISHER: region.one("Microsoft.Insights/components")["id"],
    }
    found = {}
    for role in region.all("Microsoft.Authorization/roleAssignments"):
        properties = role["properties"]
        assert GUID.fullmatch(role["name"])
        assert properties["principalType"] == "ServicePrincipal"
        assert f"'{_identity(region)}'" in properties["principalId"]
        scope = role["id"].partition("/providers/Microsoft.Authorization/")[0]
        found[properties["roleDefinitionId"].rpartition("/")[2]] = scope
    assert found == expected


def telemetry_takes_an_identity(templates: Templates) -> None:
    """Application Insights on the shared workspace, without keys."""
    insights = templates.regional().one("Microsoft.Insights/components")["properties"]
    assert insights["DisableLocalAuth"] is True
    assert insights["WorkspaceResourceId"] == VARIABLES["LOG_ANALYTICS_WORKSPACE_ID"]


def the_host_logs_to_the_workspace(templates: Templates) -> None:
    """What it says before it can send telemetry."""
    region = templates.regional()
    diagnostics = region.one("Microsoft.Insights/diagnosticSettings")
    assert diagnostics["id"].startswith(region.one(SITE)["id"])
    properties = diagnostics["properties"]
    assert properties["workspaceId"] == VARIABLES["LOG_ANALYTICS_WORKSPACE_ID"]
    assert properties["logs"] == [{"category": "FunctionAppLogs", "enabled": True}]
    assert properties["metrics"] == [{"category": "AllMetrics", "enabled": True}]


def both_hosts_are_bound_with_the_wildcard_certificate(templates: Templates) -> None:
    """The global one too: Traffic Manager changes the address, never the name."""
    for code in templates.codes("prod"):
        region = templates.regional(code=code)
        domain = templates.description("prod")["domain"]
        certificate = region.one("Microsoft.Web/sites/certificates")
        assert certificate["properties"] == {
            "keyVaultId": domain["keyVaultId"],
            "keyVaultSecretName": domain["secretName"],
        }
        bindings = region.all("Microsoft.Web/sites/hostNameBindings")
        app = region.one(SITE)["name"]
        assert [binding["name"] for binding in bindings] == [
            f"{app}/global.calls.contoso.com",
            f"{app}/{code}.calls.contoso.com",
        ]
        for binding in bindings:
            properties = binding["properties"]
            assert properties["sslState"] == "SniEnabled"
            assert properties["hostNameType"] == "Verified"
            assert certificate["id"] in properties["thumbprint"]
            assert properties["thumbprint"].endswith(".thumbprint]")


def an_app_can_get_a_certificate(templates: Templates) -> None:
    """Which is decided when it is made, also where there is no domain yet."""
    for environment in ("prod", "dev"):
        site = _site(templates.regional(environment))
        assert site["siteScopedCertificatesEnabled"] is True


def the_first_deployment_binds_no_host_name(templates: Templates) -> None:
    """There are no records yet; all else is as it stays."""
    bound, first = templates.regional(), templates.regional(BIND_HOST_NAMES="false")
    missing = {r["type"] for r in bound.resources if r not in first.resources}
    assert missing == {
        "Microsoft.Web/sites/certificates",
        "Microsoft.Web/sites/hostNameBindings",
        "Microsoft.Insights/webtests",
        "Microsoft.Insights/metricAlerts",
    }
    assert all(resource in bound.resources for resource in first.resources)
    assert first.outputs == bound.outputs


def host_names_are_bound_one_after_the_other(templates: Templates) -> None:
    """Two at a time fail with a conflict."""
    resources = templates.compiled("modules/customDomain.bicep")["resources"]
    [bindings] = [
        resource
        for resource in (resources.values() if type(resources) is dict else resources)
        if resource["type"].endswith("/hostNameBindings")
    ]
    copy = bindings["copy"]
    assert (copy.get("mode"), copy.get("batchSize")) == ("serial", 1)


def what_is_needed_is_there_before(templates: Templates) -> None:
    """Roles before the app, the app before its host names, the profile before DNS."""
    regional = _dependencies(templates.compiled("regional.bicep"))
    assert regional["storage"] >= {"identity"}
    assert regional["monitoring"] >= {"identity"}
    assert regional["functionApp"] >= {"identity", "storage", "monitoring"}
    assert regional["customDomain"] >= {"functionApp"}
    assert regional["alerts"] >= {"functionApp"}
    shared = _dependencies(templates.compiled("global.bicep"))
    assert shared["dns"] >= {"trafficManager"}
    assert shared["callingWebhook"] >= {"trafficManager", "dns"}
    assert shared["endpointAlert"] >= {"trafficManager"}


def _dependencies(compiled: Resource) -> dict[str, set[str]]:
    return {
        name: set(resource.get("dependsOn", []))
        for name, resource in compiled["resources"].items()
    }


def everything_of_a_region_is_in_its_location(templates: Templates) -> None:
    """That of its group; alerts on metrics are nowhere in particular."""
    region = templates.regional(target={"location": "japaneast"})
    places = {r["location"] for r in region.resources if "location" in r}
    assert places == {"japaneast", "global"}
    everywhere = [r["type"] for r in region.resources if r.get("location") == "global"]
    assert set(everywhere) == {"Microsoft.Insights/metricAlerts"}


def resources_carry_tags(templates: Templates) -> None:
    """Of the environment, and those that are given."""
    given = {"owner": "calls"}
    line = f"param tags = {json.dumps(given)}".replace('"', "'")
    region = templates.with_parameter(REGIONAL, line).regional()
    tagged = [resource["tags"] for resource in region.resources if "tags" in resource]
    expected = {"workload": "tmscalls", "environment": "prod", "region": "weu", **given}
    assert len(tagged) > 8
    assert all(tags.items() >= expected.items() for tags in tagged)
