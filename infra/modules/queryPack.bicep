metadata name = 'Query pack'
metadata description = 'The queries of infra/queries, for the Queries tab of the portal. One in an environment is enough.'

import { tagsType } from '../topology.bicep'
import { questionOf, queryTexts } from '../queries.bicep'

@description('Required. Name of the query pack.')
param name string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources.')
param tags tagsType

resource pack 'Microsoft.OperationalInsights/queryPacks@2019-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {}

  resource queries 'queries' = [
    for query in items(queryTexts): {
      // The name must be a GUID.
      name: guid(pack.id, query.key)
      properties: {
        displayName: questionOf(query.value)
        description: 'infra/queries/${query.key}.kql'
        body: query.value
        related: { categories: ['applications'], resourceTypes: ['microsoft.insights/components'] }
      }
    }
  ]
}
