metadata name = 'DNS'
metadata description = 'The zone of an environment: the global host leads to Traffic Manager, each region\'s host to its app, and asuid records prove to Azure whose names they are.'

@description('Required. Name of the zone.')
param zoneName string

@description('Required. Tags of the resources.')
param tags object

@description('Required. Aliases: the label of a host and the host that it leads to.')
param aliases array

@description('Required. What the asuid records say.')
param customDomainVerificationId string

@description('Required. Seconds for which the world may keep a record.')
param ttlSeconds int

resource zone 'Microsoft.Network/dnsZones@2018-05-01' = {
  name: zoneName
  location: 'global'
  tags: tags
}

resource hosts 'Microsoft.Network/dnsZones/CNAME@2018-05-01' = [
  for alias in aliases: {
    parent: zone
    name: alias.label
    properties: { TTL: ttlSeconds, CNAMERecord: { cname: alias.host } }
  }
]

resource proofs 'Microsoft.Network/dnsZones/TXT@2018-05-01' = [
  for alias in aliases: {
    parent: zone
    name: 'asuid.${alias.label}'
    properties: { TTL: ttlSeconds, TXTRecords: [{ value: [customDomainVerificationId] }] }
  }
]
