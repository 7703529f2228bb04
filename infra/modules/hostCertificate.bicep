metadata name = 'Alert of a certificate'
metadata description = 'Looks at the certificate of a host from outside, and fires a month before it ends. modules/alerts.bicep fires when it is nearly too late.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the test and of the alert.')
param name string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Name of the Application Insights component of the region.')
param insightsName string

@description('Required. Resource ID of the action group to notify; empty: the alert only shows in the portal.')
param actionGroupId string

@description('Required. The host.')
param testedHost string

@description('Required. Path of the health report.')
param healthPath string

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource certificate 'Microsoft.Insights/webtests@2022-06-15' = {
  name: name
  location: location
  tags: union(tags, { 'hidden-link:${insights.id}': 'Resource' })
  kind: 'standard'
  properties: {
    Name: name
    SyntheticMonitorId: name
    Description: 'The certificate of the region, at the host that redirects use.'
    Kind: 'standard'
    Enabled: true
    Frequency: 900
    Timeout: 30
    RetryEnabled: true
    // Amsterdam
    Locations: [{ Id: 'emea-nl-ams-azr' }]
    Request: {
      RequestUrl: 'https://${testedHost}${healthPath}'
      HttpVerb: 'GET'
      FollowRedirects: false
      ParseDependentRequests: false
    }
    ValidationRules: {
      // Health is not its business.
      IgnoreHttpStatusCode: true
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 30
    }
  }
}

resource ends 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    description: 'The certificate of the region\'s host ends within 30 days, or the host cannot be reached at all. docs/operations.md, step 6.'
    severity: 2
    enabled: true
    scopes: [certificate.id, insights.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: certificate.id
      componentId: insights.id
      failedLocationCount: 1
    }
    autoMitigate: true
    actions: empty(actionGroupId) ? [] : [{ actionGroupId: actionGroupId }]
  }
}
