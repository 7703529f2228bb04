"""Mutants of names, hosts and the way of a call."""

from tests.infra.mutant import Mutant

_DNS = "modules/dns.bicep"
_PROFILE = "modules/trafficManager.bicep"

NAMING_MUTANTS = [
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
ROUTING_MUTANTS = [
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
