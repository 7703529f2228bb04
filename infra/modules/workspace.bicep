metadata name = 'Workspace'
metadata description = 'The Log Analytics workspace, with a daily cap and an alert before it is reached. There is dependsOn because a rule does not name the role that it needs.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the workspace.')
param name string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Days for which the log is kept.')
param retentionDays int

@description('Required. Gigabytes a day after which Azure takes no more.')
param dailyCapGb int

@description('Required. Location to which the workspace is replicated; empty: none.')
param replicationLocation string

@description('Required. Resource ID of the action group to notify.')
param actionGroupId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyCapGb }
    // Who may read a resource may read its log, and no more of the workspace.
    features: { enableLogAccessUsingOnlyResourcePermissions: true }
    replication: empty(replicationLocation) ? null : { enabled: true, location: replicationLocation }
  }
}

// A rule that has no identity asks with the rights of whoever deployed it last.
resource watcher 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}-alerts'
  location: location
  tags: tags
}

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var logAnalyticsReader = '73c42c96-874c-492b-b04d-ab87d138a893'

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspace
  name: guid(workspace.id, 'id-${name}-alerts', logAnalyticsReader)
  properties: {
    principalId: watcher.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', logAnalyticsReader)
  }
}

// https://learn.microsoft.com/azure/azure-monitor/reference/tables/usage has megabytes.
resource nearlyFull 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${name}-nearly-full'
  location: location
  tags: tags
  kind: 'LogAlert'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${watcher.id}': {} }
  }
  properties: {
    description: 'The log of today has reached 80 % of the daily cap. When it reaches the cap, alerts are blind until the next day: find out what writes so much, or raise the cap.'
    displayName: '${name}-nearly-full'
    severity: 1
    enabled: true
    scopes: [workspace.id]
    evaluationFrequency: 'PT1H'
    windowSize: 'P1D'
    criteria: {
      allOf: [
        {
          query: format(
            '''Usage
| where IsBillable and TimeGenerated > startofday(now())
| summarize megabytes = sum(Quantity)
| where megabytes > {0}
''',
            dailyCapGb * 800
          )
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    skipQueryValidation: true
    actions: { actionGroups: [actionGroupId] }
  }
  dependsOn: [reader]
}

@description('Resource ID of the workspace.')
output id string = workspace.id
