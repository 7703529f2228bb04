using '../global.bicep'

import { optionalMembers } from '../topology.bicep'

var environment = union(optionalMembers, loadJsonContent('prod.json'))

param workload = environment.workload
param environmentName = 'prod'
param regions = environment.regions
param domain = environment.domain
param tags = environment.tags
param customDomainVerificationId = readEnvironmentVariable('CUSTOM_DOMAIN_VERIFICATION_ID')
param botName = readEnvironmentVariable('BOT_NAME', '')
param botResourceGroupName = readEnvironmentVariable('BOT_RESOURCE_GROUP', '')
param drainedRegions = readEnvironmentVariable('DRAINED_REGIONS', '')
param logAnalyticsWorkspaceId = readEnvironmentVariable('LOG_ANALYTICS_WORKSPACE_ID', '')
param actionGroupId = readEnvironmentVariable('ACTION_GROUP_ID', '')
