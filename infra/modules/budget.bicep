metadata name = 'Budget'
metadata description = 'A monthly budget of what carries the tag workload, in all groups of the subscription. It only tells: nothing is stopped.'

targetScope = 'subscription'

@description('Required. Name of the budget.')
param name string

@description('Required. Amount a month, in the currency of the subscription.')
param amount int

@description('Required. First day, the first of a month.')
@minLength(10)
@maxLength(10)
param start string

@description('Required. The tag workload of what is counted.')
param workload string

@description('Required. Mail addresses to notify.')
@minLength(1)
param emails string[]

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: start }
    filter: { tags: { name: 'workload', operator: 'In', values: [workload] } }
    notifications: {
      nearlySpent: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: emails
      }
      willBeExceeded: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: emails
      }
    }
  }
}
