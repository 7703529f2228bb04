metadata name = 'Identity'
metadata description = 'The identity of a region. The app uses it to read its package and to send telemetry, and to call Graph, because the registration of the bot trusts it.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the user-assigned identity.')
param name string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Object ID of the identity: the subject of the federated credential.')
output principalId string = identity.properties.principalId
