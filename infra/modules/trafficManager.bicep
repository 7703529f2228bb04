metadata name = 'Traffic Manager'
metadata description = 'The profile that sends the calling platform to the nearest healthy region. Endpoints are part of the profile, so a region that is removed from the list also leaves the profile.'

import { tagsType } from '../topology.bicep'

@description('A region as Traffic Manager knows it.')
@sealed()
type endpointType = {
  @description('Required. Name of the endpoint, the code of the region.')
  name: string

  @description('Required. Host of the region.')
  target: string

  @description('Required. Azure location of the region, for routing by latency.')
  location: string

  @description('Required. Whether Traffic Manager sends calls there.')
  enabled: bool

  @description('Required. Place in the order of regions for Priority routing.')
  priority: int
}

@description('Required. Name of the profile, also the first label of its host.')
param name string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. How a region is chosen.')
@allowed(['Performance', 'Priority', 'Weighted'])
param trafficRoutingMethod string

@description('Required. Seconds for which resolvers may cache an answer.')
param ttlSeconds int

@description('Required. Seconds from one probe to the next.')
@allowed([10, 30])
param probeIntervalSeconds int

@description('Required. Number of failed probes in a row that are tolerated.')
param toleratedFailures int

@description('Required. Path of the probe.')
param probePath string

@description('Required. Host of the probe, which every region must have bound.')
param probeHost string

@description('Required. Endpoints, one for each region.')
param endpoints endpointType[]

@description('Required. Resource ID of the workspace that keeps what the probes find; empty: it is not kept.')
param logAnalyticsWorkspaceId string

@description('Required. Whether a lock keeps the profile from being deleted.')
param isLocked bool

resource profile 'Microsoft.Network/trafficmanagerprofiles@2022-04-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    profileStatus: 'Enabled'
    trafficRoutingMethod: trafficRoutingMethod
    dnsConfig: { relativeName: name, ttl: ttlSeconds }
    monitorConfig: {
      protocol: 'HTTPS'
      port: 443
      path: probePath
      intervalInSeconds: probeIntervalSeconds
      timeoutInSeconds: 5
      toleratedNumberOfFailures: toleratedFailures
      expectedStatusCodeRanges: [{ min: 200, max: 200 }]
      // Without this header the probe asks for the host of the profile, which no app
      // knows. With the global host it also shows whether that host is bound.
      customHeaders: [{ name: 'Host', value: probeHost }]
    }
    // External, though the apps are in Azure: with azureEndpoints Traffic Manager would
    // change the host names of the apps.
    endpoints: [
      for endpoint in endpoints: {
        name: endpoint.name
        type: 'Microsoft.Network/trafficManagerProfiles/externalEndpoints'
        properties: {
          target: endpoint.target
          endpointLocation: endpoint.location
          endpointStatus: endpoint.enabled ? 'Enabled' : 'Disabled'
          priority: endpoint.priority
          weight: 1
        }
      }
    ]
  }
}

// Its host is free for anybody once the profile is gone.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  scope: profile
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'The calling webhook leads here. See docs/infrastructure.md, "Locks".'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(logAnalyticsWorkspaceId)) {
  scope: profile
  name: 'workspace'
  properties: {
    workspaceId: logAnalyticsWorkspaceId
    logs: [{ category: 'ProbeHealthStatusEvents', enabled: true }]
  }
}
