metadata name = 'Global part'
metadata description = 'What the regions of an environment share: Traffic Manager in front of them, DNS records, the calling webhook of the bot. Deployed once per environment. regional.bicep says why there is dependsOn.'

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
  tagsType
  trafficManagerDomain
} from 'topology.bicep'

@description('Optional. First word of all names: lower-case letters and digits.')
@minLength(2)
@maxLength(12)
param workload string = 'tmscalls'

@description('Required. Name of the environment, for example prod.')
@minLength(2)
@maxLength(8)
param environmentName string

@description('Required. All regions of the environment.')
param regions regionType[]

@description('Required. Domain of the environment. There is no way without one: apps cannot have a certificate for a host under trafficmanager.net.')
param domain domainType

@description('Required. Content of the asuid records, an output of every region.')
@minLength(1)
param customDomainVerificationId string

@description('Optional. Name of the Azure Bot whose Teams channel gets the webhook. Default: none; then you register the webhook by hand.')
param botName string = ''

@description('Optional. Resource group of the Azure Bot; empty: that of this deployment.')
param botResourceGroupName string = ''

@description('Optional. Cloud of Teams that calls the bot, for example GCCModerateDeployment.')
param botDeploymentEnvironment string = 'CommercialDeployment'

@description('Optional. Resource ID of the action group that alerts notify. Default: none.')
param actionGroupId string = ''

@description('Optional. Resource ID of the Log Analytics workspace that keeps what Traffic Manager\'s probes find. Default: none.')
param logAnalyticsWorkspaceId string = ''

@description('Optional. Codes of regions that get no calls for now, whatever the list of regions says, separated by spaces.')
param drainedRegions string = ''

@description('Optional. Whether locks keep the profile and the zone from being deleted. To set them takes a role that may: Owner, User Access Administrator or Locks Contributor.')
param lockResources bool = true

@description('Optional. How Traffic Manager chooses a region among the healthy ones.')
@allowed(['Performance', 'Priority', 'Weighted'])
param trafficRoutingMethod string = 'Performance'

@description('Optional. Seconds for which resolvers may cache the answer of Traffic Manager.')
@minValue(0)
@maxValue(300)
param dnsTtl int = 30

@description('Optional. Seconds from one probe of a region to the next.')
@allowed([10, 30])
param probeInterval int = 10

@description('Optional. Number of failed probes in a row after which a region still gets calls.')
@minValue(0)
@maxValue(9)
param toleratedFailures int = 2

@description('Optional. Path that Traffic Manager probes.')
param probePath string = '/api/health'

@description('Optional. Path of the calling webhook.')
param webhookPath string = '/api/calls'

@description('Optional. Whether to make the zone and its records. Default: true; use false where somebody else manages the zone.')
param manageDns bool = true

@description('Optional. Tags of the resources.')
param tags tagsType = {}

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
var calledCodes = map(
  filter(usableRegions, region => (region.?enabled ?? true) && !contains(split(drainedRegions, ' '), region.code)),
  region => region.code
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
      enabled: contains(calledCodes, region.code)
      priority: region.?priority ?? index + 1
    })
    logAnalyticsWorkspaceId: logAnalyticsWorkspaceId
    isLocked: lockResources
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
    // Short, so that a region's host can be pointed elsewhere by hand.
    ttlSeconds: 300
    isLocked: lockResources
  }
  // Create the profile before pointing DNS at it: an unclaimed name can be taken over.
  dependsOn: [trafficManager]
}

module callingWebhook 'modules/callingWebhook.bicep' = if (!empty(botName)) {
  scope: resourceGroup(empty(botResourceGroupName) ? resourceGroup().name : botResourceGroupName)
  params: {
    botName: botName
    webhookUrl: webhook
    deploymentEnvironment: botDeploymentEnvironment
  }
  // Calls come as soon as the webhook is registered, so its host must exist.
  dependsOn: [trafficManager, dns]
}

module endpointAlert 'modules/endpointAlert.bicep' = if (!empty(calledCodes)) {
  params: {
    name: '${stem}-degraded'
    tags: allTags
    profileName: profileName
    endpointNames: calledCodes
    actionGroupId: actionGroupId
  }
  dependsOn: [trafficManager]
}

@description('URL of the calling webhook.')
output webhookUrl string = webhook

@description('Host of the Traffic Manager profile. The global host is an alias of it.')
output trafficManagerHost string = profileHost

@description('Hosts of all regions by code, the targets of redirects.')
output regionHosts { *: string } = hosts
