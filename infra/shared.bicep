metadata name = 'Shared part'
metadata description = 'What environments need and may share: a workspace for logs, a Key Vault for the certificate, an action group, a budget. Optional: they may exist already. Deployed into a group of its own, once per subscription or environment. regional.bicep says why there is dependsOn.'

import { tagsType } from 'topology.bicep'

@description('Required. Last word of all names, for example contoso: lower-case letters and digits. That of the Key Vault must be free in all of Azure.')
@minLength(3)
@maxLength(18)
param organisation string

@description('Optional. Azure location. Default: that of the resource group.')
param location string = resourceGroup().location

@description('Optional. Days for which the log is kept; more than 31 cost extra.')
@minValue(30)
@maxValue(730)
param retentionDays int = 30

@description('Optional. Gigabytes of log a day after which Azure takes no more until the next day. Then the alerts that read the log are blind, so it must be far above what is usual.')
@minValue(1)
param dailyCapGb int = 5

@description('Optional. Location to which the workspace is replicated, so that the log outlives the loss of its own. It must be one of the same geography. Default: none.')
param replicationLocation string = ''

@description('Optional. Whether to make a Key Vault. Default: true; false where the certificate is in another one.')
param makeKeyVault bool = true

@description('Optional. Mail addresses that alerts and the budget notify.')
param emails string[] = []

@description('Optional. Budget a month, in the currency of the subscription; 0: none.')
@minValue(0)
param budgetAmount int = 0

@description('Optional. First day of the budget: the first of the month in which it is made, for example 2026-12-01. It cannot be changed later. Required with budgetAmount.')
param budgetStart string = ''

@description('Optional. The tag workload of the resources that the budget counts.')
param workload string = 'tmscalls'

@description('Optional. Tags of the resources.')
param tags tagsType = {}

// The budget counts what carries the tag workload, so the log has to carry it, too.
var allTags = union({ workload: workload }, tags)
var addresses = filter(emails, email => !empty(email))

module actionGroup 'modules/actionGroup.bicep' = {
  params: {
    name: 'ag-${organisation}'
    tags: allTags
    emails: addresses
  }
}

module workspace 'modules/workspace.bicep' = {
  params: {
    name: 'log-${organisation}'
    location: location
    tags: allTags
    retentionDays: retentionDays
    dailyCapGb: dailyCapGb
    replicationLocation: replicationLocation
    actionGroupId: resourceId('Microsoft.Insights/actionGroups', 'ag-${organisation}')
  }
  dependsOn: [actionGroup]
}

module keyVault 'modules/keyVault.bicep' = if (makeKeyVault) {
  params: {
    name: 'kv-${organisation}'
    location: location
    tags: allTags
    workspaceName: 'log-${organisation}'
  }
  dependsOn: [workspace]
}

module budget 'modules/budget.bicep' = if (budgetAmount > 0) {
  scope: subscription()
  params: {
    name: 'budget-${workload}'
    amount: budgetAmount
    start: budgetStart
    workload: workload
    emails: addresses
  }
}

@description('Resource ID of the workspace: LOG_ANALYTICS_WORKSPACE_ID.')
output logAnalyticsWorkspaceId string = workspace.outputs.id

@description('Resource ID of the action group: ACTION_GROUP_ID.')
output actionGroupId string = actionGroup.outputs.id

@description('Resource ID of the Key Vault: domain.keyVaultId; empty if none is made.')
output keyVaultId string = makeKeyVault ? keyVault!.outputs.id : ''
