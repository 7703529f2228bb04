"""Checks of what is around the app: storage, roles, logs, host names, order, tags."""

from collections.abc import Iterator

from shared.core.guids import is_guid
from tests.infra.checks import check
from tests.infra.templates import (
    CONTAINER,
    IDENTITY,
    INSIGHTS,
    ROLE,
    SITE,
    STORAGE,
    VARIABLES,
    Resource,
    Snapshot,
    Templates,
)

_ACCESS = "modules/certificateAccess.bicep"
_ALERTS = "modules/alerts.bicep"
_APP = "modules/functionApp.bicep"
_DOMAIN = "modules/customDomain.bicep"
_MONITORING = "modules/monitoring.bicep"
_STORAGE = "modules/storage.bicep"
_PRIVATE = "  properties: { publicAccess: 'None'"
_PUBLIC = "  properties: { publicAccess: 'Blob'"
_FORGOTTEN = "  deleteRetentionPolicy: { enabled: false }"
_KEPT = "  deleteRetentionPolicy: { enabled: true, days: 7 }"
STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
STORAGE_BLOB_DATA_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
MONITORING_READER = "43d0d8ad-25c7-4714-9337-8ba259a9fe05"
KEY_VAULT_CERTIFICATE_USER = "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba"
MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"


@check(
    (_STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    (_STORAGE, f" containerName\n{_PRIVATE}", f" containerName\n{_PUBLIC}"),
    (_STORAGE, f" stateContainerName\n{_PRIVATE}", f" stateContainerName\n{_PUBLIC}"),
)
def test_storage_has_no_keys_and_nothing_public(templates: Templates) -> None:
    region = templates.regional()
    storage = region.properties(STORAGE)
    assert storage["allowSharedKeyAccess"] is False
    assert storage["allowBlobPublicAccess"] is False
    assert storage["allowCrossTenantReplication"] is False
    assert storage["defaultToOAuthAuthentication"] is True
    assert storage["supportsHttpsTrafficOnly"] is True
    assert storage["minimumTlsVersion"] == "TLS1_2"
    containers = region.all(CONTAINER)
    assert [one["name"].rpartition("/")[2] for one in containers] == [
        "app-package",
        "bot-state",
    ]
    assert {one["properties"]["publicAccess"] for one in containers} == {"None"}


@check(
    (_STORAGE, "scope: account\n", "scope: container\n"),
    (_STORAGE, "scope: stateContainer\n", "scope: account\n"),
    (_STORAGE, "'ba92f5b4-2d11-453d", "'2a2b9908-6ea1-4ae2"),
    (_MONITORING, "'3913510d-42f4-4e42", "'b24988ac-6180-42a0"),
)
def test_the_identity_has_the_three_roles_that_it_needs(templates: Templates) -> None:
    """Each role is on one resource, and what-if knows its name beforehand."""
    region = templates.regional()
    expected = {
        STORAGE_BLOB_DATA_OWNER: region.one(STORAGE)["id"],
        STORAGE_BLOB_DATA_CONTRIBUTOR: region.container("bot-state")["id"],
        MONITORING_METRICS_PUBLISHER: region.one(INSIGHTS)["id"],
    }
    assert dict(_roles(region, region.identity)) == expected


def _roles(region: Snapshot, identity: str) -> Iterator[tuple[str, str]]:
    """Yield the roles of an identity, each with its scope."""
    for role in region.all(ROLE):
        properties = role["properties"]
        assert is_guid(role["name"])
        assert properties["principalType"] == "ServicePrincipal"
        if f"'{identity}'" in properties["principalId"]:
            scope = role["id"].partition("/providers/Microsoft.Authorization/")[0]
            yield properties["roleDefinitionId"].rpartition("/")[2], scope


@check(
    (_ALERTS, "'43d0d8ad-25c7-4714", "'b24988ac-6180-42a0"),
    (_ALERTS, "principalId: watcher.", "principalId: insights."),
    (_ALERTS, "dependsOn: [reader]", "dependsOn: []"),
    (_ALERTS, "userAssignedIdentities: { '${watcher.id}': {} }", ""),
)
def test_log_rules_ask_with_an_identity_of_their_own(templates: Templates) -> None:
    """Otherwise with the rights of whoever deployed last, which may be taken away."""
    region = templates.regional()
    [watcher] = [one for one in region.all(IDENTITY) if one["id"] != region.identity]
    roles = list(_roles(region, watcher["id"]))
    assert roles == [(MONITORING_READER, region.one(INSIGHTS)["id"])]
    for rule in region.all("Microsoft.Insights/scheduledQueryRules"):
        assert rule["identity"] == {
            "type": "UserAssigned",
            "userAssignedIdentities": {watcher["id"]: {}},
        }
    rules = templates.compiled(_ALERTS)["resources"]["logged"]
    assert "reader" in rules["dependsOn"]


@check(
    (_MONITORING, "state: 'Disabled'", "state: 'Enabled'"),
    (_MONITORING, "'Failure Anomalies - ${name}'", "'${name}-anomalies'"),
)
def test_the_rule_that_azure_would_make_itself_is_off(templates: Templates) -> None:
    """It has Azure's name, so that Azure makes no second one."""
    region = templates.regional()
    rule = region.one("Microsoft.AlertsManagement/smartDetectorAlertRules")
    assert rule["name"] == f"Failure Anomalies - {region.one(INSIGHTS)['name']}"
    assert rule["properties"]["state"] == "Disabled"
    assert rule["properties"]["scope"] == [region.one(INSIGHTS)["id"]]


@check(
    ("regional.bicep", "workspaces[?region.code] ?? log", "log"),
    (
        "regional.bicep",
        "insightsName\n    logAnalyticsWorkspaceId: workspaceId",
        "insightsName\n    logAnalyticsWorkspaceId: logAnalyticsWorkspaceId",
    ),
)
def test_a_region_may_have_a_workspace_of_its_own(templates: Templates) -> None:
    """The others keep theirs when its location is lost."""
    shared = VARIABLES["LOG_ANALYTICS_WORKSPACE_ID"]
    own = shared.replace("log-shared", "log-sea")
    edited = templates.with_description("prod", {"workspaces": {"sea": own}})
    for code, expected in (("weu", shared), ("sea", own)):
        region = edited.regional(code=code)
        assert region.properties(INSIGHTS)["WorkspaceResourceId"] == expected
        diagnostics = region.properties("Microsoft.Insights/diagnosticSettings")
        assert diagnostics["workspaceId"] == expected


@check(
    (_STORAGE, "GreaterThan: 1 }", "GreaterThan: 7 }"),
    (_STORAGE, "daysAfterModification", "daysAfterCreation"),
    (_STORAGE, "['${stateContainerName}/']", "['${stateContainerName}']"),
    (_STORAGE, "['${stateContainerName}/']", "['${containerName}/']"),
    (_STORAGE, "      enabled: true\n", "      enabled: false\n"),
)
def test_what_the_bot_remembers_is_deleted_a_day_after_its_last_change(
    templates: Templates,
) -> None:
    """Nothing else is deleted: the rule names the container with its slash."""
    region = templates.regional()
    policy = region.one("Microsoft.Storage/storageAccounts/managementPolicies")
    assert policy["name"] == f"{region.one(STORAGE)['name']}/default"
    [rule] = policy["properties"]["policy"]["rules"]
    assert (rule["type"], rule["enabled"]) == ("Lifecycle", True)
    assert rule["definition"] == {
        "filters": {"blobTypes": ["blockBlob"], "prefixMatch": ["bot-state/"]},
        "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 1}}},
    }


@check(
    (_STORAGE, _FORGOTTEN, _KEPT),
    (_STORAGE, _FORGOTTEN, f"{_FORGOTTEN}\n isVersioningEnabled: true"),
)
def test_what_is_deleted_or_overwritten_is_gone(templates: Templates) -> None:
    """Otherwise each older state of a call would be kept after the call."""
    blobs = templates.regional().properties(f"{STORAGE}/blobServices")
    assert blobs["deleteRetentionPolicy"] == {"enabled": False}
    assert not blobs.get("isVersioningEnabled")


@check((_MONITORING, "DisableLocalAuth: true", "DisableLocalAuth: false"))
def test_telemetry_takes_an_identity(templates: Templates) -> None:
    insights = templates.regional().properties(INSIGHTS)
    assert insights["DisableLocalAuth"] is True
    assert insights["WorkspaceResourceId"] == VARIABLES["LOG_ANALYTICS_WORKSPACE_ID"]


@check((_APP, "'FunctionAppLogs', enabled: true", "'FunctionAppLogs', enabled: false"))
def test_the_host_logs_to_the_workspace(templates: Templates) -> None:
    """The log tells of failures that come before telemetry can be sent."""
    region = templates.regional()
    diagnostics = region.one("Microsoft.Insights/diagnosticSettings")
    assert diagnostics["id"].startswith(region.one(SITE)["id"])
    properties = diagnostics["properties"]
    assert properties["workspaceId"] == VARIABLES["LOG_ANALYTICS_WORKSPACE_ID"]
    assert properties["logs"] == [{"category": "FunctionAppLogs", "enabled": True}]
    assert properties["metrics"] == [{"category": "AllMetrics", "enabled": True}]


@check(
    ("regional.bicep", "hostNames: [globalHost(domain), ", "hostNames: ["),
    (_DOMAIN, "sslState: 'SniEnabled'", "sslState: 'Disabled'"),
)
def test_both_hosts_are_bound_with_the_wildcard_certificate(
    templates: Templates,
) -> None:
    """Traffic Manager changes the address, not the name, so the global host counts."""
    domain = templates.description("prod")["domain"]
    for code in templates.codes("prod"):
        region = templates.regional(code=code)
        certificate = region.one("Microsoft.Web/sites/certificates")
        assert certificate["properties"] == {
            "keyVaultId": domain["keyVaultId"],
            "keyVaultSecretName": domain["secretName"],
            "serverFarmId": region.one("Microsoft.Web/serverfarms")["id"],
            "enableKeyVaultAccessUsingMSI": None,
        }
        bindings = region.all("Microsoft.Web/sites/hostNameBindings")
        hosts = [f"{label}.calls.contoso.com" for label in ("global", code)]
        names = [f"{region.app_name}/{host}" for host in hosts]
        assert [binding["name"] for binding in bindings] == names
        for binding in bindings:
            properties = binding["properties"]
            assert properties["sslState"] == "SniEnabled"
            assert properties["hostNameType"] == "Verified"
            assert certificate["id"] in properties["thumbprint"]
            assert properties["thumbprint"].endswith(".thumbprint]")


@check(
    (
        _DOMAIN,
        "certificateReader == 'identity' ? true",
        "certificateReader == '' ? true",
    ),
    (_ACCESS, "'db79e9a7-68ee-4b58", "'a4417e6f-fecd-4de8"),
    (_ACCESS, "  scope: secret\n", "  scope: vault\n"),
    ("regional.bicep", "vaultPlace[2], vaultPlace[4])", "vaultPlace[2], 'other')"),
)
def test_the_identity_may_read_one_certificate_if_it_is_the_reader(
    templates: Templates,
) -> None:
    """Its private key is in the secret of the same name. By default it may not."""
    assert not list(_roles_on_vault(templates.regional()))
    change = {"certificateReader": "identity"}
    region = templates.with_description("prod", change).regional()
    certificate = region.properties("Microsoft.Web/sites/certificates")
    assert certificate["enableKeyVaultAccessUsingMSI"] is True
    domain = templates.description("prod")["domain"]
    secret = f"{domain['keyVaultId']}/secrets/{domain['secretName']}"
    assert list(_roles_on_vault(region)) == [(KEY_VAULT_CERTIFICATE_USER, secret)]
    first = templates.with_description("prod", change).regional(BIND_HOST_NAMES="false")
    assert not list(_roles_on_vault(first))


def _roles_on_vault(region: Snapshot) -> Iterator[tuple[str, str]]:
    for role, scope in _roles(region, region.identity):
        if "Microsoft.KeyVault" in scope:
            yield role, scope


@check(("regional.bicep", "domain != null && bindHostNames", "domain != null"))
def test_the_first_deployment_binds_no_host_name(templates: Templates) -> None:
    """The DNS records are not there yet. All else is as in later deployments."""
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


@check((_DOMAIN, "@batchSize(1)\n", ""))
def test_host_names_are_bound_one_after_the_other(templates: Templates) -> None:
    """Two at the same time fail with a conflict."""
    resources = templates.compiled("modules/customDomain.bicep")["resources"]
    copy = resources["bindings"]["copy"]
    assert (copy.get("mode"), copy.get("batchSize")) == ("serial", 1)


@check(
    ("regional.bicep", "[identity, storage, privateNetwork, monitoring]", "[identity]"),
    ("regional.bicep", "[functionApp, certificateAccess]", "[functionApp]"),
    ("regional.bicep", "  dependsOn: [storage]\n", ""),
)
def test_what_is_needed_is_there_before(templates: Templates) -> None:
    """Roles precede the app, the app its host names, the profile the DNS records."""
    regional = _dependencies(templates.compiled("regional.bicep"))
    assert regional["storage"] >= {"identity"}
    assert regional["monitoring"] >= {"identity"}
    assert regional["privateNetwork"] >= {"storage"}
    before = {"identity", "storage", "privateNetwork", "monitoring"}
    assert regional["functionApp"] >= before
    assert regional["customDomain"] >= {"functionApp", "certificateAccess"}
    assert regional["operations"] >= {"monitoring"}
    shared = _dependencies(templates.compiled("global.bicep"))
    assert shared["dns"] >= {"trafficManager"}
    assert shared["callingWebhook"] >= {"trafficManager", "dns"}
    assert shared["endpointAlert"] >= {"trafficManager"}


def _dependencies(compiled: Resource) -> dict[str, set[str]]:
    resources = compiled["resources"].items()
    return {name: set(resource.get("dependsOn", [])) for name, resource in resources}


@check((_APP, "planName\n  location: location", "planName\n  location: 'westeurope'"))
def test_everything_of_a_region_is_in_its_location(templates: Templates) -> None:
    """Alerts on metrics and on what Azure announces have no location."""
    region = templates.regional(target={"location": "japaneast"})
    places = {r["location"] for r in region.resources if "location" in r}
    assert places == {"japaneast", "global"}
    everywhere = [r["type"] for r in region.resources if r.get("location") == "global"]
    assert set(everywhere) == {
        "Microsoft.Insights/activityLogAlerts",
        "Microsoft.Insights/metricAlerts",
        "microsoft.alertsManagement/smartDetectorAlertRules",
    }


@check(
    (_APP, "tags: tags\n  kind: 'functionapp,", "tags: {}\n  kind: 'functionapp,"),
    ("params/prod.global.bicepparam", "param tags = environment.tags\n", ""),
)
def test_resources_carry_tags(templates: Templates) -> None:
    """They name the environment, and include those of its description."""
    edited = templates.with_description("prod", {"tags": {"owner": "calls"}})
    for place, part, least in (
        ("weu", edited.regional(), 8),
        ("global", edited.global_part(), 3),
    ):
        tagged = [one["tags"] for one in part.resources if "tags" in one]
        named = {"workload": "tmscalls", "environment": "prod", "region": place}
        expected = {**named, "owner": "calls"}
        assert len(tagged) >= least
        assert all(tags.items() >= expected.items() for tags in tagged)
