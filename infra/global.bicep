metadata name = 'Global part'
metadata description = 'What the regions of an environment share: Traffic Manager in front of them, DNS records, the calling webhook of the bot. Deployed once per environment.'

import {
  checkedRegions
  defaultHostName
  domainType
  functionAppName
  globalHost
  nameStem
  nameToken
  regionHost
  regionType
  trafficManagerDomain
} from 'topology.bicep'

@description('Optional. What the names begin with: lower-case letters and digits.')
@minLength(2)
@maxLength(12)
param workload string = 'tmscalls'

@description('Required. Name of the environment, for example prod.')
@minLength(2)
@maxLength(8)
param environmentName string

@description('Required. All regions of the environment.')
param regions regionType[]

@description('Required. Domain of the environment: apps have no certificate for a host under trafficmanager.net.')
param domain domainType

@description('Required. What the asuid records say, an output of every region.')
@minLength(1)
param customDomainVerificationId string

@description('Optional. Name of the Azure Bot whose Teams channel gets the webhook. Default: none, the webhook is registered by hand.')
param botName string = ''

@description('Optional. Resource group of the Azure Bot. Default: that of this deployment.')
param botResourceGroupName string = resourceGroup().name

@description('Optional. Resource ID of the action group that alerts tell. Default: none.')
param actionGroupId string = ''

@description('Optional. How Traffic Manager chooses a region among the healthy ones.')
@allowed(['Performance', 'Priority', 'Weighted'])
param trafficRoutingMethod string = 'Performance'

@description('Optional. Seconds for which the world may keep the answer of Traffic Manager.')
@minValue(0)
@maxValue(300)
param dnsTtl int = 30

@description('Optional. Seconds from one probe of a region to the next.')
@allowed([10, 30])
param probeInterval int = 10

@description('Optional. Failed probes in a row after which a region still gets calls.')
@minValue(0)
@maxValue(9)
param toleratedFailures int = 2

@description('Optional. Path that Traffic Manager probes.')
param probePath string = '/api/health'

@description('Optional. Path of the calling webhook.')
param webhookPath string = '/api/calls'

@description('Optional. Whether the zone and its records are made here. Default: true; false where somebody else manages the zone.')
param manageDns bool = true

@description('Optional. Tags of the resources.')
param tags { *: string } = {}

var usableRegions = checkedRegions(regions, domain)
var token = nameToken(subscription().id, workload, environmentName)
var stem = nameStem(workload, environmentName, 'global')
var profileName = 'traf-${nameStem(workload, environmentName, token)}'
var profileHost = '${profileName}.${trafficManagerDomain(usableRegions[0].location)}'
var hosts = toObject(
  usableRegions,
  region => region.code,
  region => regionHost(region, domain, functionAppName(nameStem(workload, environmentName, region.code), token))
)
var webhook = 'https://${globalHost(domain)}${webhookPath}'
var allTags = union({ workload: workload, environment: environmentName, region: 'global' }, tags)

module trafficManager 'modules/trafficManager.bicep' = {
  params: {
    name: profileName
    tags: allTags
    trafficRoutingMethod: trafficRoutingMethod
    ttlSeconds: dnsTtl
    probeIntervalSeconds: probeInterval
    toleratedFailures: toleratedFailures
    probePath: probePath
    probeHost: globalHost(domain)
    endpoints: map(usableRegions, (region, index) => {
      name: region.code
      target: hosts[region.code]
      location: region.location
      enabled: region.?enabled ?? true
      priority: region.?priority ?? index + 1
    })
  }
}

module dns 'modules/dns.bicep' = if (manageDns) {
  params: {
    zoneName: domain.zone
    tags: allTags
    aliases: concat(
      [{ label: domain.globalLabel, host: profileHost }],
      map(usableRegions, region => {
        label: region.code
        host: defaultHostName(region, functionAppName(nameStem(workload, environmentName, region.code), token))
      })
    )
    customDomainVerificationId: customDomainVerificationId
    // Short, so that the host of a region can be led elsewhere by hand.
    ttlSeconds: 300
  }
  // The name of the profile belongs to whoever has it: first have it, then lead to it.
  dependsOn: [trafficManager]
}

module callingWebhook 'modules/callingWebhook.bicep' = if (!empty(botName)) {
  scope: resourceGroup(botResourceGroupName)
  params: {
    botName: botName
    webhookUrl: webhook
  }
  // Calls come as soon as the webhook is there, and look for its host.
  dependsOn: [trafficManager, dns]
}

module endpointAlert 'modules/endpointAlert.bicep' = {
  params: {
    name: '${stem}-degraded'
    tags: allTags
    profileName: profileName
    actionGroupId: actionGroupId
  }
  // It finds the profile by a name that is known beforehand.
  dependsOn: [trafficManager]
}

@description('URL of the calling webhook, as the bot knows it.')
output webhookUrl string = webhook

@description('Host of the Traffic Manager profile, to which the global host is an alias.')
output trafficManagerHost string = profileHost

@description('Hosts of all regions by code, which redirects name.')
output regionHosts { *: string } = hosts
