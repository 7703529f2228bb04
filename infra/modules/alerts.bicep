metadata name = 'Alerts of a region'
metadata description = 'Alerts for failing requests, refused tokens, unanswered calls, rules that disagree and a host that cannot be reached.'

import { tagsType } from '../topology.bicep'

@description('Required. Prefix of the names of the alerts.')
param namePrefix string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Name of the function app.')
param appName string

@description('Required. Name of the Application Insights component of the region.')
param insightsName string

@description('Required. Resource ID of the action group to notify; empty: the alerts only show in the portal.')
param actionGroupId string

@description('Required. Host of the region to test from outside; empty while it is not bound.')
param testedHost string

@description('Required. Path of the health report.')
param healthPath string

// docs/reasons.md describes the log line. itemCount makes up for sampling.
var handled = '''
traces
| where message has "notification.handled"
| extend line = parse_json(message)
| where line.event == "notification.handled"
'''
var logAlerts = [
  {
    name: 'refused'
    description: 'More than half of the notifications were refused with 401, of ten or more. A wrong clock, audience or issuer does this.'
    severity: 1
    window: 'PT15M'
    query: '''
| summarize everything = sum(itemCount), refused = sumif(itemCount, toint(line.status) == 401)
| where everything >= 10 and refused * 2 > everything
'''
  }
  {
    name: 'unanswered'
    description: 'An incoming call was not answered: Graph or its credential failed. The reason and Graph\'s code are in the line.'
    severity: 1
    window: 'PT5M'
    query: '''
| mv-expand item = iff(isnull(line.items), pack_array(line), line.items)
| where tostring(item.reason) in ("answer-unavailable", "answer-refused", "credential-unavailable")
'''
  }
  {
    name: 'redirect-suppressed'
    description: 'A call that was redirected here would have been redirected again. The regions have different rules or hosts: deploy all of them anew.'
    severity: 2
    window: 'PT5M'
    query: '''
| where set_has_element(line.notes, "redirect-suppressed")
'''
  }
]
var actionGroups = empty(actionGroupId) ? [] : [actionGroupId]

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource failing 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${namePrefix}-failing'
  location: 'global'
  tags: tags
  properties: {
    description: 'More than five requests in five minutes ended with 5xx. See the reasons in the log, and /api/health.'
    severity: 1
    enabled: true
    scopes: [app.id]
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
    autoMitigate: true
    actions: map(actionGroups, id => { actionGroupId: id })
  }
}

resource logged 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in logAlerts: {
    name: '${namePrefix}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      description: alert.description
      displayName: '${namePrefix}-${alert.name}'
      severity: alert.severity
      enabled: true
      scopes: [insights.id]
      evaluationFrequency: alert.window
      windowSize: alert.window
      criteria: {
        allOf: [
          {
            query: '${handled}${alert.query}'
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      // A new component has no tables for some minutes.
      skipQueryValidation: true
      actions: { actionGroups: actionGroups }
    }
  }
]

// Traffic Manager does not check certificates. This test does, at the host that redirects
// use.
resource reachable 'Microsoft.Insights/webtests@2022-06-15' = if (!empty(testedHost)) {
  name: '${namePrefix}-reachable'
  location: location
  tags: union(tags, { 'hidden-link:${insights.id}': 'Resource' })
  kind: 'standard'
  properties: {
    Name: '${namePrefix}-reachable'
    SyntheticMonitorId: '${namePrefix}-reachable'
    Description: 'The health report of the region, at the host that redirects use.'
    Kind: 'standard'
    Enabled: true
    Frequency: 900
    Timeout: 30
    RetryEnabled: true
    // Amsterdam, Virginia, Singapore
    Locations: [{ Id: 'emea-nl-ams-azr' }, { Id: 'us-va-ash-azr' }, { Id: 'apac-sg-sin-azr' }]
    Request: {
      RequestUrl: 'https://${testedHost}${healthPath}'
      HttpVerb: 'GET'
      FollowRedirects: false
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 14
    }
  }
}

resource unreachable 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(testedHost)) {
  name: '${namePrefix}-unreachable'
  location: 'global'
  tags: tags
  properties: {
    description: 'Seen from two of three places, the region cannot be reached at its own host, is not healthy, or its certificate ends within 14 days.'
    severity: 1
    enabled: true
    scopes: [reachable.id, insights.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: reachable.id
      componentId: insights.id
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: map(actionGroups, id => { actionGroupId: id })
  }
}
