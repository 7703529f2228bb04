#!/usr/bin/env bash
# What `infra/deploy.sh --preflight prod` runs, in the checkout, if no region is new.
# shellcheck disable=SC2034 # only the program or you use some of the answers
set -euo pipefail
export MICROSOFT_APP_ID="${MICROSOFT_APP_ID:?}"
export LOG_ANALYTICS_WORKSPACE_ID="${LOG_ANALYTICS_WORKSPACE_ID:?}"
export BOT_NAME="${BOT_NAME:-}" BOT_RESOURCE_GROUP="${BOT_RESOURCE_GROUP:-}"
export ACTION_GROUP_ID="${ACTION_GROUP_ID:-}"

# Check what would stop a deployment
az version
az bicep version
func --version
dig -v
SUBSCRIPTION_ID=$(az account show --query id -o tsv)
az provider list --query "[?registrationState=='Registered'].namespace" -o tsv
az rest --method get --url "/subscriptions/$SUBSCRIPTION_ID/providers/Microsoft.Authorization/permissions?api-version=2022-04-01" --query value -o json
az resource show --ids "$LOG_ANALYTICS_WORKSPACE_ID" --query id -o tsv
az resource show --ids /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.KeyVault/vaults/kv-contoso --query id -o tsv
az keyvault certificate show --vault-name kv-contoso -n wildcard-calls-contoso-com --query 'policy.x509CertificateProperties.[subject, subjectAlternativeNames.dnsNames]' -o tsv
az role assignment list --scope /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.KeyVault/vaults/kv-contoso --include-inherited --assignee abfa0a7c-a6b6-4736-8310-5855508787cd --query '[].roleDefinitionName' -o tsv
dig +short NS calls.contoso.com
az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query '[].name' -o tsv
az resource list --resource-type Microsoft.BotService/botServices --query "[?name=='$BOT_NAME'].resourceGroup" -o tsv
az functionapp list-flexconsumption-locations --query '[].name' -o tsv
az rest --method get --url "/subscriptions/$SUBSCRIPTION_ID/providers/Microsoft.Web/locations/westeurope/usages?api-version=2024-11-01" --query value -o json
az rest --method get --url "/subscriptions/$SUBSCRIPTION_ID/providers/Microsoft.Web/locations/eastus2/usages?api-version=2024-11-01" --query value -o json
az rest --method get --url "/subscriptions/$SUBSCRIPTION_ID/providers/Microsoft.Web/locations/southeastasia/usages?api-version=2024-11-01" --query value -o json
FOUND_GROUPS=$(az group list --query "[?starts_with(name, 'rg-tmscalls-prod-')].[name, location]" -o tsv)
env REGION=weu BIND_HOST_NAMES=false az deployment group validate -g rg-tmscalls-prod-weu --parameters infra/params/prod.regional.bicepparam -o none
env REGION=eus2 BIND_HOST_NAMES=false az deployment group validate -g rg-tmscalls-prod-eus2 --parameters infra/params/prod.regional.bicepparam -o none
env REGION=sea BIND_HOST_NAMES=false az deployment group validate -g rg-tmscalls-prod-sea --parameters infra/params/prod.regional.bicepparam -o none
