metadata name = 'Monitoring'
metadata description = 'Application Insights of a region, on the shared workspace. It accepts telemetry only from identities that have the role.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the Application Insights component.')
param name string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Resource ID of the Log Analytics workspace that all regions share.')
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
