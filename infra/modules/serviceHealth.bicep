metadata name = 'Alert of Service Health'
metadata description = 'Fires when Azure announces an incident or maintenance in the location of a region.'

import { tagsType } from '../topology.bicep'

@description('Required. Name of the alert.')
param name string

@description('Required. Azure location of the region.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

@description('Required. Resource ID of the action group to notify; empty: the alert only shows in the portal.')
param actionGroupId string

// Service Health names regions as people do: `az account list-locations` has both names.
var displayNames = {
  australiacentral: 'Australia Central'
  australiaeast: 'Australia East'
  australiasoutheast: 'Australia Southeast'
  brazilsouth: 'Brazil South'
  canadacentral: 'Canada Central'
  canadaeast: 'Canada East'
  centralindia: 'Central India'
  centralus: 'Central US'
  eastasia: 'East Asia'
  eastus: 'East US'
  eastus2: 'East US 2'
  francecentral: 'France Central'
  germanywestcentral: 'Germany West Central'
  israelcentral: 'Israel Central'
  italynorth: 'Italy North'
  japaneast: 'Japan East'
  japanwest: 'Japan West'
  koreacentral: 'Korea Central'
  mexicocentral: 'Mexico Central'
  newzealandnorth: 'New Zealand North'
  northcentralus: 'North Central US'
  northeurope: 'North Europe'
  norwayeast: 'Norway East'
  polandcentral: 'Poland Central'
  qatarcentral: 'Qatar Central'
  southafricanorth: 'South Africa North'
  southcentralus: 'South Central US'
  southeastasia: 'Southeast Asia'
  southindia: 'South India'
  spaincentral: 'Spain Central'
  swedencentral: 'Sweden Central'
  switzerlandnorth: 'Switzerland North'
  uaenorth: 'UAE North'
  uksouth: 'UK South'
  ukwest: 'UK West'
  usdodcentral: 'USDoD Central'
  usdodeast: 'USDoD East'
  usgovarizona: 'USGov Arizona'
  usgovtexas: 'USGov Texas'
  usgovvirginia: 'USGov Virginia'
  westcentralus: 'West Central US'
  westeurope: 'West Europe'
  westus: 'West US'
  westus2: 'West US 2'
  westus3: 'West US 3'
}

resource announced 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    description: 'Azure announces an incident or maintenance in this location. docs/operations.md, step 1; if calls fail there, take the region out of Traffic Manager.'
    enabled: true
    scopes: [subscription().id]
    condition: {
      allOf: concat(
        [
          { field: 'category', equals: 'ServiceHealth' }
          {
            anyOf: [
              { field: 'properties.incidentType', equals: 'Incident' }
              { field: 'properties.incidentType', equals: 'Maintenance' }
            ]
          }
        ],
        // A location that is not in the list: announcements of all locations.
        contains(displayNames, location)
          ? [
              {
                field: 'properties.impactedServices[*].ImpactedRegions[*].RegionName'
                containsAny: [displayNames[location], 'Global']
              }
            ]
          : []
      )
    }
    actions: { actionGroups: empty(actionGroupId) ? [] : [{ actionGroupId: actionGroupId }] }
  }
}
