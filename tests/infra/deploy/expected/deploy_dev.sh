#!/usr/bin/env bash
# What `infra/deploy.sh dev` runs, in the checkout, if no region is new.
# shellcheck disable=SC2034 # only the program or you use some of the answers
set -euo pipefail
export MICROSOFT_APP_ID="${MICROSOFT_APP_ID:?}"
export LOG_ANALYTICS_WORKSPACE_ID="${LOG_ANALYTICS_WORKSPACE_ID:?}"
export BOT_NAME="${BOT_NAME:-}" BOT_RESOURCE_GROUP="${BOT_RESOURCE_GROUP:-}"
export ACTION_GROUP_ID="${ACTION_GROUP_ID:-}"

# Check what would stop a deployment
infra/deploy.sh --preflight dev

# Find out who deploys where
SUBSCRIPTION_ID=$(az account show --query id -o tsv)
TENANT_ID=$(az account show --query tenantId -o tsv)

# Build the package
infra/package.sh dev
BUILD=$(cat build/app/build_id.txt)

# Make the resource groups that are missing
GROUP_EXISTS=$(az group exists -n rg-tmscalls-dev-weu)
if [ "$GROUP_EXISTS" = false ]; then az group create -n rg-tmscalls-dev-weu -l westeurope -o none; fi

# Find out which regions are new: they go first
DEPLOYED_weu=$(az deployment group list -g rg-tmscalls-dev-weu --query "[?properties.provisioningState=='Succeeded'].name" -o tsv)

# Deploy weu
until ANSWER=$(az deployment group list -g rg-tmscalls-dev-weu --query "[?name=='stamp' && properties.provisioningState=='Running'].name" -o tsv); [ -z "$ANSWER" ]; do sleep 10; done
env REGION=weu BIND_HOST_NAMES=true az deployment group create -g rg-tmscalls-dev-weu --parameters infra/params/dev.regional.bicepparam -n stamp -o none
HOST_NAME=$(az deployment group show -g rg-tmscalls-dev-weu -n stamp --query properties.outputs.defaultHostName.value -o tsv)
[ -n "$HOST_NAME" ]
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-dev-weu -n stamp --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
[ "$HOST_NAME" = "$FUNCTION_APP.azurewebsites.net" ]

# Let the bot's registration trust the identity of weu
PRINCIPAL_ID=$(az deployment group show -g rg-tmscalls-dev-weu -n stamp --query properties.outputs.identityPrincipalId.value -o tsv)
[ -n "$PRINCIPAL_ID" ]
SUBJECT=$(az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query "[?name=='tmscalls-dev-weu'].subject" -o tsv)
if [ -z "$SUBJECT" ]; then az ad app federated-credential create --id "$MICROSOFT_APP_ID" --parameters "{\"name\":\"tmscalls-dev-weu\",\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi
if [ -n "$SUBJECT" ] && [ "$SUBJECT" != "$PRINCIPAL_ID" ]; then az ad app federated-credential update --id "$MICROSOFT_APP_ID" --federated-credential-id tmscalls-dev-weu --parameters "{\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi

# Publish to weu
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-dev-weu -n stamp --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
for attempt in 1 2 3 4; do (cd build/app && func azure functionapp publish "$FUNCTION_APP" --python --no-build --subscription "$SUBSCRIPTION_ID") && break; [ "$attempt" = 4 ] || sleep 30; done

# Wait until weu is healthy
REGION_HOST=$(az deployment group show -g rg-tmscalls-dev-weu -n stamp --query properties.outputs.regionHost.value -o tsv)
[ -n "$REGION_HOST" ]
.venv/bin/python infra/wait_until_healthy.py --region weu --build "$BUILD" "https://$REGION_HOST/api/health"

# Done: weu of dev
# Calling webhook: https://$REGION_HOST/api/calls
