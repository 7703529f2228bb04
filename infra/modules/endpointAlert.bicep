metadata name = 'Alert of the endpoints'
metadata description = 'Fires for a region that Traffic Manager has taken out of its answers.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the alert.')
param name string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Name of the Traffic Manager profile.')
param profileName string

@description('Required. Names of the endpoints that get calls. Another one is disabled on purpose, which looks the same to the metric.')
param endpointNames string[]

@description('Required. Resource ID of the action group to notify; empty: the alert only shows in the portal.')
param actionGroupId string

resource profile 'Microsoft.Network/trafficmanagerprofiles@2022-04-01' existing = {
  name: profileName
}

resource degraded 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    description: 'Traffic Manager finds a region unhealthy and sends it no calls. Look at /api/health of the region.'
    severity: 1
    enabled: true
    scopes: [profile.id]
    targetResourceType: 'Microsoft.Network/trafficManagerProfiles'
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'state'
          metricNamespace: 'Microsoft.Network/trafficManagerProfiles'
          metricName: 'ProbeAgentCurrentEndpointStateByProfileResourceId'
          dimensions: [{ name: 'EndpointName', operator: 'Include', values: endpointNames }]
          timeAggregation: 'Maximum'
          operator: 'LessThan'
          threshold: 1
          // A profile that was just created has no metrics yet.
          skipMetricValidation: true
        }
      ]
    }
    autoMitigate: true
    actions: empty(actionGroupId) ? [] : [{ actionGroupId: actionGroupId }]
  }
}
