metadata name = 'Action group'
metadata description = 'Whom alerts notify.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the action group.')
param name string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Mail addresses to notify.')
param emails string[]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'calls'
    emailReceivers: map(emails, email => { name: email, emailAddress: email, useCommonAlertSchema: true })
  }
}

@description('Resource ID of the action group.')
output id string = group.id
