metadata name = 'Access to the certificate'
metadata description = 'Lets the identity of a region read one certificate of a Key Vault and nothing else of it. Deployed into the group of the Key Vault.'

@description('Required. Name of the Key Vault.')
param vaultName string

@description('Required. Name of the certificate.')
param certificateName string

@description('Required. Name of the user-assigned identity of the region.')
param identityName string

@description('Required. Resource group of the identity.')
param identityGroup string

@description('Required. Subscription ID of the identity.')
param identitySubscription string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var keyVaultCertificateUser = 'db79e9a7-68ee-4b58-9aeb-b90e7c24fcba'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  scope: resourceGroup(identitySubscription, identityGroup)
  name: identityName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

// The secret of the same name: App Service reads that, because the private key is in it.
resource secret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = {
  parent: vault
  name: certificateName
}

resource secretUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: secret
  name: guid(secret.id, identity.id, keyVaultCertificateUser)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultCertificateUser)
  }
}
