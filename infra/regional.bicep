metadata name = 'Region'
metadata description = '''One region of an environment: the function app and what it needs, in a resource group of its own.
Deployed once per region, in any order and as often as you like.
Modules look up the resources of other modules by name (existing), because names are known before a deployment and outputs are not: so what-if and snapshots show every value.
Bicep cannot see such a dependency, and dependsOn states it.'''

import {
  appSettingsType
  checkedAddresses
  checkedRegions
  checkedRules
  defaultHostName as describedHostName
  domainType
  findRegion
  functionAppName
  globalHost
  nameStem
  nameToken
  networkType
  partitionSettings
  regionHost
  regionRuleType
  regionType
  storageAccountName
  tagsType
  workspacesType
} from 'topology.bicep'

@description('Optional. First word of all names: lower-case letters and digits.')
@minLength(2)
@maxLength(12)
param workload string = 'tmscalls'

@description('Required. Name of the environment, for example prod.')
@minLength(2)
@maxLength(8)
param environmentName string

@description('Required. Code of the region to deploy.')
param regionCode string

@description('Required. All regions of the environment, this one included.')
param regions regionType[]

@description('Required. Domain of the environment; null to use the default host names of the apps.')
param domain domainType?

@description('Optional. Region rules, which decide what region takes a call.')
param rules regionRuleType[] = []

@description('Optional. Azure location. Default: that of the resource group.')
param location string = resourceGroup().location

@description('Required. Application ID of the bot, a GUID.')
@minLength(36)
@maxLength(36)
param botAppId string

@description('Required. Resource ID of the Log Analytics workspace of the regions that have none of their own.')
@minLength(1)
param logAnalyticsWorkspaceId string

@description('Optional. Log Analytics workspaces of single regions, so that the others keep their log when one is lost.')
param workspaces workspacesType = {}

@description('Optional. Resource ID of the action group that alerts notify. Default: none.')
param actionGroupId string = ''

@description('Optional. Whether to bind the host names of the domain, which needs their asuid records. Default: true; use false for the first deployment of a region.')
param bindHostNames bool = true

@description('Optional. Version of Python, the same as in .python-version.')
param pythonVersion string = '3.13'

@description('Optional. Memory of an instance in MB; 2048 MB come with a whole CPU.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Optional. Upper limit of on-demand instances.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Optional. Number of always-ready instances; at least two with zoneRedundant. Default: 1; 2 where CALLING_ANSWER is false, because an instance behind this app may record, and such a call waits for 5 s only.')
@minValue(1)
@maxValue(1000)
param alwaysReadyInstances int = toLower(trim(extraAppSettings.?CALLING_ANSWER ?? '')) == 'false' ? 2 : 1

@description('Optional. Number of requests that an instance handles at the same time.')
@minValue(2)
@maxValue(1000)
param httpPerInstanceConcurrency int = 64

@description('Optional. Whether instances and storage are spread over zones. The location must have zones.')
param zoneRedundant bool = false

@description('Optional. Whether Azure makes a default host name that nobody can take over once the app is gone. Then write that name into the list of regions, as defaultHostName.')
param uniqueDefaultHostName bool = false

@description('Optional. Service tags that may call, for example AzureCloud, AzureTrafficManager, ApplicationInsightsAvailability. Default: anybody may call, and the token decides.')
param allowedServiceTags string[] = []

@description('Optional. Address ranges that may call beside the service tags, for example 203.0.113.7/32: those from which you deploy. Required with allowedServiceTags.')
param allowedAddresses string[] = []

@description('Optional. Who reads the certificate from the Key Vault: App Service, whose principal you give a role, or the identity of the region, which the templates give a role on the certificate only.')
@allowed(['appService', 'identity'])
param certificateReader string = 'appService'

@description('Required. Private networking of the environment; null: none, and storage is open to all networks, for identities that have a role.')
param network networkType?

@description('Optional. Further app settings for the code.')
param extraAppSettings appSettingsType = {}

@description('Optional. Whether to make a query pack of infra/queries; one region of an environment is enough.')
param queryPack bool = false

@description('Optional. Tags of the resources.')
param tags tagsType = {}

var usableRegions = checkedRegions(regions, domain)
var region = findRegion(usableRegions, regionCode)
var token = nameToken(subscription().id, workload, environmentName)
var stem = nameStem(workload, environmentName, region.code)
var identityName = 'id-${stem}'
var insightsName = 'appi-${stem}'
var storageName = storageAccountName(stem, token)
var appName = functionAppName(stem, token)
var containerName = 'app-package'
var stateContainerName = 'bot-state'
var healthPath = '/api/health'
var hosts = toObject(
  usableRegions,
  one => one.code,
  one => regionHost(one, domain, functionAppName(nameStem(workload, environmentName, one.code), token))
)
var allTags = union({ workload: workload, environment: environmentName, region: region.code }, tags)
var bindsHostNames = domain != null && bindHostNames
var testedHost = domain == null || bindHostNames ? hosts[region.code] : ''
var workspaceId = workspaces[?region.code] ?? logAnalyticsWorkspaceId
var planName = 'plan-${stem}'
var networkName = 'vnet-${stem}'
var addressPrefix = network.?addressPrefixes[?region.code] ?? ''
var isPrivate = !empty(addressPrefix)
// Subscription and group of the Key Vault; without a domain nothing is deployed there.
var vaultPlace = split(domain.?keyVaultId ?? resourceGroup().id, '/')

module identity 'modules/identity.bicep' = {
  params: {
    name: identityName
    location: location
    tags: allTags
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: storageName
    location: location
    tags: allTags
    containerName: containerName
    stateContainerName: stateContainerName
    identityName: identityName
    zoneRedundant: zoneRedundant
    isPrivate: isPrivate
  }
  dependsOn: [identity]
}

module privateNetwork 'modules/network.bicep' = if (isPrivate) {
  params: {
    name: networkName
    location: location
    tags: allTags
    addressPrefix: addressPrefix
    storageAccountName: storageName
  }
  dependsOn: [storage]
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    name: insightsName
    location: location
    tags: allTags
    logAnalyticsWorkspaceId: workspaceId
    identityName: identityName
  }
  dependsOn: [identity]
}

module functionApp 'modules/functionApp.bicep' = {
  params: {
    name: appName
    planName: planName
    location: location
    tags: allTags
    identityName: identityName
    storageAccountName: storageName
    containerName: containerName
    stateContainerName: stateContainerName
    insightsName: insightsName
    logAnalyticsWorkspaceId: workspaceId
    isPrivate: isPrivate
    networkName: networkName
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: max(alwaysReadyInstances, zoneRedundant ? 2 : 1)
    httpPerInstanceConcurrency: httpPerInstanceConcurrency
    zoneRedundant: zoneRedundant
    uniqueDefaultHostName: uniqueDefaultHostName
    allowedServiceTags: allowedServiceTags
    allowedAddresses: checkedAddresses(allowedServiceTags, allowedAddresses)
    appSettings: union(extraAppSettings, partitionSettings(region), {
      MicrosoftAppId: botAppId
      CALLING_REGION: region.code
      CALLING_REGION_HOSTS: string(hosts)
      // Empty without a domain: it would be the host of the region itself.
      CALLING_GLOBAL_HOST: globalHost(domain)
      CALLING_REGION_RULES: string(checkedRules(rules, usableRegions))
    })
  }
  // The identity needs its roles before the app fetches its package.
  dependsOn: [identity, storage, privateNetwork, monitoring]
}

module certificateAccess 'modules/certificateAccess.bicep' = if (bindsHostNames && certificateReader == 'identity') {
  scope: resourceGroup(vaultPlace[2], vaultPlace[4])
  params: {
    vaultName: last(vaultPlace)
    certificateName: domain!.secretName
    identityName: identityName
    identityGroup: resourceGroup().name
    identitySubscription: subscription().subscriptionId
  }
  dependsOn: [identity]
}

module customDomain 'modules/customDomain.bicep' = if (bindsHostNames) {
  params: {
    appName: appName
    location: location
    tags: allTags
    hostNames: [globalHost(domain), hosts[region.code]]
    keyVaultId: domain!.keyVaultId
    secretName: domain!.secretName
    planName: planName
    certificateReader: certificateReader
  }
  dependsOn: [functionApp, certificateAccess]
}

module operations 'modules/operations.bicep' = {
  params: {
    namePrefix: stem
    location: location
    tags: allTags
    insightsName: insightsName
    actionGroupId: actionGroupId
    testedHost: testedHost
    healthPath: healthPath
    queryPack: queryPack
  }
  dependsOn: [monitoring]
}

@description('Name of the function app, to publish to.')
output functionAppName string = appName

@description('Resource ID of the function app.')
output functionAppId string = functionApp.outputs.id

@description('Host name that Azure gave the app.')
output defaultHostName string = functionApp.outputs.defaultHostName

@description('Host name that the other regions and DNS take for that of the app. Where the one above differs, write that one into the list of regions, as defaultHostName.')
output describedDefaultHostName string = describedHostName(region, appName)

@description('Host of the region, the target of redirects.')
output regionHost string = hosts[region.code]

@description('Content of the asuid records of the domain; the same for all apps of a subscription.')
output customDomainVerificationId string = functionApp.outputs.customDomainVerificationId

@description('Object ID of the identity of the region: the subject of the federated credential of the bot.')
output identityPrincipalId string = identity.outputs.principalId
