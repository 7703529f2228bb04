"""Checks of the shared part: workspace, Key Vault, action group, budget."""

import pytest

from infra.bicep import BicepError
from infra.checks import limits
from tests.infra.checks import check
from tests.infra.templates import ROLE, VARIABLES, Templates

_BUDGET = "modules/budget.bicep"
_GROUP = "modules/actionGroup.bicep"
_VAULT = "modules/keyVault.bicep"
_WORKSPACE = "modules/workspace.bicep"
BUDGET = "Microsoft.Consumption/budgets"
GROUP = "Microsoft.Insights/actionGroups"
LOG_ALERT = "Microsoft.Insights/scheduledQueryRules"
VAULT = "Microsoft.KeyVault/vaults"
WORKSPACE = "Microsoft.OperationalInsights/workspaces"
LOG_ANALYTICS_READER = "73c42c96-874c-492b-b04d-ab87d138a893"
SHARED = "params/shared.bicepparam"


@check(
    (_WORKSPACE, "dailyQuotaGb: dailyCapGb", "dailyQuotaGb: -1"),
    (_WORKSPACE, "retentionInDays: retentionDays", "retentionInDays: 90"),
    (_WORKSPACE, "ResourcePermissions: true", "ResourcePermissions: false"),
)
def test_the_log_is_kept_for_a_while_and_has_a_daily_cap(templates: Templates) -> None:
    """The identity of an alert reads the log through its component alone."""
    workspace = templates.shared_part().properties(WORKSPACE)
    assert workspace["retentionInDays"] == 30
    assert workspace["workspaceCapping"] == {"dailyQuotaGb": 5}
    assert workspace["features"]["enableLogAccessUsingOnlyResourcePermissions"] is True


@check((_WORKSPACE, "? null : { enabled: true,", "? null : { enabled: false,"))
def test_a_workspace_may_be_replicated(templates: Templates) -> None:
    assert templates.shared_part().properties(WORKSPACE)["replication"] is None
    line = "param replicationLocation = 'northeurope'"
    part = templates.with_parameter(SHARED, line).shared_part()
    expected = {"enabled": True, "location": "northeurope"}
    assert part.properties(WORKSPACE)["replication"] == expected


@check(
    (_WORKSPACE, "dailyCapGb * 800", "dailyCapGb * 1000"),
    (_WORKSPACE, "actionGroups: [actionGroupId]", "actionGroups: []"),
    (_WORKSPACE, "'73c42c96-874c-492b", "'b24988ac-6180-42a0"),
    ("shared.bicep", "  dependsOn: [actionGroup]\n", ""),
)
def test_somebody_is_told_before_the_cap_is_reached(templates: Templates) -> None:
    """At 80 % of it, in megabytes of the day. Once it is reached, alerts are blind."""
    line = "param dailyCapGb = 10"
    part = templates.with_parameter(SHARED, line).shared_part()
    rule = part.one(LOG_ALERT)
    query = rule["properties"]["criteria"]["allOf"][0]["query"]
    assert "TimeGenerated > startofday(now())" in query
    assert "| where megabytes > 8000\n" in query
    assert rule["properties"]["windowSize"] == "P1D"
    group = part.one(GROUP)["id"]
    assert rule["properties"]["actions"] == {"actionGroups": [group]}
    role = part.one(ROLE)
    assert role["id"].startswith(part.one(WORKSPACE)["id"])
    assert role["properties"]["roleDefinitionId"].endswith(LOG_ANALYTICS_READER)
    compiled = templates.compiled("shared.bicep")["resources"]
    assert "actionGroup" in compiled["workspace"].get("dependsOn", [])


@check(
    (_VAULT, "enableRbacAuthorization: true", "enableRbacAuthorization: false"),
    (_VAULT, "enablePurgeProtection: true", "enablePurgeProtection: null"),
    (_VAULT, "'AuditEvent'", "'Audit'"),
)
def test_the_key_vault_goes_by_roles_and_keeps_who_read_what(
    templates: Templates,
) -> None:
    part = templates.shared_part()
    vault = part.properties(VAULT)
    assert vault["enableRbacAuthorization"] is True
    assert vault["enableSoftDelete"] is True
    assert vault["enablePurgeProtection"] is True
    assert "accessPolicies" not in vault
    diagnostics = part.one("Microsoft.Insights/diagnosticSettings")
    assert diagnostics["id"].startswith(part.one(VAULT)["id"])
    assert diagnostics["properties"] == {
        "workspaceId": part.one(WORKSPACE)["id"],
        "logs": [{"category": "AuditEvent", "enabled": True}],
    }


@check(("shared.bicep", "if (makeKeyVault)", "if (!empty(workload))"))
def test_the_key_vault_may_be_another_one(templates: Templates) -> None:
    part = templates.with_parameter(SHARED, "param makeKeyVault = false").shared_part()
    assert not part.all(VAULT)
    assert part.outputs["keyVaultId"] == ""


@check((_GROUP, "useCommonAlertSchema: true", "useCommonAlertSchema: false"))
def test_every_address_is_told(templates: Templates) -> None:
    """There may be none: then alerts only show in the portal."""
    part = templates.shared_part(ALERT_EMAILS="a@contoso.com b@contoso.com")
    receivers = part.properties(GROUP)["emailReceivers"]
    addresses = ["a@contoso.com", "b@contoso.com"]
    assert [one["emailAddress"] for one in receivers] == addresses
    assert all(one["useCommonAlertSchema"] for one in receivers)
    assert len(part.properties(GROUP)["groupShortName"]) <= 12
    none = templates.shared_part(ALERT_EMAILS="", BUDGET_AMOUNT="0")
    assert none.properties(GROUP)["emailReceivers"] == []


@check(
    (_BUDGET, "name: 'workload', operator", "name: 'owner', operator"),
    (_BUDGET, "threshold: 80", "threshold: 8"),
    ("shared.bicep", "if (budgetAmount > 0)", "if (budgetAmount > 500)"),
    ("shared.bicep", "union({ workload: workload }, tags)", "tags"),
)
def test_a_budget_counts_what_carries_the_tag(templates: Templates) -> None:
    """The log carries it, too. Without an amount there is no budget."""
    part = templates.shared_part()
    budget = part.one(BUDGET)
    assert budget["id"].startswith("/subscriptions/")
    assert "/resourceGroups/" not in budget["id"]
    properties = budget["properties"]
    assert (properties["amount"], properties["timeGrain"]) == (300, "Monthly")
    assert properties["timePeriod"] == {"startDate": VARIABLES["BUDGET_START"]}
    counted = properties["filter"]["tags"]
    assert (counted["name"], counted["values"]) == ("workload", ["tmscalls"])
    told = properties["notifications"].values()
    assert [(one["thresholdType"], one["threshold"]) for one in told] == [
        ("Actual", 80),
        ("Forecasted", 100),
    ]
    for one in told:
        assert one["contactEmails"] == [VARIABLES["ALERT_EMAILS"]]
    assert part.one(WORKSPACE)["tags"] == {"workload": "tmscalls"}
    assert not templates.shared_part(BUDGET_AMOUNT="0").all(BUDGET)


def test_a_budget_needs_a_start_and_somebody_to_tell(templates: Templates) -> None:
    for missing in ("BUDGET_START", "ALERT_EMAILS"):
        with pytest.raises(BicepError, match="greater than or equal"):
            templates.shared_part(**{missing: ""})


@check(
    (
        "shared.bicep",
        "output keyVaultId string = makeKeyVault ? keyVault!.outputs.id : ''",
        "output keyVaultId string = ''",
    )
)
def test_outputs_are_what_variables_and_descriptions_take(templates: Templates) -> None:
    part = templates.shared_part()
    assert limits.WORKSPACE_ID.fullmatch(part.outputs["logAnalyticsWorkspaceId"])
    assert limits.KEY_VAULT_ID.fullmatch(part.outputs["keyVaultId"])
    assert part.outputs["actionGroupId"] == part.one(GROUP)["id"]
