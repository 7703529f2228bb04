metadata name = 'Workbook'
metadata description = 'The queries of infra/queries as a workbook of a region, in the order of docs/operations.md. It can show the other regions of the environment, too.'

import { tagsType } from '../topology.bicep'
import { questionOf, queryTexts } from '../queries.bicep'

@description('Required. Name that the portal shows.')
param displayName string

@description('Required. Azure location.')
param location string

@description('Required. Tags of the resources; the workload and the environment among them find the other regions.')
param tags tagsType

@description('Required. Name of the Application Insights component of the region.')
param insightsName string

@description('A part of the workbook: what one looks for, and the queries that tell it.')
@sealed()
type partType = {
  @description('Required. The heading.')
  heading: string

  @description('Required. Names of the queries.')
  queries: string[]
}

var parts partType[] = [
  { heading: 'Is it so, and where?', queries: ['calls', 'calls-over-time', 'redirects', 'builds'] }
  { heading: 'Why?', queries: ['failures', 'lost-calls', 'notes'] }
  { heading: 'Is it slow?', queries: ['answer-times', 'first-answers'] }
  { heading: 'Do calls break off?', queries: ['setup', 'call-ends'] }
  { heading: 'The bot', queries: ['bot-events', 'bot-failures', 'bot-actions'] }
  { heading: 'Instances', queries: ['instances'] }
  { heading: 'Keys, credentials, regions', queries: ['keys', 'credentials', 'peers', 'problems'] }
  { heading: 'Does anything arrive?', queries: ['reasons', 'refusals'] }
  { heading: 'What happened to one call?', queries: ['one-call'] }
]
// Where a person would rather look than read: a chart beside the table, or in its place.
var charts = {
  calls: {
    visualization: 'categoricalbar'
    chartSettings: { xAxis: 'region', yAxis: ['answered', 'rejected', 'sent_on', 'lost'] }
  }
  'calls-over-time': { visualization: 'timechart' }
  'answer-times': {
    visualization: 'categoricalbar'
    chartSettings: { xAxis: 'region', yAxis: ['p50_ms', 'p95_ms', 'p99_ms'] }
  }
  'call-ends': { visualization: 'categoricalbar', chartSettings: { xAxis: 'meaning', yAxis: ['calls'] } }
  'bot-events': {
    visualization: 'categoricalbar'
    chartSettings: { xAxis: 'bot_event', yAxis: ['handled', 'without_handler', 'repeated', 'failed'] }
  }
  instances: {
    visualization: 'categoricalbar'
    chartSettings: { xAxis: 'partition', yAxis: ['delivered', 'unavailable', 'refused'] }
  }
}
var hasNoTable = ['calls-over-time']

@description('What the parameters put into a query.')
func withParameters(text string) string =>
  replace(
    replace(text, 'let wanted_build = "";', 'let wanted_build = "{Build}";'),
    'let wanted_call = "";',
    'let wanted_call = "{Call}";'
  )

@description('One view of a query.')
func viewOf(query string, text string, settings object) object => {
  type: 3
  name: '${query} ${settings.visualization}'
  content: union(
    {
      version: 'KqlItem/1.0'
      title: questionOf(text)
      query: withParameters(text)
      size: 0
      showExportToExcel: true
      timeContextFromParameter: 'TimeRange'
      queryType: 0
      resourceType: 'microsoft.insights/components'
      crossComponentResources: ['{Regions}']
    },
    settings
  )
}

var views = map(
  parts,
  part =>
    concat(
      [{ type: 1, name: part.heading, content: { json: '## ${part.heading}' } }],
      flatten(map(
        part.queries,
        query =>
          concat(
            contains(charts, query) ? [viewOf(query, queryTexts[query], charts[query])] : [],
            contains(hasNoTable, query) ? [] : [viewOf(query, queryTexts[query], { visualization: 'table' })]
          )
      ))
    )
)

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// Resource Graph finds the components of the other regions by their tags.
var regionsQuery = '''
resources
| where type =~ "microsoft.insights/components"
| where tags.workload == "{0}" and tags.environment == "{1}"
| project value = id, label = tostring(tags.region), selected = id =~ "{2}"
| order by label asc
'''
var buildsQuery = '''
| where isnotempty(build)
| summarize last_seen = max(last_seen) by build
| order by last_seen desc
| project value = build, label = build
'''
var parameters = {
  type: 9
  name: 'parameters'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    queryType: 0
    resourceType: 'microsoft.insights/components'
    crossComponentResources: ['{Regions}']
    parameters: [
      {
        id: guid(insights.id, 'TimeRange')
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time range'
        type: 4
        isRequired: true
        value: { durationMs: 3600000 }
        typeSettings: {
          // 15 minutes, 1 hour, 4 hours, 1 day, 7 days, 30 days
          selectableValues: map([900000, 3600000, 14400000, 86400000, 604800000, 2592000000], milliseconds => {
            durationMs: milliseconds
          })
          allowCustom: true
        }
      }
      {
        id: guid(insights.id, 'Regions')
        version: 'KqlParameterItem/1.0'
        name: 'Regions'
        label: 'Regions'
        type: 5
        isRequired: true
        multiSelect: true
        quote: '\''
        delimiter: ','
        query: format(regionsQuery, tags.workload, tags.environment, insights.id)
        queryType: 1
        resourceType: 'microsoft.resourcegraph/resources'
        crossComponentResources: ['value::all']
        typeSettings: { additionalResourceOptions: ['value::all'], showDefault: false }
        value: [insights.id]
      }
      {
        id: guid(insights.id, 'Build')
        version: 'KqlParameterItem/1.0'
        name: 'Build'
        label: 'Build (none: all of them)'
        type: 2
        isRequired: false
        query: '${queryTexts.builds}${buildsQuery}'
        queryType: 0
        resourceType: 'microsoft.insights/components'
        crossComponentResources: ['{Regions}']
        timeContextFromParameter: 'TimeRange'
        typeSettings: { additionalResourceOptions: [], showDefault: false }
        value: ''
      }
      {
        id: guid(insights.id, 'Call')
        version: 'KqlParameterItem/1.0'
        name: 'Call'
        label: 'Call or chain ID'
        type: 1
        isRequired: false
        value: ''
      }
    ]
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // The name must be a GUID.
  name: guid(insights.id, 'calls')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: insights.id
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([parameters], flatten(views))
      fallbackResourceIds: [insights.id]
    })
  }
}
