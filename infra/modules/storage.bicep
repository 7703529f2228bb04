metadata name = 'Storage'
metadata description = 'The storage account of a region, for the package, the locks of the Functions host and what the bot remembers of calls. It has no keys: only the identity of the region has access.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the storage account.')
param name string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Name of the container that holds the package.')
param containerName string

@description('Required. Name of the container in which the bot keeps what it remembers of calls.')
param stateContainerName string

@description('Required. Name of the user-assigned identity of the region.')
param identityName string

@description('Required. Whether data is kept in three zones.')
param zoneRedundant bool

@description('Required. Whether the account can be reached through a private endpoint only.')
param isPrivate bool

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    // Access needs a token of Entra, wherever it comes from. So the account is open to all
    // networks, unless there is a private endpoint.
    networkAcls: isPrivate
      ? { bypass: 'None', defaultAction: 'Deny' }
      : { bypass: 'AzureServices', defaultAction: 'Allow' }
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    // It would keep each older state of a call, too, long after the call is forgotten.
    // The other blobs are made anew: the package by a deployment, the locks by the host.
    deleteRetentionPolicy: { enabled: false }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: containerName
  properties: { publicAccess: 'None' }
}

resource stateContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: stateContainerName
  properties: { publicAccess: 'None' }
}

// https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'forget-calls'
          type: 'Lifecycle'
          enabled: true
          definition: {
            // Without the slash the names of other containers could begin with it.
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${stateContainerName}/'] }
            // The day begins anew with each change, so a long call keeps its state.
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 1 } } }
          }
        }
      ]
    }
  }
}

// A principal ID is not known before a deployment, so the name does without it.
resource dataOwner 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, identityName, storageBlobDataOwner)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataOwner)
  }
}

// The owner of the account may do this already. It is a role of its own, so that the bot
// keeps its memory where that role is narrowed to what the host needs.
resource stateContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: stateContainer
  name: guid(stateContainer.id, identityName, storageBlobDataContributor)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
  }
}
