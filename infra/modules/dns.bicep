metadata name = 'DNS'
metadata description = 'The zone of an environment. The global host leads to Traffic Manager, each region\'s host to its app, and asuid records prove to Azure that the names are ours.'

import { tagsType } from '../topology.bicep'

@description('A host of the zone and the host that it is an alias of.')
@sealed()
type aliasType = {
  @description('Required. Label of the host in the zone, for example weu.')
  label: string

  @description('Required. The host that it leads to.')
  host: string
}

@description('Required. Name of the zone.')
param zoneName string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Hosts of the zone.')
param aliases aliasType[]

@description('Required. Content of the asuid records.')
param customDomainVerificationId string

@description('Required. Seconds for which resolvers may cache a record.')
param ttlSeconds int

@description('Required. Whether a lock keeps the zone from being deleted.')
param isLocked bool

resource zone 'Microsoft.Network/dnsZones@2018-05-01' = {
  name: zoneName
  location: 'global'
  tags: tags
}

// This record goes only when the zone does. A lock on the zone itself would also keep the
// records of a region that was removed.
// https://learn.microsoft.com/azure/dns/dns-protect-zones-recordsets
resource start 'Microsoft.Network/dnsZones/SOA@2018-05-01' existing = {
  parent: zone
  name: '@'
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  scope: start
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'All hosts of the environment are in this zone. See docs/infrastructure.md, "Locks".'
  }
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
