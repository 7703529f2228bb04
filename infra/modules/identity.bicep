metadata name = 'Identity'
metadata description = 'The identity of a region: with it the app reads its package, sends telemetry and, trusted by the registration of the bot, asks Graph.'

@description('Required. Name of the user-assigned identity.')
param name string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Object ID of the identity: the subject of the federated credential.')
output principalId string = identity.properties.principalId
