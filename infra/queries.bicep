metadata name = 'Queries'
metadata description = 'The files of infra/queries, for the workbook and the query pack.'

@export()
@description('The texts of the queries by name. The first line of each is a comment with its question.')
var queryTexts = {
  'answer-times': loadTextContent('queries/answer-times.kql')
  'bot-actions': loadTextContent('queries/bot-actions.kql')
  'bot-events': loadTextContent('queries/bot-events.kql')
  'bot-failures': loadTextContent('queries/bot-failures.kql')
  builds: loadTextContent('queries/builds.kql')
  'call-ends': loadTextContent('queries/call-ends.kql')
  'calls-over-time': loadTextContent('queries/calls-over-time.kql')
  calls: loadTextContent('queries/calls.kql')
  credentials: loadTextContent('queries/credentials.kql')
  failures: loadTextContent('queries/failures.kql')
  'first-answers': loadTextContent('queries/first-answers.kql')
  instances: loadTextContent('queries/instances.kql')
  keys: loadTextContent('queries/keys.kql')
  'lost-calls': loadTextContent('queries/lost-calls.kql')
  notes: loadTextContent('queries/notes.kql')
  'one-call': loadTextContent('queries/one-call.kql')
  peers: loadTextContent('queries/peers.kql')
  problems: loadTextContent('queries/problems.kql')
  reasons: loadTextContent('queries/reasons.kql')
  redirects: loadTextContent('queries/redirects.kql')
  refusals: loadTextContent('queries/refusals.kql')
  setup: loadTextContent('queries/setup.kql')
}

@export()
@description('The question of a query: its first line.')
func questionOf(text string) string => substring(first(split(text, '\n')), 3)
