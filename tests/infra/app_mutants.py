"""Mutants of the app and what it stands on."""

from tests.infra.mutant import Mutant

_APP = "modules/functionApp.bicep"
_DOMAIN = "modules/customDomain.bicep"
_INSIGHTS = "modules/monitoring.bicep"
_STORAGE = "modules/storage.bicep"

APP_MUTANTS = [
    Mutant(
        "the_plan_is_flex_consumption_on_linux",
        _APP,
        "{ name: 'FC1', tier: 'FlexConsumption' }",
        "{ name: 'Y1', tier: 'Dynamic' }",
    ),
    Mutant(
        "nothing_is_set_that_flex_consumption_rejects",
        _APP,
        "      http20Enabled: true",
        "      http20Enabled: true\n      linuxFxVersion: 'Python|3.13'",
    ),
    Mutant(
        "python_is_the_version_of_the_project",
        "regional.bicep",
        "param pythonVersion string = '3.13'",
        "param pythonVersion string = '3.12'",
    ),
    Mutant(
        "an_instance_is_ready_and_takes_several_calls",
        _APP,
        "alwaysReady: [{ name: 'http', instanceCount: alwaysReadyInstances }]",
        "alwaysReady: take([{ name: 'http', instanceCount: alwaysReadyInstances }], 0)",
    ),
    Mutant(
        "an_instance_is_ready_and_takes_several_calls",
        "regional.bicep",
        "param httpPerInstanceConcurrency int = 16",
        "param httpPerInstanceConcurrency int = 2",
    ),
    Mutant(
        "zones_take_two_instances_and_storage_in_three",
        "regional.bicep",
        "max(alwaysReadyInstances, zoneRedundant ? 2 : 1)",
        "alwaysReadyInstances",
    ),
    Mutant(
        "zones_take_two_instances_and_storage_in_three",
        _STORAGE,
        "'Standard_ZRS'",
        "'Standard_GRS'",
    ),
    Mutant(
        "callers_need_tls_of_a_version_that_they_have",
        _APP,
        "minTlsVersion: '1.2'\n      remote",
        "minTlsVersion: '1.3'\n      remote",
    ),
    Mutant(
        "callers_need_tls_of_a_version_that_they_have",
        _APP,
        "httpsOnly: true",
        "httpsOnly: false",
    ),
    Mutant(
        "nothing_answers_in_place_of_the_code",
        _APP,
        "clientAffinityEnabled: false",
        "clientAffinityEnabled: true",
    ),
    Mutant(
        "anybody_may_call_unless_service_tags_are_given",
        _APP,
        "empty(allowedServiceTags) ? 'Allow' : 'Deny'",
        "'Allow'",
    ),
    Mutant(
        "there_are_no_passwords_for_publishing",
        _APP,
        "name: 'scm'\n  properties: { allow: false }",
        "name: 'scm'\n  properties: { allow: true }",
    ),
    Mutant(
        "storage_has_no_keys_and_nothing_public",
        _STORAGE,
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
    ),
    Mutant(
        "storage_has_no_keys_and_nothing_public",
        _STORAGE,
        "publicAccess: 'None'",
        "publicAccess: 'Blob'",
    ),
    Mutant(
        "the_package_is_read_with_the_identity",
        _APP,
        "value: '${storage.properties.primaryEndpoints.blob}${containerName}'",
        "value: '${storage.properties.primaryEndpoints.blob}packages'",
    ),
    Mutant(
        "the_app_has_one_identity",
        _APP,
        "type: 'UserAssigned'\n",
        "type: 'SystemAssigned, UserAssigned'\n",
    ),
    Mutant(
        "the_identity_has_the_two_roles_that_it_needs",
        _STORAGE,
        "scope: account\n",
        "scope: container\n",
    ),
    Mutant(
        "the_identity_has_the_two_roles_that_it_needs",
        _INSIGHTS,
        "3913510d-42f4-4e42-8a64-420c390055eb",
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
    ),
    Mutant(
        "telemetry_takes_an_identity",
        _INSIGHTS,
        "DisableLocalAuth: true",
        "DisableLocalAuth: false",
    ),
    Mutant(
        "the_host_logs_to_the_workspace",
        _APP,
        "{ category: 'FunctionAppLogs', enabled: true }",
        "{ category: 'FunctionAppLogs', enabled: false }",
    ),
    Mutant(
        "both_hosts_are_bound_with_the_wildcard_certificate",
        "regional.bicep",
        "hostNames: [globalHost(domain), hosts[region.code]]",
        "hostNames: [hosts[region.code]]",
    ),
    Mutant(
        "both_hosts_are_bound_with_the_wildcard_certificate",
        _DOMAIN,
        "sslState: 'SniEnabled'",
        "sslState: 'Disabled'",
    ),
    Mutant(
        "an_app_can_get_a_certificate",
        _APP,
        "siteScopedCertificatesEnabled: true",
        "siteScopedCertificatesEnabled: false",
    ),
    Mutant(
        "the_first_deployment_binds_no_host_name",
        "regional.bicep",
        "var bindsHostNames = domain != null && bindHostNames",
        "var bindsHostNames = domain != null",
    ),
    Mutant("host_names_are_bound_one_after_the_other", _DOMAIN, "@batchSize(1)\n", ""),
    Mutant(
        "what_is_needed_is_there_before",
        "regional.bicep",
        "dependsOn: [identity, storage, monitoring]",
        "dependsOn: [identity]",
    ),
    Mutant(
        "everything_of_a_region_is_in_its_location",
        _APP,
        "name: planName\n  location: location",
        "name: planName\n  location: 'westeurope'",
    ),
    Mutant(
        "resources_carry_tags",
        _APP,
        "location: location\n  tags: tags\n  kind: 'functionapp,linux'",
        "location: location\n  tags: {}\n  kind: 'functionapp,linux'",
    ),
]
