using '../shared.bicep'

param organisation = 'contoso'
param emails = split(readEnvironmentVariable('ALERT_EMAILS', ''), ' ')
param budgetAmount = int(readEnvironmentVariable('BUDGET_AMOUNT', '0'))
param budgetStart = readEnvironmentVariable('BUDGET_START', '')
