metadata name = 'Custom domain'
metadata description = 'The wildcard certificate and the host names of an app. The asuid record of every host name must exist already.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the function app.')
param appName string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Host names of the app.')
param hostNames string[]

@description('Required. Resource ID of the Key Vault that holds the certificate.')
param keyVaultId string

@description('Required. Name of the certificate in the Key Vault.')
param secretName string

@description('Required. Name of the plan of the app.')
param planName string

@description('Required. Who reads the certificate: App Service, or the identity of the app.')
@allowed(['appService', 'identity'])
param certificateReader string

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' existing = {
  name: planName
}

resource certificate 'Microsoft.Web/sites/certificates@2025-03-01' = {
  parent: app
  name: 'wildcard'
  location: location
  tags: tags
  properties: {
    keyVaultId: keyVaultId
    keyVaultSecretName: secretName
    serverFarmId: plan.id
    // Bicep does not know this property yet; Azure CLI sends it.
    #disable-next-line BCP037
    enableKeyVaultAccessUsingMSI: certificateReader == 'identity' ? true : null
  }
}

// One after the other: two at the same time fail with a conflict.
@batchSize(1)
resource bindings 'Microsoft.Web/sites/hostNameBindings@2025-03-01' = [
  for hostName in hostNames: {
    parent: app
    name: hostName
    properties: {
      customHostNameDnsRecordType: 'CName'
      hostNameType: 'Verified'
      siteName: appName
      sslState: 'SniEnabled'
      thumbprint: certificate.properties.thumbprint
    }
  }
]
