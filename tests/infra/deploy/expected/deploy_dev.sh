#!/usr/bin/env bash
# What `infra/deploy.sh dev` runs, in the checkout, if no region is new.
# shellcheck disable=SC2034 # only deploy.sh or you use some of the answers
set -euo pipefail
export MICROSOFT_APP_ID="${MICROSOFT_APP_ID:?}"
export LOG_ANALYTICS_WORKSPACE_ID="${LOG_ANALYTICS_WORKSPACE_ID:?}"
export BOT_NAME="${BOT_NAME:-}" ACTION_GROUP_ID="${ACTION_GROUP_ID:-}"

# Check the description of the environment
.venv/bin/python infra/check_environment.py --records dev

# Check what must exist in Azure already
TENANT_ID=$(az account show --query tenantId -o tsv)
az resource show --ids "$LOG_ANALYTICS_WORKSPACE_ID" --query id -o tsv
OFFERED=$(az functionapp list-flexconsumption-locations --query '[].name' -o tsv)
grep -qx westeurope <<<"$OFFERED"

# Make the resource groups that are missing
GROUP_EXISTS=$(az group exists -n rg-tmscalls-dev-weu)
if [ "$GROUP_EXISTS" = false ]; then az group create -n rg-tmscalls-dev-weu -l westeurope -o none; fi

# Find out which regions are new: they go first
DEPLOYED_weu=$(az deployment group list -g rg-tmscalls-dev-weu --query "[?properties.provisioningState=='Succeeded'].name" -o tsv)

# Build the package
rm -rf .python_packages
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --target .python_packages/lib/site-packages --implementation cp --python-version 3.13 --only-binary :all: --platform manylinux_2_17_x86_64 --require-hashes -r requirements.lock
.venv/bin/python -m compileall -q --invalidation-mode unchecked-hash .python_packages/lib/site-packages

# Deploy weu
env REGION=weu BIND_HOST_NAMES=true az deployment group create -g rg-tmscalls-dev-weu --parameters infra/params/dev.regional.bicepparam -n stamp -o none

# Let the bot's registration trust the identity of weu
PRINCIPAL_ID=$(az deployment group show -g rg-tmscalls-dev-weu -n stamp --query properties.outputs.identityPrincipalId.value -o tsv)
SUBJECT=$(az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query "[?name=='tmscalls-dev-weu'].subject" -o tsv)
if [ -z "$SUBJECT" ]; then az ad app federated-credential create --id "$MICROSOFT_APP_ID" --parameters "{\"name\":\"tmscalls-dev-weu\",\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi
if [ -n "$SUBJECT" ] && [ "$SUBJECT" != "$PRINCIPAL_ID" ]; then az ad app federated-credential update --id "$MICROSOFT_APP_ID" --federated-credential-id tmscalls-dev-weu --parameters "{\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi

# Publish to weu
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-dev-weu -n stamp --query properties.outputs.functionAppName.value -o tsv)
func azure functionapp publish "$FUNCTION_APP" --python --no-build

# Wait until weu is healthy
REGION_HOST=$(az deployment group show -g rg-tmscalls-dev-weu -n stamp --query properties.outputs.regionHost.value -o tsv)
.venv/bin/python infra/wait_until_healthy.py --region weu "https://$REGION_HOST/api/health"

# Done: weu of dev
# Calling webhook: https://$REGION_HOST/api/calls
