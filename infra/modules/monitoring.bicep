metadata name = 'Monitoring'
metadata description = 'Application Insights of a region, on the workspace of the region. It accepts telemetry only from identities that have the role.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the Application Insights component.')
param name string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Resource ID of the Log Analytics workspace of the region.')
param logAnalyticsWorkspaceId string

@description('Required. Name of the user-assigned identity of the region.')
param identityName string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    IngestionMode: 'LogAnalytics'
    WorkspaceResourceId: logAnalyticsWorkspaceId
  }
}

// Azure would make this rule itself, with a mail to whoever has a role in the subscription.
// It stays off: a stranger's refused requests would set it off.
resource anomalies 'microsoft.alertsManagement/smartDetectorAlertRules@2021-04-01' = {
  name: 'Failure Anomalies - ${name}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Off: the other alerts count only what a stranger cannot cause.'
    state: 'Disabled'
    severity: 'Sev3'
    frequency: 'PT1M'
    detector: { id: 'FailureAnomaliesDetector' }
    scope: [insights.id]
    actionGroups: { groupIds: [] }
  }
}

// A principal ID is not known before a deployment, so the name does without it.
resource metricsPublisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identityName, monitoringMetricsPublisher)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
  }
}
