#!/usr/bin/env bash
# What `infra/deploy.sh prod` runs, in the checkout, if no region is new.
# shellcheck disable=SC2034 # only deploy.sh or you use some of the answers
set -euo pipefail
export MICROSOFT_APP_ID="${MICROSOFT_APP_ID:?}"
export LOG_ANALYTICS_WORKSPACE_ID="${LOG_ANALYTICS_WORKSPACE_ID:?}"
export BOT_NAME="${BOT_NAME:-}" ACTION_GROUP_ID="${ACTION_GROUP_ID:-}"

# Check the description of the environment
.venv/bin/python infra/check_environment.py --records prod

# Check what must exist in Azure already
TENANT_ID=$(az account show --query tenantId -o tsv)
az resource show --ids "$LOG_ANALYTICS_WORKSPACE_ID" --query id -o tsv
az resource show --ids /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.KeyVault/vaults/kv-contoso --query id -o tsv
BOT=$(az resource list --resource-type Microsoft.BotService/botServices --query "[?name=='$BOT_NAME'].id" -o tsv)
[ -z "$BOT_NAME" ] || [ -n "$BOT" ]
OFFERED=$(az functionapp list-flexconsumption-locations --query '[].name' -o tsv)
grep -qx westeurope <<<"$OFFERED"
grep -qx eastus2 <<<"$OFFERED"
grep -qx southeastasia <<<"$OFFERED"

# Make the resource groups that are missing
GROUP_EXISTS=$(az group exists -n rg-tmscalls-prod-global)
if [ "$GROUP_EXISTS" = false ]; then az group create -n rg-tmscalls-prod-global -l westeurope -o none; fi
GROUP_EXISTS=$(az group exists -n rg-tmscalls-prod-weu)
if [ "$GROUP_EXISTS" = false ]; then az group create -n rg-tmscalls-prod-weu -l westeurope -o none; fi
GROUP_EXISTS=$(az group exists -n rg-tmscalls-prod-eus2)
if [ "$GROUP_EXISTS" = false ]; then az group create -n rg-tmscalls-prod-eus2 -l eastus2 -o none; fi
GROUP_EXISTS=$(az group exists -n rg-tmscalls-prod-sea)
if [ "$GROUP_EXISTS" = false ]; then az group create -n rg-tmscalls-prod-sea -l southeastasia -o none; fi

# Find out which regions are new: they go first
DEPLOYED_weu=$(az deployment group list -g rg-tmscalls-prod-weu --query "[?properties.provisioningState=='Succeeded'].name" -o tsv)
DEPLOYED_eus2=$(az deployment group list -g rg-tmscalls-prod-eus2 --query "[?properties.provisioningState=='Succeeded'].name" -o tsv)
DEPLOYED_sea=$(az deployment group list -g rg-tmscalls-prod-sea --query "[?properties.provisioningState=='Succeeded'].name" -o tsv)

# Deploy new regions, without host names
if ! grep -qx first <<<"$DEPLOYED_weu"; then env REGION=weu BIND_HOST_NAMES=false az deployment group create -g rg-tmscalls-prod-weu --parameters infra/params/prod.regional.bicepparam -n first -o none; fi
if ! grep -qx first <<<"$DEPLOYED_eus2"; then env REGION=eus2 BIND_HOST_NAMES=false az deployment group create -g rg-tmscalls-prod-eus2 --parameters infra/params/prod.regional.bicepparam -n first -o none; fi
if ! grep -qx first <<<"$DEPLOYED_sea"; then env REGION=sea BIND_HOST_NAMES=false az deployment group create -g rg-tmscalls-prod-sea --parameters infra/params/prod.regional.bicepparam -n first -o none; fi

# Deploy the global part: Traffic Manager, DNS records, the bot's webhook
CUSTOM_DOMAIN_VERIFICATION_ID=$(az deployment group show -g rg-tmscalls-prod-weu -n first --query properties.outputs.customDomainVerificationId.value -o tsv)
env "CUSTOM_DOMAIN_VERIFICATION_ID=$CUSTOM_DOMAIN_VERIFICATION_ID" az deployment group create -g rg-tmscalls-prod-global --parameters infra/params/prod.global.bicepparam -n global -o none

# Wait until the DNS records are visible
az network dns zone list -g rg-tmscalls-prod-global --query "[?name=='calls.contoso.com'].nameServers[]" -o tsv
until [[ $(dig +short TXT asuid.global.calls.contoso.com) == *"$CUSTOM_DOMAIN_VERIFICATION_ID"* ]]; do sleep 10; done
until [[ $(dig +short TXT asuid.weu.calls.contoso.com) == *"$CUSTOM_DOMAIN_VERIFICATION_ID"* ]]; do sleep 10; done
until [[ $(dig +short TXT asuid.eus2.calls.contoso.com) == *"$CUSTOM_DOMAIN_VERIFICATION_ID"* ]]; do sleep 10; done
until [[ $(dig +short TXT asuid.sea.calls.contoso.com) == *"$CUSTOM_DOMAIN_VERIFICATION_ID"* ]]; do sleep 10; done

# Build the package
rm -rf .python_packages
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --target .python_packages/lib/site-packages --implementation cp --python-version 3.13 --only-binary :all: --platform manylinux_2_17_x86_64 --require-hashes -r requirements.lock
.venv/bin/python -m compileall -q --invalidation-mode unchecked-hash .python_packages/lib/site-packages

# Deploy weu
env REGION=weu BIND_HOST_NAMES=true az deployment group create -g rg-tmscalls-prod-weu --parameters infra/params/prod.regional.bicepparam -n stamp -o none

# Let the bot's registration trust the identity of weu
PRINCIPAL_ID=$(az deployment group show -g rg-tmscalls-prod-weu -n stamp --query properties.outputs.identityPrincipalId.value -o tsv)
SUBJECT=$(az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query "[?name=='tmscalls-prod-weu'].subject" -o tsv)
if [ -z "$SUBJECT" ]; then az ad app federated-credential create --id "$MICROSOFT_APP_ID" --parameters "{\"name\":\"tmscalls-prod-weu\",\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi
if [ -n "$SUBJECT" ] && [ "$SUBJECT" != "$PRINCIPAL_ID" ]; then az ad app federated-credential update --id "$MICROSOFT_APP_ID" --federated-credential-id tmscalls-prod-weu --parameters "{\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi

# Publish to weu
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-weu -n stamp --query properties.outputs.functionAppName.value -o tsv)
func azure functionapp publish "$FUNCTION_APP" --python --no-build

# Wait until weu is healthy
REGION_HOST=$(az deployment group show -g rg-tmscalls-prod-weu -n stamp --query properties.outputs.regionHost.value -o tsv)
.venv/bin/python infra/wait_until_healthy.py --region weu "https://$REGION_HOST/api/health"

# Deploy eus2
env REGION=eus2 BIND_HOST_NAMES=true az deployment group create -g rg-tmscalls-prod-eus2 --parameters infra/params/prod.regional.bicepparam -n stamp -o none

# Let the bot's registration trust the identity of eus2
PRINCIPAL_ID=$(az deployment group show -g rg-tmscalls-prod-eus2 -n stamp --query properties.outputs.identityPrincipalId.value -o tsv)
SUBJECT=$(az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query "[?name=='tmscalls-prod-eus2'].subject" -o tsv)
if [ -z "$SUBJECT" ]; then az ad app federated-credential create --id "$MICROSOFT_APP_ID" --parameters "{\"name\":\"tmscalls-prod-eus2\",\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi
if [ -n "$SUBJECT" ] && [ "$SUBJECT" != "$PRINCIPAL_ID" ]; then az ad app federated-credential update --id "$MICROSOFT_APP_ID" --federated-credential-id tmscalls-prod-eus2 --parameters "{\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi

# Publish to eus2
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-eus2 -n stamp --query properties.outputs.functionAppName.value -o tsv)
func azure functionapp publish "$FUNCTION_APP" --python --no-build

# Wait until eus2 is healthy
REGION_HOST=$(az deployment group show -g rg-tmscalls-prod-eus2 -n stamp --query properties.outputs.regionHost.value -o tsv)
.venv/bin/python infra/wait_until_healthy.py --region eus2 "https://$REGION_HOST/api/health"

# Deploy sea
env REGION=sea BIND_HOST_NAMES=true az deployment group create -g rg-tmscalls-prod-sea --parameters infra/params/prod.regional.bicepparam -n stamp -o none

# Let the bot's registration trust the identity of sea
PRINCIPAL_ID=$(az deployment group show -g rg-tmscalls-prod-sea -n stamp --query properties.outputs.identityPrincipalId.value -o tsv)
SUBJECT=$(az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query "[?name=='tmscalls-prod-sea'].subject" -o tsv)
if [ -z "$SUBJECT" ]; then az ad app federated-credential create --id "$MICROSOFT_APP_ID" --parameters "{\"name\":\"tmscalls-prod-sea\",\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi
if [ -n "$SUBJECT" ] && [ "$SUBJECT" != "$PRINCIPAL_ID" ]; then az ad app federated-credential update --id "$MICROSOFT_APP_ID" --federated-credential-id tmscalls-prod-sea --parameters "{\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi

# Publish to sea
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-sea -n stamp --query properties.outputs.functionAppName.value -o tsv)
func azure functionapp publish "$FUNCTION_APP" --python --no-build

# Wait until sea is healthy
REGION_HOST=$(az deployment group show -g rg-tmscalls-prod-sea -n stamp --query properties.outputs.regionHost.value -o tsv)
.venv/bin/python infra/wait_until_healthy.py --region sea "https://$REGION_HOST/api/health"

# Done: weu eus2 sea of prod
# Calling webhook: https://global.calls.contoso.com/api/calls
