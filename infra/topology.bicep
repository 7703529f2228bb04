metadata name = 'Topology'
metadata description = 'Types, names and hosts of an environment, shared by the regional and the global template. All functions are pure, so that each region can compute the hosts of all others.'

@export()
@description('A region of an environment: one deployment of the function app.')
@sealed()
type regionType = {
  @description('Required. Short name of the region in names, hosts and rules, for example weu.')
  @minLength(2)
  @maxLength(6)
  code: string

  @description('Required. Azure location of the region, for example westeurope.')
  location: string

  @description('Optional. Whether Traffic Manager sends calls here. Default: true.')
  enabled: bool?

  @description('Optional. Place in the order of regions for Priority routing. Default: the place in the list.')
  @minValue(1)
  @maxValue(1000)
  priority: int?

  @description('Optional. Default host name of the app, where Azure made a unique one for it. Default: the name of the app under azurewebsites.')
  defaultHostName: string?

  @description('Optional. The setting CALLING_PARTITIONS of this region: a list of names, or an object of names and URLs of instances. Default: none.')
  // A list or an object, and Bicep has no type for «either of them».
  #disable-next-line no-explicit-any
  partitions: any?
}

@export()
@description('The domain of an environment: a DNS zone of its own. One wildcard certificate of the zone serves all hosts of all regions.')
@sealed()
type domainType = {
  @description('Required. DNS zone, for example calls.contoso.com.')
  zone: string

  @description('Required. Label of the host that goes through Traffic Manager, for example global.')
  globalLabel: string

  @description('Required. Resource ID of the Key Vault that holds the wildcard certificate of the zone.')
  keyVaultId: string

  @description('Required. Name of the certificate in the Key Vault.')
  secretName: string
}

@description('Address ranges by region code.')
type addressPrefixesType = {
  @description('Optional. The range of a region.')
  *: string
}

@export()
@description('Private networking: the storage accounts are closed to the public, and each region reaches its own through a network of its own. The webhook stays public.')
@sealed()
type networkType = {
  @description('Required. Address range of each region\'s network, by region code, for example 10.90.0.0/24; from /16 to /25.')
  addressPrefixes: addressPrefixesType
}

@export()
@description('Log Analytics workspaces by region code: resource IDs.')
type workspacesType = {
  @description('Optional. The workspace of a region.')
  *: string
}

@export()
@description('What the optional members of the description of an environment are where the file does not have them.')
var optionalMembers = {
  certificateReader: 'appService'
  network: null
  tags: {}
  workspaces: {}
}

@export()
@description('A region rule: if all its conditions hold, its regions are preferred, in this order. docs/settings.md explains the conditions.')
@sealed()
type regionRuleType = {
  @description('Required. Codes of the preferred regions.')
  @minLength(1)
  regions: string[]

  @description('Optional. Whether no other region may ever take these calls, for data residency. Default: false.')
  strict: bool?

  @description('Optional. Values of the condition tenant: tenant ID in the token.')
  @minLength(1)
  tenant: string[]?

  @description('Optional. Values of the condition countryCode: country of the caller.')
  @minLength(1)
  countryCode: string[]?

  @description('Optional. Values of the condition sourceRegion: region of the caller in the notification.')
  @minLength(1)
  sourceRegion: string[]?

  @description('Optional. Values of the condition mediaHostedRegion: region that hosts the media.')
  @minLength(1)
  mediaHostedRegion: string[]?

  @description('Optional. Values of the condition callerRegion: region of the caller in the header.')
  @minLength(1)
  callerRegion: string[]?

  @description('Optional. Values of the condition teamsRegion: region of Teams in the header.')
  @minLength(1)
  teamsRegion: string[]?

  @description('Optional. Values of the condition clientLocation: location of the caller\'s client.')
  @minLength(1)
  clientLocation: string[]?

  @description('Optional. Values of the condition callee: ID or number of who was called.')
  @minLength(1)
  callee: string[]?
}

@export()
@description('Tags of the resources, by name.')
type tagsType = {
  @description('Optional. The value of a tag.')
  *: string
}

@export()
@description('App settings, by name. Every value is a string.')
type appSettingsType = {
  @description('Optional. The value of a setting.')
  *: string
}

@export()
@description('Six letters that differ between subscriptions, workloads and environments, so that names do too.')
func nameToken(subscriptionId string, workload string, environmentName string) string =>
  take(uniqueString(subscriptionId, workload, environmentName), 6)

@export()
@description('The common part of all names of a region or of the global part: workload, environment, code.')
func nameStem(workload string, environmentName string, code string) string => '${workload}-${environmentName}-${code}'

@export()
@description('Name of the function app of a region.')
func functionAppName(stem string, token string) string => 'func-${stem}-${token}'

@export()
@description('Name of the storage account of a region: at most 24 lower-case letters and digits.')
func storageAccountName(stem string, token string) string => 'st${replace(stem, '-', '')}${token}'

@description('Whether a location belongs to Azure Government.')
func isGovernment(location string) bool => startsWith(location, 'usgov') || startsWith(location, 'usdod')

@export()
@description('Domain of Traffic Manager profiles, which depends on the cloud that a location belongs to.')
func trafficManagerDomain(location string) string =>
  isGovernment(location) ? 'usgovtrafficmanager.net' : 'trafficmanager.net'

@export()
@description('Default host name of the app of a region: the one in the list of regions, else the one that follows from the name of the app.')
func defaultHostName(region regionType, appName string) string =>
  region.?defaultHostName ?? '${appName}.azurewebsites.${isGovernment(region.location) ? 'us' : 'net'}'

@export()
@description('Host of a region, the target of redirects. It leads straight to the app, never through Traffic Manager, which would send the call back.')
func regionHost(region regionType, domain domainType?, appName string) string =>
  domain == null ? defaultHostName(region, appName) : '${region.code}.${domain!.zone}'

@export()
@description('Host of the whole environment, which goes through Traffic Manager; empty without a domain.')
func globalHost(domain domainType?) string => domain == null ? '' : '${domain!.globalLabel}.${domain!.zone}'

@description('Codes of the regions.')
func codesOf(regions regionType[]) string[] => map(regions, region => region.code)

@description('Whether a host belongs to Traffic Manager, in either cloud.')
func isTrafficManagers(host string) bool => endsWith(toLower(host), 'trafficmanager.net')

@description('Reasons why these regions cannot be deployed; a reason that does not apply is an empty text.')
func regionProblems(regions regionType[], domain domainType?) string[] => [
  empty(regions) ? 'The list of regions is empty: an environment needs at least one' : ''
  length(union(codesOf(regions), [])) < length(regions) ? 'Two regions have the same code: ${join(codesOf(regions), ', ')}' : ''
  contains(codesOf(regions), domain.?globalLabel ?? '')
    ? 'The region ${domain.?globalLabel ?? ''} has the label of the global host: a redirect to it would come back'
    : ''
  isTrafficManagers(domain.?zone ?? '') || contains(
      map(regions, region => isTrafficManagers(region.?defaultHostName ?? '')),
      true
    )
    ? 'A host of a region belongs to Traffic Manager: a redirect to it would come back'
    : ''
]

@description('All reasons that apply, as one text.')
func problemsOf(regions regionType[], domain domainType?) string =>
  join(filter(regionProblems(regions, domain), problem => !empty(problem)), '. ')

@export()
@description('The regions. Fails with the reasons if they cannot be used; infra/check_environment.py checks more.')
func checkedRegions(regions regionType[], domain domainType?) regionType[] =>
  empty(problemsOf(regions, domain)) ? regions : fail(problemsOf(regions, domain))

@export()
@description('The region with this code. Fails if there is none.')
func findRegion(regions regionType[], code string) regionType =>
  first(filter(regions, region => region.code == code)) ?? fail('REGION is «${code}», but this environment has no such region; it has: ${join(codesOf(regions), ', ')}')

@export()
@description('The addresses that may call beside the service tags. Fails if there are tags and no addresses: whoever deploys would shut himself out.')
func checkedAddresses(serviceTags string[], addresses string[]) string[] =>
  empty(serviceTags) || !empty(addresses)
    ? addresses
    : fail('allowedServiceTags needs allowedAddresses, the addresses from which you deploy: func and the health gate would get 403')

@description('Codes in rules that belong to no region.')
func unknownCodes(rules regionRuleType[], regions regionType[]) string[] =>
  filter(flatten(map(rules, rule => rule.regions)), code => !contains(codesOf(regions), code))

@export()
@description('The setting of the partitions of a region; nothing where the region has none of its own.')
func partitionSettings(region regionType) appSettingsType =>
  region.?partitions == null ? {} : { CALLING_PARTITIONS: string(region.partitions) }

@export()
@description('The region rules. Fails with the reason if they cannot be used.')
func checkedRules(rules regionRuleType[], regions regionType[]) regionRuleType[] =>
  empty(unknownCodes(rules, regions))
    ? rules
    : fail('Rules name regions that this environment does not have: ${join(unknownCodes(rules, regions), ', ')}')
