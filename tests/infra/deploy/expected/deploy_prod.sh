#!/usr/bin/env bash
# What `infra/deploy.sh prod` runs, in the checkout, if no region is new.
# shellcheck disable=SC2034 # only the program or you use some of the answers
set -euo pipefail
export MICROSOFT_APP_ID="${MICROSOFT_APP_ID:?}"
export LOG_ANALYTICS_WORKSPACE_ID="${LOG_ANALYTICS_WORKSPACE_ID:?}"
export BOT_NAME="${BOT_NAME:-}" BOT_RESOURCE_GROUP="${BOT_RESOURCE_GROUP:-}"
export ACTION_GROUP_ID="${ACTION_GROUP_ID:-}"

# Check what would stop a deployment
infra/deploy.sh --preflight prod

# Find out who deploys where
SUBSCRIPTION_ID=$(az account show --query id -o tsv)
TENANT_ID=$(az account show --query tenantId -o tsv)

# Build the package
infra/package.sh prod
BUILD=$(cat build/app/build_id.txt)

# Make the resource groups that are missing
GROUP_EXISTS=$(az group exists -n rg-tmscalls-prod-global)
if [ "$GROUP_EXISTS" = false ]; then az group create -n rg-tmscalls-prod-global -l northeurope -o none; fi
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
until ANSWER=$(az deployment group list -g rg-tmscalls-prod-weu --query "[?name=='first' && properties.provisioningState=='Running'].name" -o tsv); [ -z "$ANSWER" ]; do sleep 10; done
if ! grep -qx first <<<"$DEPLOYED_weu"; then env REGION=weu BIND_HOST_NAMES=false az deployment group create -g rg-tmscalls-prod-weu --parameters infra/params/prod.regional.bicepparam -n first -o none; fi
HOST_NAME=$(az deployment group show -g rg-tmscalls-prod-weu -n first --query properties.outputs.defaultHostName.value -o tsv)
[ -n "$HOST_NAME" ]
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-weu -n first --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
[ "$HOST_NAME" = "$FUNCTION_APP.azurewebsites.net" ]
until ANSWER=$(az deployment group list -g rg-tmscalls-prod-eus2 --query "[?name=='first' && properties.provisioningState=='Running'].name" -o tsv); [ -z "$ANSWER" ]; do sleep 10; done
if ! grep -qx first <<<"$DEPLOYED_eus2"; then env REGION=eus2 BIND_HOST_NAMES=false az deployment group create -g rg-tmscalls-prod-eus2 --parameters infra/params/prod.regional.bicepparam -n first -o none; fi
HOST_NAME=$(az deployment group show -g rg-tmscalls-prod-eus2 -n first --query properties.outputs.defaultHostName.value -o tsv)
[ -n "$HOST_NAME" ]
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-eus2 -n first --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
[ "$HOST_NAME" = "$FUNCTION_APP.azurewebsites.net" ]
until ANSWER=$(az deployment group list -g rg-tmscalls-prod-sea --query "[?name=='first' && properties.provisioningState=='Running'].name" -o tsv); [ -z "$ANSWER" ]; do sleep 10; done
if ! grep -qx first <<<"$DEPLOYED_sea"; then env REGION=sea BIND_HOST_NAMES=false az deployment group create -g rg-tmscalls-prod-sea --parameters infra/params/prod.regional.bicepparam -n first -o none; fi
HOST_NAME=$(az deployment group show -g rg-tmscalls-prod-sea -n first --query properties.outputs.defaultHostName.value -o tsv)
[ -n "$HOST_NAME" ]
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-sea -n first --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
[ "$HOST_NAME" = "$FUNCTION_APP.azurewebsites.net" ]

# Deploy the global part: Traffic Manager and DNS records
CUSTOM_DOMAIN_VERIFICATION_ID=$(az deployment group show -g rg-tmscalls-prod-weu -n first --query properties.outputs.customDomainVerificationId.value -o tsv)
[ -n "$CUSTOM_DOMAIN_VERIFICATION_ID" ]
until ANSWER=$(az deployment group list -g rg-tmscalls-prod-global --query "[?name=='global' && properties.provisioningState=='Running'].name" -o tsv); [ -z "$ANSWER" ]; do sleep 10; done
DRAINED=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query "join(' ', [].endpoints[] | [?endpointStatus=='Disabled'].name)" -o tsv)
KNOWN=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query "join(' ', [].endpoints[].name)" -o tsv)
env BOT_NAME= "DRAINED_REGIONS=$DRAINED" "CUSTOM_DOMAIN_VERIFICATION_ID=$CUSTOM_DOMAIN_VERIFICATION_ID" az deployment group create -g rg-tmscalls-prod-global --parameters infra/params/prod.global.bicepparam -n global -o none
PROFILE=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query '[].name' -o tsv)

# Wait until the DNS records are visible
az network dns zone list -g rg-tmscalls-prod-global --query "[?name=='calls.contoso.com'].nameServers[]" -o tsv
until ANSWER=$(dig +short TXT asuid.global.calls.contoso.com); [[ $ANSWER == *"$CUSTOM_DOMAIN_VERIFICATION_ID"* ]]; do sleep 10; done
until ANSWER=$(dig +short TXT asuid.weu.calls.contoso.com); [[ $ANSWER == *"$CUSTOM_DOMAIN_VERIFICATION_ID"* ]]; do sleep 10; done
until ANSWER=$(dig +short TXT asuid.eus2.calls.contoso.com); [[ $ANSWER == *"$CUSTOM_DOMAIN_VERIFICATION_ID"* ]]; do sleep 10; done
until ANSWER=$(dig +short TXT asuid.sea.calls.contoso.com); [[ $ANSWER == *"$CUSTOM_DOMAIN_VERIFICATION_ID"* ]]; do sleep 10; done

# Drain weu if other regions can take its calls
DRAINED_BY_HAND=$(az group show -n rg-tmscalls-prod-global --query tags.drained_weu -o tsv)
OTHERS=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query "join(' ', [].endpoints[] | [?endpointStatus=='Enabled' && endpointMonitorStatus=='Online' && name!='weu'].name)" -o tsv)
if [ -z "$OTHERS" ] && [[ " $DRAINED " != *" weu "* ]]; then echo '# No other region is online: weu keeps getting calls.'; fi
if [ -n "$OTHERS" ] && [[ " $DRAINED " != *" weu "* ]]; then az network traffic-manager endpoint update -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n weu --type externalEndpoints --endpoint-status Disabled -o none; fi
if [ -n "$OTHERS" ] && [[ " $DRAINED " != *" weu "* ]]; then sleep 65; fi

# Deploy weu
until ANSWER=$(az deployment group list -g rg-tmscalls-prod-weu --query "[?name=='stamp' && properties.provisioningState=='Running'].name" -o tsv); [ -z "$ANSWER" ]; do sleep 10; done
env REGION=weu BIND_HOST_NAMES=true az deployment group create -g rg-tmscalls-prod-weu --parameters infra/params/prod.regional.bicepparam -n stamp -o none

# Let the bot's registration trust the identity of weu
PRINCIPAL_ID=$(az deployment group show -g rg-tmscalls-prod-weu -n stamp --query properties.outputs.identityPrincipalId.value -o tsv)
[ -n "$PRINCIPAL_ID" ]
SUBJECT=$(az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query "[?name=='tmscalls-prod-weu'].subject" -o tsv)
if [ -z "$SUBJECT" ]; then az ad app federated-credential create --id "$MICROSOFT_APP_ID" --parameters "{\"name\":\"tmscalls-prod-weu\",\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi
if [ -n "$SUBJECT" ] && [ "$SUBJECT" != "$PRINCIPAL_ID" ]; then az ad app federated-credential update --id "$MICROSOFT_APP_ID" --federated-credential-id tmscalls-prod-weu --parameters "{\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi

# Publish to weu
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-weu -n stamp --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
for attempt in 1 2 3 4; do (cd build/app && func azure functionapp publish "$FUNCTION_APP" --python --no-build --subscription "$SUBSCRIPTION_ID") && break; [ "$attempt" = 4 ] || sleep 30; done

# Wait until weu is healthy
REGION_HOST=$(az deployment group show -g rg-tmscalls-prod-weu -n stamp --query properties.outputs.regionHost.value -o tsv)
[ -n "$REGION_HOST" ]
.venv/bin/python infra/wait_until_healthy.py --region weu --build "$BUILD" "https://$REGION_HOST/api/health"

# Let calls into weu
if [ -n "$DRAINED_BY_HAND" ]; then echo '# weu was drained by hand and stays so: infra/deploy.sh --undrain weu prod'; fi
if [ -z "$DRAINED_BY_HAND" ]; then az network traffic-manager endpoint update -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n weu --type externalEndpoints --endpoint-status Enabled -o none; fi
if [ -z "$DRAINED_BY_HAND" ]; then until ANSWER=$(az network traffic-manager endpoint show -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n weu --type externalEndpoints --query endpointMonitorStatus -o tsv); [ "$ANSWER" = Online ]; do sleep 10; done; fi

# Drain eus2 if other regions can take its calls
DRAINED_BY_HAND=$(az group show -n rg-tmscalls-prod-global --query tags.drained_eus2 -o tsv)
OTHERS=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query "join(' ', [].endpoints[] | [?endpointStatus=='Enabled' && endpointMonitorStatus=='Online' && name!='eus2'].name)" -o tsv)
if [ -z "$OTHERS" ] && [[ " $DRAINED " != *" eus2 "* ]]; then echo '# No other region is online: eus2 keeps getting calls.'; fi
if [ -n "$OTHERS" ] && [[ " $DRAINED " != *" eus2 "* ]]; then az network traffic-manager endpoint update -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n eus2 --type externalEndpoints --endpoint-status Disabled -o none; fi
if [ -n "$OTHERS" ] && [[ " $DRAINED " != *" eus2 "* ]]; then sleep 65; fi

# Deploy eus2
until ANSWER=$(az deployment group list -g rg-tmscalls-prod-eus2 --query "[?name=='stamp' && properties.provisioningState=='Running'].name" -o tsv); [ -z "$ANSWER" ]; do sleep 10; done
env REGION=eus2 BIND_HOST_NAMES=true az deployment group create -g rg-tmscalls-prod-eus2 --parameters infra/params/prod.regional.bicepparam -n stamp -o none

# Let the bot's registration trust the identity of eus2
PRINCIPAL_ID=$(az deployment group show -g rg-tmscalls-prod-eus2 -n stamp --query properties.outputs.identityPrincipalId.value -o tsv)
[ -n "$PRINCIPAL_ID" ]
SUBJECT=$(az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query "[?name=='tmscalls-prod-eus2'].subject" -o tsv)
if [ -z "$SUBJECT" ]; then az ad app federated-credential create --id "$MICROSOFT_APP_ID" --parameters "{\"name\":\"tmscalls-prod-eus2\",\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi
if [ -n "$SUBJECT" ] && [ "$SUBJECT" != "$PRINCIPAL_ID" ]; then az ad app federated-credential update --id "$MICROSOFT_APP_ID" --federated-credential-id tmscalls-prod-eus2 --parameters "{\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi

# Publish to eus2
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-eus2 -n stamp --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
for attempt in 1 2 3 4; do (cd build/app && func azure functionapp publish "$FUNCTION_APP" --python --no-build --subscription "$SUBSCRIPTION_ID") && break; [ "$attempt" = 4 ] || sleep 30; done

# Wait until eus2 is healthy
REGION_HOST=$(az deployment group show -g rg-tmscalls-prod-eus2 -n stamp --query properties.outputs.regionHost.value -o tsv)
[ -n "$REGION_HOST" ]
.venv/bin/python infra/wait_until_healthy.py --region eus2 --build "$BUILD" "https://$REGION_HOST/api/health"

# Let calls into eus2
if [ -n "$DRAINED_BY_HAND" ]; then echo '# eus2 was drained by hand and stays so: infra/deploy.sh --undrain eus2 prod'; fi
if [ -z "$DRAINED_BY_HAND" ]; then az network traffic-manager endpoint update -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n eus2 --type externalEndpoints --endpoint-status Enabled -o none; fi
if [ -z "$DRAINED_BY_HAND" ]; then until ANSWER=$(az network traffic-manager endpoint show -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n eus2 --type externalEndpoints --query endpointMonitorStatus -o tsv); [ "$ANSWER" = Online ]; do sleep 10; done; fi

# Drain sea if other regions can take its calls
DRAINED_BY_HAND=$(az group show -n rg-tmscalls-prod-global --query tags.drained_sea -o tsv)
OTHERS=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query "join(' ', [].endpoints[] | [?endpointStatus=='Enabled' && endpointMonitorStatus=='Online' && name!='sea'].name)" -o tsv)
if [ -z "$OTHERS" ] && [[ " $DRAINED " != *" sea "* ]]; then echo '# No other region is online: sea keeps getting calls.'; fi
if [ -n "$OTHERS" ] && [[ " $DRAINED " != *" sea "* ]]; then az network traffic-manager endpoint update -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n sea --type externalEndpoints --endpoint-status Disabled -o none; fi
if [ -n "$OTHERS" ] && [[ " $DRAINED " != *" sea "* ]]; then sleep 65; fi

# Deploy sea
until ANSWER=$(az deployment group list -g rg-tmscalls-prod-sea --query "[?name=='stamp' && properties.provisioningState=='Running'].name" -o tsv); [ -z "$ANSWER" ]; do sleep 10; done
env REGION=sea BIND_HOST_NAMES=true az deployment group create -g rg-tmscalls-prod-sea --parameters infra/params/prod.regional.bicepparam -n stamp -o none

# Let the bot's registration trust the identity of sea
PRINCIPAL_ID=$(az deployment group show -g rg-tmscalls-prod-sea -n stamp --query properties.outputs.identityPrincipalId.value -o tsv)
[ -n "$PRINCIPAL_ID" ]
SUBJECT=$(az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query "[?name=='tmscalls-prod-sea'].subject" -o tsv)
if [ -z "$SUBJECT" ]; then az ad app federated-credential create --id "$MICROSOFT_APP_ID" --parameters "{\"name\":\"tmscalls-prod-sea\",\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi
if [ -n "$SUBJECT" ] && [ "$SUBJECT" != "$PRINCIPAL_ID" ]; then az ad app federated-credential update --id "$MICROSOFT_APP_ID" --federated-credential-id tmscalls-prod-sea --parameters "{\"issuer\":\"https://login.microsoftonline.com/$TENANT_ID/v2.0\",\"subject\":\"$PRINCIPAL_ID\",\"audiences\":[\"api://AzureADTokenExchange\"]}" -o none; fi

# Publish to sea
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-sea -n stamp --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
for attempt in 1 2 3 4; do (cd build/app && func azure functionapp publish "$FUNCTION_APP" --python --no-build --subscription "$SUBSCRIPTION_ID") && break; [ "$attempt" = 4 ] || sleep 30; done

# Wait until sea is healthy
REGION_HOST=$(az deployment group show -g rg-tmscalls-prod-sea -n stamp --query properties.outputs.regionHost.value -o tsv)
[ -n "$REGION_HOST" ]
.venv/bin/python infra/wait_until_healthy.py --region sea --build "$BUILD" "https://$REGION_HOST/api/health"

# Let calls into sea
if [ -n "$DRAINED_BY_HAND" ]; then echo '# sea was drained by hand and stays so: infra/deploy.sh --undrain sea prod'; fi
if [ -z "$DRAINED_BY_HAND" ]; then az network traffic-manager endpoint update -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n sea --type externalEndpoints --endpoint-status Enabled -o none; fi
if [ -z "$DRAINED_BY_HAND" ]; then until ANSWER=$(az network traffic-manager endpoint show -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n sea --type externalEndpoints --query endpointMonitorStatus -o tsv); [ "$ANSWER" = Online ]; do sleep 10; done; fi

# Find out which regions get no calls
DRAINED=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query "join(' ', [].endpoints[] | [?endpointStatus=='Disabled'].name)" -o tsv)
if [ -n "$DRAINED" ]; then echo "# Regions that get no calls: $DRAINED. To let one in: infra/deploy.sh --undrain CODE prod"; fi

# Wait until the global host is healthy
.venv/bin/python infra/wait_until_healthy.py --build "$BUILD" https://global.calls.contoso.com/api/health

# Register the webhook of the bot
[ -n "$BOT_NAME" ] || exit 0
BOT=$(az resource list --resource-type Microsoft.BotService/botServices --query "[?name=='$BOT_NAME'].id" -o tsv)
BOT_GROUP=$(az resource list --resource-type Microsoft.BotService/botServices --query "[?name=='$BOT_NAME'].resourceGroup" -o tsv)
[ -n "$BOT" ]
FORMER=$(az rest --method get --url "$BOT/channels?api-version=2022-09-15" --query "value[?properties.channelName=='MsTeamsChannel'].properties.properties.callingWebhook" -o tsv)
UNHEALTHY=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query "join(' ', [].endpoints[] | [?endpointStatus=='Enabled' && endpointMonitorStatus!='Online'].name)" -o tsv)
[ -z "$UNHEALTHY" ] || [ "$FORMER" = https://global.calls.contoso.com/api/calls ]
if [ -n "$FORMER" ] && [ "$FORMER" != https://global.calls.contoso.com/api/calls ]; then echo "# It was $FORMER before. To put that back: az rest --method put --url '$BOT/channels/MsTeamsChannel?api-version=2022-09-15' --body '{\"location\":\"global\",\"properties\":{\"channelName\":\"MsTeamsChannel\",\"properties\":{\"acceptedTerms\":true,\"isEnabled\":true,\"enableCalling\":true,\"callingWebhook\":\"$FORMER\"}}}'"; fi
until ANSWER=$(az deployment group list -g rg-tmscalls-prod-global --query "[?name=='webhook' && properties.provisioningState=='Running'].name" -o tsv); [ -z "$ANSWER" ]; do sleep 10; done
if [ "$FORMER" != https://global.calls.contoso.com/api/calls ]; then env "BOT_NAME=$BOT_NAME" "BOT_RESOURCE_GROUP=$BOT_GROUP" "DRAINED_REGIONS=$DRAINED" "CUSTOM_DOMAIN_VERIFICATION_ID=$CUSTOM_DOMAIN_VERIFICATION_ID" az deployment group create -g rg-tmscalls-prod-global --parameters infra/params/prod.global.bicepparam -n webhook -o none; fi
REGISTERED=$(az rest --method get --url "$BOT/channels?api-version=2022-09-15" --query "value[?properties.channelName=='MsTeamsChannel'].properties.properties.callingWebhook" -o tsv)
[ "$REGISTERED" = https://global.calls.contoso.com/api/calls ]

# Done: weu eus2 sea of prod
# Calling webhook: https://global.calls.contoso.com/api/calls
