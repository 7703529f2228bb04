metadata name = 'Operations'
metadata description = 'What operators of a region look at: its alerts, its workbook and, where wanted, the query pack.'

import { tagsType } from '../topology.bicep'

@description('Required. Prefix of the names of the resources.')
param namePrefix string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Name of the Application Insights component of the region.')
param insightsName string

@description('Required. Resource ID of the action group to notify; empty: the alerts only show in the portal.')
param actionGroupId string

@description('Required. Host of the region to test from outside; empty while it is not bound.')
param testedHost string

@description('Required. Path of the health report.')
param healthPath string

@description('Required. Whether to make a query pack of infra/queries.')
param queryPack bool

module alerts 'alerts.bicep' = {
  params: {
    namePrefix: namePrefix
    location: location
    tags: tags
    insightsName: insightsName
    actionGroupId: actionGroupId
    testedHost: testedHost
    healthPath: healthPath
  }
}

module hostCertificate 'hostCertificate.bicep' = if (!empty(testedHost)) {
  params: {
    name: '${namePrefix}-host-certificate'
    location: location
    tags: tags
    insightsName: insightsName
    actionGroupId: actionGroupId
    testedHost: testedHost
    healthPath: healthPath
  }
}

module serviceHealth 'serviceHealth.bicep' = {
  params: {
    name: '${namePrefix}-announced'
    location: location
    tags: tags
    actionGroupId: actionGroupId
  }
}

module workbook 'workbook.bicep' = {
  params: {
    displayName: 'Calls of ${namePrefix}'
    location: location
    tags: tags
    insightsName: insightsName
  }
}

module pack 'queryPack.bicep' = if (queryPack) {
  params: {
    name: 'pack-${namePrefix}'
    location: location
    tags: tags
  }
}
