metadata name = 'Alerts of a region'
metadata description = 'Alerts for failing requests, refused tokens, unanswered calls, rules that disagree and a host that cannot be reached.'

import { tagsType } from '../topology.bicep'

@description('Required. Prefix of the names of the alerts.')
param namePrefix string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Name of the Application Insights component of the region.')
param insightsName string

@description('Required. Resource ID of the action group to notify; empty: the alerts only show in the portal.')
param actionGroupId string

@description('Required. Host of the region to test from outside; empty while it is not bound.')
param testedHost string

@description('Required. Path of the health report.')
param healthPath string

// docs/reasons.md has the reasons. Alerts must not fire for what a stranger can cause, so
// they count only lines of these three groups and of requests with an accepted token, whose
// lines have a tenant. Only somebody with a token that the platform signed can cause these:
var signedReasons = [
  'audience-refused'
  'claims-malformed'
  'issuer-entra'
  'issuer-refused'
  'tenant-missing'
  'token-expired'
  'token-not-yet-valid'
]
// These are faults of the deployment, whoever calls.
var ownReasons = ['settings-unusable', 'signing-keys-none']
// A call that nobody took.
var unansweredReasons = [
  'answer-refused'
  'answer-unavailable'
  'credential-refused'
  'credential-unavailable'
  'recording-unhandled'
  'region-required'
]

@description('The reasons as a list in a query.')
func quoted(reasons string[]) string => join(map(reasons, reason => '"${reason}"'), ', ')

// itemCount makes up for sampling.
var handled = '''
traces
| where message has "notification.handled"
| extend line = parse_json(message)
| where line.event == "notification.handled"
| extend status = toint(line.status), reason = tostring(line.reason)
| extend is_accepted = isnotempty(tostring(line.tenant_id))
'''
var logAlerts = [
  {
    name: 'failing'
    description: 'More than five requests in 15 minutes ended with 5xx. See the reasons in the log, and /api/health.'
    severity: 1
    query: format(
      '''
| where status >= 500 and (is_accepted or reason in ({0}))
| summarize failed = sum(itemCount)
| where failed > 5
''',
      quoted(ownReasons)
    )
  }
  {
    name: 'refused'
    description: 'Of ten or more requests of the platform in 15 minutes, more than half were refused with 401. A wrong clock, audience or issuer does this.'
    severity: 1
    query: format(
      '''
| extend is_refused = reason in ({0})
| where is_accepted or is_refused
| summarize everything = sum(itemCount), refused = sumif(itemCount, is_refused)
| where everything >= 10 and refused * 2 > everything
''',
      quoted(signedReasons)
    )
  }
  {
    name: 'unanswered'
    description: 'Two or more incoming calls in 15 minutes were not answered. The reason and Graph\'s code are in the line.'
    severity: 1
    // Only errors: a warning says that another process has probably answered the call.
    query: format(
      '''
| where severityLevel >= 3
| mv-expand item = iff(isnull(line.items), pack_array(line), line.items)
| where tostring(item.reason) in ({0})
| summarize unanswered = sum(itemCount)
| where unanswered >= 2
''',
      quoted(unansweredReasons)
    )
  }
  {
    name: 'redirect-suppressed'
    description: 'A call that was redirected here would have been redirected again. The regions have different rules or hosts: deploy all of them again.'
    severity: 2
    query: '''
| where set_has_element(line.notes, "redirect-suppressed")
| summarize suppressed = sum(itemCount)
| where suppressed > 0
'''
  }
]
var actionGroups = empty(actionGroupId) ? [] : [actionGroupId]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// Log rules, not metrics: Flex Consumption has no metric of HTTP. Lines arrive up to three
// minutes late, so a window is three times as long as the time between two evaluations.
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
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
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
    // Twice the time between two tests, so that every place has a result in it.
    windowSize: 'PT30M'
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
