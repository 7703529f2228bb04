"""Checks of the alerts: what they look at exists, and who can set them off."""

import asyncio
import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any
from unittest import TestCase

from shared.core.context import LogFacts, RuleContext
from shared.core.decisions import decide
from shared.core.errors import WebhookError
from shared.core.outcomes import ItemOutcome, Taken
from shared.core.reasons import Reason
from shared.core.webhook import MAX_BODY_BYTES, Correlation, WebhookRequest
from shared.edge.telemetry import RequestLog
from tests.infra.checks import check
from tests.infra.queries import TABLES, table_and_columns
from tests.infra.templates import (
    INSIGHTS,
    PROFILE,
    SITE,
    VARIABLES,
    Resource,
    Templates,
)
from tests.security.attacks import all_rows
from tests.simulator.services.signing import APP_ID, TENANT_ID, SigningKey, TokenFactory
from tests.support.answering import make_call
from tests.support.checkout import read_json, read_text
from tests.support.rules import build_deployment, build_request, key_set_of

_ALERTS = "modules/alerts.bicep"
_ENDPOINT = "modules/endpointAlert.bicep"
_QUERIES = "queries/alerts"
_FAILING = f"{_QUERIES}/failing.kql"
_REFUSED = f"{_QUERIES}/refused.kql"
_UNANSWERED = f"{_QUERIES}/unanswered.kql"
_SUPPRESSED = f"{_QUERIES}/redirect-suppressed.kql"
_WORKSPACE = "modules/workspace.bicep"

METRIC_ALERTS = "Microsoft.Insights/metricAlerts"
LOG_ALERTS = "Microsoft.Insights/scheduledQueryRules"
ANNOUNCEMENTS = "Microsoft.Insights/activityLogAlerts"
# The metrics that exist, by kind of resource: Azure refuses an alert on any other.
# https://learn.microsoft.com/azure/azure-monitor/reference/metrics-index
METRICS = {
    # On Flex Consumption, by `az monitor metrics list-definitions`; none is of HTTP.
    SITE: {
        *("AlwaysReadyFunctionExecutionCount", "AlwaysReadyFunctionExecutionUnits"),
        *("AlwaysReadyUnits", "AverageMemoryWorkingSet", "CpuPercentage"),
        *("InstanceCount", "MemoryWorkingSet"),
        *("OnDemandFunctionExecutionCount", "OnDemandFunctionExecutionUnits"),
    },
    "Microsoft.Network/trafficManagerProfiles": {
        "ProbeAgentCurrentEndpointStateByProfileResourceId",
        "QpsByEndpoint",
    },
}
SIGNED = {
    *("audience-refused", "claims-malformed", "issuer-entra", "issuer-refused"),
    *("tenant-missing", "token-expired", "token-not-yet-valid"),
}
OURS = {"settings-unusable", "signing-keys-none"}
UNANSWERED = {
    *("answer-refused", "answer-unavailable", "credential-refused"),
    *("credential-unavailable", "recording-unhandled", "region-required"),
}
# What alerts count: lines of requests, or events that only we can cause.
OF_REQUESTS = {
    *("failing", "refused", "unanswered", "redirect-suppressed", "slow-answers"),
    *("calls-ending-badly", "deliveries-failing", "partition-silent"),
}
OF_EVENTS = {"answering-failing", "bot-certificate"}
# What keeps strangers out, where it is more than an accepted token.
FILTERS = {
    "failing": "| where status >= 500 and (is_accepted or reason in (",
    "refused": "| where is_accepted or is_refused\n",
}
PLANTED = """resource planted 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'planted'
  location: 'global'
  properties: {
    severity: 1
    enabled: true
    scopes: [insights.id]
    targetResourceType: 'Microsoft.Web/sites'
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: '5xx'
          metricNamespace: 'Microsoft.Web/sites'
          metricName: 'Http5xx'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 5
        }
      ]
    }
  }
}

"""


def _queries(templates: Templates) -> dict[str, str]:
    found = {}
    for rule in templates.regional().all(LOG_ALERTS):
        name = rule["name"].removeprefix("tmscalls-prod-weu-")
        text = rule["properties"]["criteria"]["allOf"][0]["query"]
        found[name] = re.sub("^//.*\n", "", text, flags=re.MULTILINE)
    return found


def _codes(query: str) -> set[str]:
    """Return the reasons that a query names."""
    return set(re.findall(r'"([a-z-]+)"', query)) - {"terminated"}


def _canonical_line() -> dict[str, Any]:
    """Return a line of the log as the code writes it, with a batch in it."""
    calls = [make_call(), make_call()]
    facts = LogFacts(TENANT_ID, calls, notes={Reason.REDIRECT_SUPPRESSED})
    unavailable = ItemOutcome(Reason.ANSWER_UNAVAILABLE)
    batch = Taken([unavailable for _ in calls], has_incoming=True)
    with TestCase().assertLogs("calling", "INFO") as logged:
        request, correlation = build_request(None), Correlation("", "", "")
        RequestLog().write(request, correlation, facts, batch, fields={})
    line: dict[str, Any] = json.loads(logged.records[0].getMessage())
    return line


@check(
    (_FAILING, 'event == "notification.handled"', 'event == "notification.done"'),
    (_FAILING, "toint(line.status)", "toint(line.statusCode)"),
    (_FAILING, '"signing-keys-none"', '"signing-keys-gone"'),
)
def test_queries_read_the_line_that_the_code_writes(templates: Templates) -> None:
    """What each finds in real lines is shown by tests/queries."""
    line = _canonical_line()
    known = {reason.value for reason in Reason}
    for name, query in _queries(templates).items():
        # A rule on a component knows its classic tables only.
        assert query.startswith("traces\n")
        if name in OF_REQUESTS:
            assert f'line.event == "{line["event"]}"' in query
        if name in {"failing", "refused", "unanswered", "redirect-suppressed"}:
            assert set(re.findall(r"\bline\.(\w+)", query)) <= line.keys()
            assert set(re.findall(r"\bitem\.(\w+)", query)) <= line["items"][0].keys()
            assert _codes(query) <= known


@check((_ALERTS, "queries/alerts/refused.kql", "queries/alerts/failing.kql"))
def test_an_alert_takes_the_query_of_its_name(templates: Templates) -> None:
    """Each file is an alert, and each says what to read."""
    files = {
        name.removeprefix(f"{_QUERIES}/").removesuffix(".kql"): text
        for name, text in templates.files.items()
        if name.startswith(f"{_QUERIES}/")
    }
    found = {}
    for rule in templates.regional().all(LOG_ALERTS):
        name = rule["name"].removeprefix("tmscalls-prod-weu-")
        found[name] = rule["properties"]["criteria"]["allOf"][0]["query"]
        page = r" docs/operations\.md, step [1-7]\.$"
        assert re.search(page, rule["properties"]["description"]), name
        assert rule["properties"]["severity"] in {1, 2}
    assert found == files


@check(
    (_FAILING, "traces\n| where message", "AppTraces\n| where Message"),
    (_FAILING, "sum(itemCount)", "sum(ItemCount)"),
    (_WORKSPACE, "'''Usage\n", "'''Usages\n"),
    (_WORKSPACE, "sum(Quantity)", "sum(Megabytes)"),
)
def test_queries_name_tables_and_columns_that_exist(templates: Templates) -> None:
    """Azure would take a query of anything, as a new component has no tables yet."""
    rules = [
        rule
        for part in (templates.regional(), templates.shared_part())
        for rule in part.all(LOG_ALERTS)
    ]
    assert len(rules) == 11
    for rule in rules:
        [scope] = rule["properties"]["scopes"]
        kind = scope.split("/")[-2]
        query = rule["properties"]["criteria"]["allOf"][0]["query"]
        table, columns = table_and_columns(query)
        assert table in TABLES[kind]
        assert columns <= TABLES[kind][table]


@check(
    (_ALERTS, "Count'", "Total'"),
    (_FAILING, "failed = sum(itemCount)", "failed = count()"),
)
def test_rules_sum_what_a_sampled_row_stands_for(templates: Templates) -> None:
    """They fire for any row that their query returns."""
    for rule in templates.regional().all(LOG_ALERTS):
        [criterion] = rule["properties"]["criteria"]["allOf"]
        assert criterion["timeAggregation"] == "Count"
        assert (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 0)
        assert "sum(itemCount)" in criterion["query"]
        assert not re.search(r"\bcount(?:if)?\(", criterion["query"])


def test_no_trace_is_sampled_and_requests_are() -> None:
    """Lines of calls survive a flood, and the flood's requests are not billed whole."""
    sampling = read_json("host.json")["logging"]["applicationInsights"][
        "samplingSettings"
    ]
    assert sampling["isEnabled"] is True
    assert set(sampling["excludedTypes"].split(";")) == {"Exception", "Trace"}


def test_the_host_writes_no_lines_about_probes() -> None:
    """What the code itself logs during a probe is kept, such as `health.notice`."""
    levels = read_json("host.json")["logging"]["logLevel"]
    assert "async def health(" in read_text("function_app.py")
    assert levels["Function.health"] == "Warning"
    assert levels["Function.health.User"] == "Information"
    assert levels["default"] == "Information"


@check(
    (_ALERTS, "// Traffic Manager does", f"{PLANTED}// Traffic Manager does"),
    (_ENDPOINT, "'ProbeAgentCurrent", "'ProbeAgentLast"),
    (_ENDPOINT, "skipMetricValidation: true", "skipMetricValidation: false"),
)
def test_every_metric_of_an_alert_exists(templates: Templates) -> None:
    """Azure validates it, unless told otherwise, and a new resource has none yet."""
    regions = (templates.regional(), templates.regional("dev"))
    for deployment in (*regions, templates.global_part()):
        for alert in deployment.all(METRIC_ALERTS):
            for criterion in alert["properties"]["criteria"].get("allOf", []):
                kind = criterion["metricNamespace"]
                assert alert["properties"]["targetResourceType"] == kind
                assert criterion["metricName"] in METRICS[kind]
                assert criterion["skipMetricValidation"] is True


@check(
    (_ALERTS, "'PT15M' : 'PT30M'", "'PT5M' : 'PT30M'"),
    (_ALERTS, "'PT5M' : 'PT15M'", "'PT5M' : 'PT30M'"),
)
def test_a_window_is_longer_than_what_it_waits_for(templates: Templates) -> None:
    """Lines arrive minutes late."""
    region = templates.regional()
    for rule in region.all(LOG_ALERTS):
        properties = rule["properties"]
        times = (properties["evaluationFrequency"], properties["windowSize"])
        is_urgent = properties["severity"] == 1
        assert times == (("PT5M", "PT15M") if is_urgent else ("PT15M", "PT30M"))


@check(
    (_FAILING, "(is_accepted or reason in (", "(true or reason in ("),
    (_REFUSED, '"token-expired"', '"signature-invalid"'),
    (_FAILING, '("settings-unusable",', '("settings-unusable", "body-too-large",'),
    (_REFUSED, "| where is_accepted or is_refused\n", ""),
    (f"{_QUERIES}/slow-answers.kql", "| where is_accepted\n", ""),
)
def test_a_stranger_cannot_set_off_an_alert(templates: Templates) -> None:
    """Only a token that the platform signed, a call or a fault of ours counts."""
    queries = _queries(templates)
    assert queries.keys() == OF_REQUESTS | OF_EVENTS
    accepted = "| extend is_accepted = isnotempty(tostring(line.tenant_id))\n"
    for name in OF_REQUESTS:
        assert accepted in queries[name]
        text = FILTERS.get(name, "| where is_accepted")
        assert text in queries[name], name
    named = set().union(*(_codes(queries[name]) for name in OF_REQUESTS))
    assert not _refusals(is_forged=True) & named
    assert _refusals(is_forged=False) & named == SIGNED


@cache
def _refusals(*, is_forged: bool) -> set[str]:
    """Return why requests are refused before a token is accepted.

    They are a huge one and those of the attack table. The platform signs their tokens,
    or a stranger does, under the platform's key id.
    """
    key = SigningKey()
    signer = SigningKey(key.key_id) if is_forged else key
    tokens = TokenFactory(signer, audience=APP_ID, tenant_id=TENANT_ID)
    requests = [build_request(None, b" " * (MAX_BODY_BYTES + 1))]
    for row in all_rows():
        headers = {"authorization": f"Bearer {row.make(tokens)}"}
        requests.append(build_request(None, headers=headers))
    return asyncio.run(_decide_all(requests, build_deployment(key_set_of(key))))


async def _decide_all(
    requests: Sequence[WebhookRequest], context: RuleContext
) -> set[str]:
    found = set()
    for request in requests:
        facts = LogFacts()
        try:
            await decide(request, context, facts)
        except WebhookError as refusal:
            if facts.tenant_id is None:
                found.add(refusal.reason.value)
    return found


@check(
    (_FAILING, '"signing-keys-none"', '"signing-key-unknown"'),
    (_FAILING, "failed > 5", "failed > 50"),
)
def test_failing_requests_are_noticed(templates: Templates) -> None:
    """The rule reads the log, as Flex Consumption has no metric of 5xx."""
    region = templates.regional()
    rule = _named(region.all(LOG_ALERTS), "tmscalls-prod-weu-failing")
    assert rule["scopes"] == [region.one(INSIGHTS)["id"]]
    query = _queries(templates)["failing"]
    assert _codes(query) == OURS
    assert "| summarize failed = sum(itemCount)\n| where failed > 5\n" in query


@check(
    (_REFUSED, '"issuer-entra", ', ""),
    (_REFUSED, "refused * 2 > everything", "refused > everything"),
)
def test_refusals_of_the_platforms_own_tokens_are_noticed(templates: Templates) -> None:
    query = _queries(templates)["refused"]
    assert _codes(query) == SIGNED
    assert "everything = sum(itemCount)" in query
    assert "refused = sumif(itemCount, is_refused)" in query
    assert "everything >= 10 and refused * 2 > everything" in query


@check(
    (_UNANSWERED, '"answer-unavailable", ', ""),
    (_UNANSWERED, ', "region-required"', ""),
    (_UNANSWERED, "unanswered >= 2", "unanswered >= 1"),
    (_UNANSWERED, "severityLevel >= 3", "severityLevel >= 2"),
)
def test_two_calls_that_nobody_took_are_noticed(templates: Templates) -> None:
    """One may be a duplicate; a warning says that another process has answered."""
    query = _queries(templates)["unanswered"]
    assert _codes(query) == UNANSWERED
    assert "| where is_accepted and severityLevel >= 3\n" in query
    assert "| summarize unanswered = sum(itemCount)\n| where unanswered >= 2\n" in query


@check((_SUPPRESSED, "set_has_element(line.notes, ", "line.reason has ("))
def test_suppressed_redirects_are_noticed(templates: Templates) -> None:
    query = _queries(templates)["redirect-suppressed"]
    assert 'set_has_element(line.notes, "redirect-suppressed")' in query


@check((_ENDPOINT, "operator: 'LessThan'", "operator: 'GreaterThan'"))
def test_a_region_that_traffic_manager_gives_up_is_noticed(
    templates: Templates,
) -> None:
    shared = templates.global_part()
    alert = _named(shared.all(METRIC_ALERTS), "tmscalls-prod-global-degraded")
    assert alert["scopes"] == [shared.one(PROFILE)["id"]]
    [criterion] = alert["criteria"]["allOf"]
    metric = "ProbeAgentCurrentEndpointStateByProfileResourceId"
    assert criterion["metricName"] == metric
    assert (criterion["operator"], criterion["threshold"]) == ("LessThan", 1)
    [dimension] = criterion["dimensions"]
    assert dimension["name"] == "EndpointName"
    assert dimension["values"] == templates.codes("prod")


@check((_ALERTS, "{ actionGroups: actionGroups }", "{ actionGroups: [] }"))
def test_the_action_group_is_told(templates: Templates) -> None:
    """Without an action group there are the same alerts."""
    group = VARIABLES["ACTION_GROUP_ID"]
    for told, metric, log in (
        (group, [{"actionGroupId": group}], [group]),
        ("", [], []),
    ):
        region = templates.regional(ACTION_GROUP_ID=told)
        shared = templates.global_part(ACTION_GROUP_ID=told)
        alerts = [*region.all(METRIC_ALERTS), *shared.all(METRIC_ALERTS)]
        assert [alert["properties"]["actions"] for alert in alerts] == [metric] * 3
        rules = region.all(LOG_ALERTS)
        found = [rule["properties"]["actions"]["actionGroups"] for rule in rules]
        assert found == [log] * 10
        announced = region.properties(ANNOUNCEMENTS)["actions"]["actionGroups"]
        assert announced == metric
        assert all(one["properties"]["enabled"] for one in (*alerts, *rules))
        assert all(one["properties"]["description"] for one in (*alerts, *rules))


def _named(alerts: list[Resource], name: str) -> Resource:
    [properties] = [alert["properties"] for alert in alerts if alert["name"] == name]
    return properties
