metadata name = 'Alerts of a region'
metadata description = 'Alerts of a region: for what its log tells, and for a host that cannot be reached. There is dependsOn because a rule does not name the role that it needs.'

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

// Alerts must not fire for what a stranger can cause: their queries count only requests with
// an accepted token, refusals that take a signature of the platform, and faults of ours.
var logAlerts = [
  {
    name: 'failing'
    description: 'More than five requests in 15 minutes ended with 5xx. See the reasons in the log, and /api/health.'
    severity: 1
    step: 2
    query: loadTextContent('../queries/alerts/failing.kql')
  }
  {
    name: 'refused'
    description: 'Of ten or more requests of the platform in 15 minutes, more than half were refused with 401. A wrong clock, audience or issuer does this.'
    severity: 1
    step: 6
    query: loadTextContent('../queries/alerts/refused.kql')
  }
  {
    name: 'unanswered'
    description: 'Two or more incoming calls in 15 minutes were not answered. The reason and Graph\'s code are in the line.'
    severity: 1
    step: 2
    query: loadTextContent('../queries/alerts/unanswered.kql')
  }
  {
    name: 'answering-failing'
    description: 'A process cannot answer calls for a reason of this region. Its health is 503, so that Traffic Manager sends calls elsewhere.'
    severity: 1
    step: 2
    query: loadTextContent('../queries/alerts/answering-failing.kql')
  }
  {
    name: 'deliveries-failing'
    description: 'More than five deliveries to instances failed in 15 minutes. New calls go to the other partitions; running ones are deaf.'
    severity: 1
    step: 2
    query: loadTextContent('../queries/alerts/deliveries-failing.kql')
  }
  {
    name: 'partition-silent'
    description: 'A partition took none of five or more deliveries in 15 minutes. Its instance is down, or its URL is wrong.'
    severity: 1
    step: 2
    query: loadTextContent('../queries/alerts/partition-silent.kql')
  }
  {
    name: 'calls-ending-badly'
    description: 'Of ten or more calls that ended in 30 minutes, more than a quarter ended with a code from 400 on: people were cut off.'
    severity: 2
    step: 4
    query: loadTextContent('../queries/alerts/calls-ending-badly.kql')
  }
  {
    name: 'slow-answers'
    description: 'Of ten or more answers in 30 minutes, one in twenty took over 3 s. Nobody is lost yet: a call rings for 15 s, a policy recording for 5 s.'
    severity: 2
    step: 3
    query: loadTextContent('../queries/alerts/slow-answers.kql')
  }
  {
    name: 'redirect-suppressed'
    description: 'A call that was redirected here would have been redirected again. The regions have different rules or hosts: deploy all of them again.'
    severity: 2
    step: 7
    query: loadTextContent('../queries/alerts/redirect-suppressed.kql')
  }
  {
    name: 'bot-certificate'
    description: 'The certificate with which the bot gets tokens ends within 30 days. Afterwards no call is answered.'
    severity: 2
    step: 5
    query: loadTextContent('../queries/alerts/bot-certificate.kql')
  }
]
var actionGroups = empty(actionGroupId) ? [] : [actionGroupId]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// A rule that has no identity asks with the rights of whoever deployed it last.
resource watcher 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${namePrefix}-alerts'
  location: location
  tags: tags
}

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var monitoringReader = '43d0d8ad-25c7-4714-9337-8ba259a9fe05'

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, 'id-${namePrefix}-alerts', monitoringReader)
  properties: {
    principalId: watcher.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringReader)
  }
}

// Log rules, not metrics: Flex Consumption has no metric of HTTP. Lines arrive up to three
// minutes late, so a window is longer than the time between two evaluations, by 10 minutes
// at least. What is less urgent is asked less often, which costs a third.
resource logged 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in logAlerts: {
    name: '${namePrefix}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    identity: {
      type: 'UserAssigned'
      userAssignedIdentities: { '${watcher.id}': {} }
    }
    properties: {
      description: '${alert.description} docs/operations.md, step ${alert.step}.'
      displayName: '${namePrefix}-${alert.name}'
      severity: alert.severity
      enabled: true
      scopes: [insights.id]
      evaluationFrequency: alert.severity == 1 ? 'PT5M' : 'PT15M'
      windowSize: alert.severity == 1 ? 'PT15M' : 'PT30M'
      criteria: {
        allOf: [
          {
            query: alert.query
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
    dependsOn: [reader]
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
