"""Mutants of alerts, app settings and the form of the templates."""

from tests.infra.mutant import Mutant

_ALERTS = "modules/alerts.bicep"
_APP = "modules/functionApp.bicep"
_DNS = "modules/dns.bicep"

ALERT_MUTANTS = [
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
SETTINGS_MUTANTS = [
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
SOURCE_MUTANTS = [
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
