metadata name = 'Key Vault'
metadata description = 'The vault of the wildcard certificate. It has no access policies: roles decide who may read it.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the Key Vault.')
param name string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Name of the workspace that keeps who read what.')
param workspaceName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    // For good: Azure does not let anybody turn it off again.
    enablePurgeProtection: true
    // App Service comes from addresses of its own, and operators from anywhere.
    networkAcls: { bypass: 'AzureServices', defaultAction: 'Allow' }
    publicNetworkAccess: 'Enabled'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'workspace'
  properties: {
    workspaceId: workspace.id
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

@description('Resource ID of the Key Vault.')
output id string = vault.id
