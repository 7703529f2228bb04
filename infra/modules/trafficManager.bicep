metadata name = 'Traffic Manager'
metadata description = 'The profile that leads the calling platform to the nearest healthy region. It is one document: a region that left the list leaves the profile.'

@description('Required. Name of the profile, also the first label of its host.')
param name string

@description('Required. Tags of the resources.')
param tags object

@description('Required. How a region is chosen.')
@allowed(['Performance', 'Priority', 'Weighted'])
param trafficRoutingMethod string

@description('Required. Seconds for which the world may keep an answer.')
param ttlSeconds int

@description('Required. Seconds from one probe to the next.')
@allowed([10, 30])
param probeIntervalSeconds int

@description('Required. Failed probes in a row that are tolerated.')
param toleratedFailures int

@description('Required. Path of the probe.')
param probePath string

@description('Required. Host of the probe, which every region must have bound.')
param probeHost string

@description('Required. Endpoints: name, target, location, whether enabled, priority.')
param endpoints array

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
      // Without it the probe asks for the host of the profile, which no app knows. It
      // is the global host, so that the probe also tells whether that one is bound.
      customHeaders: [{ name: 'Host', value: probeHost }]
    }
    // External, though the apps are in Azure: Traffic Manager then leaves the host
    // names of the apps alone.
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
