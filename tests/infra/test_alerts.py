"""Checks of the alerts: what they look at is there, and somebody is told."""

import json
import logging
import re
from typing import Any

from shared.core.answers import Answered, AnswerOutcome
from shared.core.context import LogFacts
from shared.core.reasons import Reason
from shared.core.webhook import Correlation
from shared.edge.telemetry import RequestLog
from tests.infra.checks import check
from tests.infra.templates import VARIABLES, Resource, Templates
from tests.support.rules import build_request

_ALERTS = "modules/alerts.bicep"

METRIC_ALERTS = "Microsoft.Insights/metricAlerts"
LOG_ALERTS = "Microsoft.Insights/scheduledQueryRules"
WEBTESTS = "Microsoft.Insights/webtests"


def _queries(templates: Templates) -> dict[str, str]:
    return {
        rule["name"].removeprefix("tmscalls-prod-weu-"): rule["properties"]["criteria"][
            "allOf"
        ][0]["query"]
        for rule in templates.regional().all(LOG_ALERTS)
    }


def _canonical_line() -> dict[str, Any]:
    """Return a line of the log as the code writes it, with a batch in it."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    collector = Collector()
    logger = logging.getLogger("calling")
    level = logger.level
    logger.addHandler(collector)
    logger.setLevel(logging.INFO)
    try:
        unavailable = AnswerOutcome(Reason.ANSWER_UNAVAILABLE)
        RequestLog().write(
            build_request(None),
            Correlation("", "", ""),
            LogFacts(notes={Reason.REDIRECT_SUPPRESSED}),
            Answered((("a", unavailable), ("b", unavailable))),
            fields={},
        )
    finally:
        logger.removeHandler(collector)
        logger.setLevel(level)
    line: dict[str, Any] = json.loads(lines[0])
    return line


@check(
    (
        _ALERTS,
        '| where line.event == "notification.handled"',
        '| where line.event == "notification.done"',
    ),
    (_ALERTS, "toint(line.status) == 401", "toint(line.statusCode) == 401"),
)
def test_queries_read_the_line_that_the_code_writes(templates: Templates) -> None:
    line = _canonical_line()
    for query in _queries(templates).values():
        assert query.startswith("traces\n")
        assert f'line.event == "{line["event"]}"' in query
        fields = set(re.findall(r"\bline\.(\w+)", query))
        assert fields <= line.keys()
        assert set(re.findall(r"\bitem\.(\w+)", query)) <= line["items"][0].keys()
        quoted = set(re.findall(r'"([^"]+)"', query)) - {line["event"]}
        assert quoted <= {reason.value for reason in Reason}


@check(
    (
        _ALERTS,
        '"answer-unavailable", "answer-refused", "credential-unavailable"',
        '"answer-refused", "credential-unavailable"',
    ),
    (
        _ALERTS,
        'set_has_element(line.notes, "redirect-suppressed")',
        'line.reason == "redirect-suppressed"',
    ),
)
def test_lost_calls_and_suppressed_redirects_are_noticed(templates: Templates) -> None:
    queries = _queries(templates)
    assert set(queries) == {"refused", "unanswered", "redirect-suppressed"}
    for reason in (
        Reason.ANSWER_UNAVAILABLE,
        Reason.ANSWER_REFUSED,
        Reason.CREDENTIAL_UNAVAILABLE,
    ):
        assert f'"{reason.value}"' in queries["unanswered"]
    assert (
        'set_has_element(line.notes, "redirect-suppressed")'
        in queries["redirect-suppressed"]
    )
    assert "toint(line.status) == 401" in queries["refused"]
    assert "everything >= 10 and refused * 2 > everything" in queries["refused"]
    for rule in templates.regional().all(LOG_ALERTS):
        [criterion] = rule["properties"]["criteria"]["allOf"]
        assert (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 0)
        assert rule["properties"]["windowSize"] in ("PT5M", "PT15M")


@check((_ALERTS, "'Http5xx'", "'Http4xx'"))
def test_failing_requests_are_noticed(templates: Templates) -> None:
    region = templates.regional()
    alert = _named(region.all(METRIC_ALERTS), "tmscalls-prod-weu-failing")
    [criterion] = alert["criteria"]["allOf"]
    assert alert["scopes"] == [region.one("Microsoft.Web/sites")["id"]]
    assert (criterion["metricName"], criterion["timeAggregation"]) == (
        "Http5xx",
        "Total",
    )
    assert (criterion["operator"], criterion["threshold"]) == ("GreaterThan", 5)
    assert alert["windowSize"] == "PT5M"


@check(
    ("modules/endpointAlert.bicep", "operator: 'LessThan'", "operator: 'GreaterThan'")
)
def test_a_region_that_traffic_manager_gives_up_is_noticed(
    templates: Templates,
) -> None:
    shared = templates.global_part()
    alert = _named(shared.all(METRIC_ALERTS), "tmscalls-prod-global-degraded")
    profile = shared.one("Microsoft.Network/trafficmanagerprofiles")
    assert alert["scopes"] == [profile["id"]]
    [criterion] = alert["criteria"]["allOf"]
    metric = "ProbeAgentCurrentEndpointStateByProfileResourceId"
    assert criterion["metricName"] == metric
    assert (criterion["operator"], criterion["threshold"]) == ("LessThan", 1)
    [dimension] = criterion["dimensions"]
    assert (dimension["name"], dimension["values"]) == ("EndpointName", ["*"])


@check(
    (_ALERTS, "SSLCheck: true", "SSLCheck: false"),
    (
        "regional.bicep",
        "testedHost: domain == null || bindHostNames ? hosts[region.code] : ''",
        "testedHost: domain == null || bindHostNames ? globalHost(domain) : ''",
    ),
)
def test_the_host_that_redirects_name_is_tried_from_outside(
    templates: Templates,
) -> None:
    """Its certificate is checked, too: Traffic Manager does not look at that."""
    for environment in ("prod", "dev"):
        region = templates.regional(environment)
        test = region.one(WEBTESTS)
        properties = test["properties"]
        host = region.outputs["regionHost"]
        assert properties["Request"]["RequestUrl"] == f"https://{host}/api/health"
        rules = properties["ValidationRules"]
        assert (rules["ExpectedHttpStatusCode"], rules["SSLCheck"]) == (200, True)
        assert rules["SSLCertRemainingLifetimeCheck"] >= 7
        insights = region.one("Microsoft.Insights/components")["id"]
        assert test["tags"][f"hidden-link:{insights}"] == "Resource"
        alert = _named(
            region.all(METRIC_ALERTS), f"tmscalls-{environment}-weu-unreachable"
        )
        assert alert["criteria"]["webTestId"] == test["id"]
        assert alert["criteria"]["componentId"] == insights
        assert alert["criteria"]["failedLocationCount"] < len(properties["Locations"])


@check(
    (
        _ALERTS,
        "actions: { actionGroups: actionGroups }",
        "actions: { actionGroups: [] }",
    )
)
def test_the_action_group_is_told(templates: Templates) -> None:
    """Without an action group there are the same alerts."""
    group = VARIABLES["ACTION_GROUP_ID"]
    for told, metric, log in (
        (group, [{"actionGroupId": group}], [group]),
        ("", [], []),
    ):
        deployments = (
            templates.regional(ACTION_GROUP_ID=told),
            templates.global_part(ACTION_GROUP_ID=told),
        )
        alerts = [a for d in deployments for a in d.all(METRIC_ALERTS)]
        assert [alert["properties"]["actions"] for alert in alerts] == [metric] * 3
        rules = deployments[0].all(LOG_ALERTS)
        found = [rule["properties"]["actions"]["actionGroups"] for rule in rules]
        assert found == [log] * 3
        assert all(one["properties"]["enabled"] for one in (*alerts, *rules))
        assert all(one["properties"]["description"] for one in (*alerts, *rules))


def _named(alerts: list[Resource], name: str) -> dict[str, Any]:
    [found] = [alert["properties"] for alert in alerts if alert["name"] == name]
    properties: dict[str, Any] = found
    return properties
