"""Templates broken on purpose: which check has to go red for which change.

Each mutant compiles; what the compiler itself refuses needs no check.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    """A change of one place in one file, and the check that must notice it."""

    check: str
    file: str
    old: str
    new: str


_ALERTS = "modules/alerts.bicep"
_APP = "modules/functionApp.bicep"
_DNS = "modules/dns.bicep"
_DOMAIN = "modules/customDomain.bicep"
_INSIGHTS = "modules/monitoring.bicep"
_PROFILE = "modules/trafficManager.bicep"
_STORAGE = "modules/storage.bicep"

_ALERT_MUTANTS = [
    Mutant(
        "queries_read_the_line_that_the_code_writes",
        _ALERTS,
        '| where line.event == "notification.handled"',
        '| where line.event == "notification.done"',
    ),
    Mutant(
        "queries_read_the_line_that_the_code_writes",
        _ALERTS,
        "toint(line.status) == 401",
        "toint(line.statusCode) == 401",
    ),
    Mutant(
        "lost_calls_and_suppressed_redirects_are_noticed",
        _ALERTS,
        '"answer-unavailable", "answer-refused", "credential-unavailable"',
        '"answer-refused", "credential-unavailable"',
    ),
    Mutant(
        "lost_calls_and_suppressed_redirects_are_noticed",
        _ALERTS,
        'set_has_element(line.notes, "redirect-suppressed")',
        'line.reason == "redirect-suppressed"',
    ),
    Mutant("failing_requests_are_noticed", _ALERTS, "'Http5xx'", "'Http4xx'"),
    Mutant(
        "a_region_that_traffic_manager_gives_up_is_noticed",
        "modules/endpointAlert.bicep",
        "operator: 'LessThan'",
        "operator: 'GreaterThan'",
    ),
    Mutant(
        "the_host_that_redirects_name_is_tried_from_outside",
        _ALERTS,
        "SSLCheck: true",
        "SSLCheck: false",
    ),
    Mutant(
        "the_host_that_redirects_name_is_tried_from_outside",
        "regional.bicep",
        "testedHost: domain == null || bindHostNames ? hosts[region.code] : ''",
        "testedHost: domain == null || bindHostNames ? globalHost(domain) : ''",
    ),
    Mutant(
        "the_action_group_is_told",
        _ALERTS,
        "actions: { actionGroups: actionGroups }",
        "actions: { actionGroups: [] }",
    ),
]
_APP_MUTANTS = [
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
_NAMING_MUTANTS = [
    Mutant(
        "names_are_legal",
        "topology.bicep",
        "'st${replace(stem, '-', '')}${token}'",
        "'st${replace(stem, '-', '')}${token}${token}'",
    ),
    Mutant(
        "names_are_those_that_the_description_is_checked_for",
        "topology.bicep",
        "'func-${stem}-${token}'",
        "'app-${stem}-${token}'",
    ),
    Mutant(
        "every_region_knows_the_same_hosts",
        "regional.bicep",
        "  usableRegions,\n  one => one.code,",
        "  filter(usableRegions, one => one.?enabled ?? one.code == regionCode),\n"
        "  one => one.code,",
    ),
    Mutant(
        "order_changes_no_name",
        "regional.bicep",
        "var identityName = 'id-${stem}'",
        "var identityName = 'id-${stem}-${usableRegions[0].code}'",
    ),
    Mutant(
        "the_name_of_the_deployment_changes_nothing",
        "regional.bicep",
        "var identityName = 'id-${stem}'",
        "var identityName = 'id-${stem}-${deployment().name}'",
    ),
    Mutant(
        "worldwide_names_differ_between_subscriptions",
        "topology.bicep",
        "uniqueString(subscriptionId, workload, environmentName)",
        "uniqueString(workload, environmentName, empty(subscriptionId) ? '' : '-')",
    ),
    Mutant(
        "worldwide_names_differ_between_environments",
        "topology.bicep",
        "uniqueString(subscriptionId, workload, environmentName)",
        "uniqueString(subscriptionId, workload, empty(environmentName) ? '' : '-')",
    ),
    Mutant(
        "a_region_without_a_domain_has_the_default_host_of_its_app",
        "topology.bicep",
        "domain == null ? '' : '${domain!.globalLabel}",
        "domain == null ? 'azurewebsites.net' : '${domain!.globalLabel}",
    ),
    Mutant(
        "a_default_host_that_azure_made_unique_is_taken_from_the_list",
        "topology.bicep",
        "region.?defaultHostName ?? '${appName}.azure",
        "'${appName}.azure",
    ),
    Mutant(
        "azure_government_has_domains_of_its_own",
        "topology.bicep",
        "'usgovtrafficmanager.net' : 'trafficmanager.net'",
        "'trafficmanager.net' : 'trafficmanager.net'",
    ),
]
_ROUTING_MUTANTS = [
    Mutant(
        "a_redirect_never_goes_through_traffic_manager",
        "topology.bicep",
        "'${region.code}.${domain!.zone}'",
        "'${region.code == 'sea' ? domain!.globalLabel : region.code}.${domain!.zone}'",
    ),
    Mutant(
        "a_redirect_never_goes_through_traffic_manager",
        "global.bicep",
        "        host: defaultHostName(",
        "        host: region.code == 'sea' ? profileHost : defaultHostName(",
    ),
    Mutant(
        "the_global_host_leads_to_traffic_manager",
        "global.bicep",
        "{ label: domain.globalLabel, host: profileHost }",
        "{ label: domain.globalLabel, host: hosts[usableRegions[0].code] }",
    ),
    Mutant(
        "every_host_is_proved_to_be_ours",
        _DNS,
        "name: 'asuid.${alias.label}'",
        "name: 'awverify.${alias.label}'",
    ),
    Mutant(
        "records_can_be_changed_within_minutes",
        "global.bicep",
        "ttlSeconds: 300",
        "ttlSeconds: 3600",
    ),
    Mutant(
        "somebody_else_may_manage_the_zone",
        "global.bicep",
        "if (manageDns) {",
        "if (manageDns || !empty(token)) {",
    ),
    Mutant(
        "every_region_is_an_external_endpoint",
        _PROFILE,
        "endpointLocation: endpoint.location",
        "endpointLocation: empty(endpoint.location) ? '' : null",
    ),
    Mutant(
        "every_region_is_an_external_endpoint",
        _PROFILE,
        "'Microsoft.Network/trafficManagerProfiles/externalEndpoints'",
        "'Microsoft.Network/trafficManagerProfiles/azureEndpoints'",
    ),
    Mutant(
        "the_probe_is_one_that_an_app_answers",
        "global.bicep",
        "param probePath string = '/api/health'",
        "param probePath string = '/health'",
    ),
    Mutant(
        "the_probe_is_one_that_an_app_answers",
        _PROFILE,
        "{ name: 'Host', value: probeHost }",
        "{ name: 'X-Host', value: probeHost }",
    ),
    Mutant(
        "the_probe_is_one_that_an_app_answers",
        _PROFILE,
        "protocol: 'HTTPS'",
        "protocol: 'HTTP'",
    ),
    Mutant(
        "a_lost_region_is_out_of_the_answers_within_65_seconds",
        "global.bicep",
        "param dnsTtl int = 30",
        "param dnsTtl int = 60",
    ),
    Mutant(
        "the_webhook_of_the_bot_is_a_route_of_the_app",
        "global.bicep",
        "param webhookPath string = '/api/calls'",
        "param webhookPath string = '/api/messages'",
    ),
    Mutant(
        "without_the_name_of_a_bot_no_webhook_is_registered",
        "global.bicep",
        "scope: resourceGroup(botResourceGroupName)",
        "scope: resourceGroup(empty(botResourceGroupName) ? '' : resourceGroup().name)",
    ),
    Mutant(
        "a_fourth_region_changes_what_it_must_and_no_more",
        "global.bicep",
        "region.?priority ?? index + 1",
        "region.?priority ?? length(usableRegions) - index",
    ),
    Mutant(
        "a_disabled_region_loses_its_endpoint_only",
        "global.bicep",
        "map(usableRegions, (region, index) => {",
        "map(filter(usableRegions, one => one.?enabled ?? true), (region, index) => {",
    ),
    Mutant(
        "a_region_has_its_place_in_the_order",
        "global.bicep",
        "region.?priority ?? index + 1",
        "index + 1",
    ),
]
_SETTINGS_MUTANTS = [
    Mutant(
        "what_is_written_is_read",
        _APP,
        "AzureWebJobsDisableHomepage: 'true'",
        "AzureWebJobsDisableHomepage: 'true'\n    FUNCTIONS_WORKER_RUNTIME: 'python'",
    ),
    Mutant(
        "what_the_code_reads_is_what_sample_and_documentation_say",
        "regional.bicep",
        "CALLING_REGION_RULES: string",
        "CALLING_RULES: string",
    ),
    Mutant(
        "no_value_is_a_secret",
        _APP,
        "AzureWebJobsStorage__credential: 'managedidentity'",
        "AzureWebJobsStorage__credential: storage.listKeys().keys[0].value",
    ),
    Mutant(
        "the_app_can_use_its_settings",
        "regional.bicep",
        "CALLING_REGION_HOSTS: string(hosts)",
        "CALLING_REGION_HOSTS: string(map(items(hosts), one => one.value))",
    ),
    Mutant(
        "the_app_can_use_its_settings",
        _APP,
        "CALLING_IDENTITY_CLIENT_ID: identity.properties.clientId",
        "CALLING_IDENTITY_CLIENT_ID: identityName",
    ),
    Mutant(
        "further_settings_arrive_and_change_no_other",
        "regional.bicep",
        "union(extraAppSettings, {",
        "union(empty(extraAppSettings) ? {} : {}, {",
    ),
    Mutant(
        "the_host_uses_the_identity",
        _APP,
        "'Authorization=AAD;ClientId=${identity.properties.clientId}'",
        "'ClientId=${identity.properties.clientId}'",
    ),
]
_SOURCE_MUTANTS = [
    Mutant(
        "everything_is_described",
        "topology.bicep",
        "  @description('Required. Azure location of the region, for example "
        "westeurope.')\n",
        "",
    ),
    Mutant(
        "parameters_say_whether_they_are_required",
        "global.bicep",
        "'Required. Name of the environment",
        "'Optional. Name of the environment",
    ),
    Mutant(
        "the_outputs_are_those_that_the_deployment_reads",
        "regional.bicep",
        "output regionHost string",
        "output hostOfRegion string",
    ),
    Mutant(
        "the_types_are_those_of_the_checked_description",
        "topology.bicep",
        "  priority: int?",
        "  rank: int?",
    ),
    Mutant(
        "the_same_inputs_give_the_same_templates",
        "regional.bicep",
        "param tags { *: string } = {}",
        "param tags { *: string } = { at: utcNow() }",
    ),
    Mutant(
        "no_module_comes_from_a_registry",
        "regional.bicep",
        "module identity 'modules/identity.bicep'",
        "module identity './modules/identity.bicep'",
    ),
    Mutant(
        "what_is_ordered_by_hand_says_why",
        "regional.bicep",
        "  // It finds the app by a name that is known beforehand.\n"
        "  dependsOn: [functionApp]\n}\n\nmodule alerts",
        "  dependsOn: [functionApp]\n}\n\nmodule alerts",
    ),
    Mutant(
        "findings_are_suppressed_for_a_reason",
        _APP,
        "when the app is created: without it the\n"
        "    // app could never have a certificate.\n",
        "when the app is created\n\n",
    ),
    Mutant(
        "no_place_is_written_into_a_template",
        _DNS,
        "location: 'global'",
        "location: 'westeurope'",
    ),
]
MUTANTS = [
    *_ALERT_MUTANTS,
    *_APP_MUTANTS,
    *_NAMING_MUTANTS,
    *_ROUTING_MUTANTS,
    *_SETTINGS_MUTANTS,
    *_SOURCE_MUTANTS,
]
