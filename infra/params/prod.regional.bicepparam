using '../regional.bicep'

import { optionalMembers } from '../topology.bicep'

var environment = union(optionalMembers, loadJsonContent('prod.json'))

param workload = environment.workload
param environmentName = 'prod'
param regionCode = readEnvironmentVariable('REGION')
param regions = environment.regions
param domain = environment.domain
param rules = environment.rules
param workspaces = environment.workspaces
param certificateReader = environment.certificateReader
param network = environment.network
param tags = environment.tags
param extraAppSettings = environment.settings
param botAppId = readEnvironmentVariable('MICROSOFT_APP_ID')
param logAnalyticsWorkspaceId = readEnvironmentVariable('LOG_ANALYTICS_WORKSPACE_ID')
param actionGroupId = readEnvironmentVariable('ACTION_GROUP_ID', '')
param bindHostNames = bool(readEnvironmentVariable('BIND_HOST_NAMES', 'true'))
