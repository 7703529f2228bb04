metadata name = 'Calling webhook'
metadata description = 'The Teams channel of an existing Azure Bot, with calling enabled and the webhook of the environment.'

@description('Required. Name of the Azure Bot.')
param botName string

@description('Required. URL to which the calling platform sends notifications.')
param webhookUrl string

@description('Required. Cloud of Teams that calls the bot.')
param deploymentEnvironment string

resource bot 'Microsoft.BotService/botServices@2022-09-15' existing = {
  name: botName
}

resource channel 'Microsoft.BotService/botServices/channels@2022-09-15' = {
  parent: bot
  name: 'MsTeamsChannel'
  location: 'global'
  properties: {
    channelName: 'MsTeamsChannel'
    properties: {
      acceptedTerms: true
      callingWebhook: webhookUrl
      // These two would become a default that is not for calling, as everything that is
      // missing here.
      deploymentEnvironment: deploymentEnvironment
      incomingCallRoute: 'graphPma'
      enableCalling: true
      isEnabled: true
    }
  }
}
