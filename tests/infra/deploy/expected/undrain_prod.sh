#!/usr/bin/env bash
# What `infra/deploy.sh --undrain sea prod` runs, in the checkout, if no region is new.
# shellcheck disable=SC2034 # only the program or you use some of the answers
set -euo pipefail
export MICROSOFT_APP_ID="${MICROSOFT_APP_ID:?}"
export LOG_ANALYTICS_WORKSPACE_ID="${LOG_ANALYTICS_WORKSPACE_ID:?}"
export BOT_NAME="${BOT_NAME:-}" BOT_RESOURCE_GROUP="${BOT_RESOURCE_GROUP:-}"
export ACTION_GROUP_ID="${ACTION_GROUP_ID:-}"

# Let calls into sea
SUBSCRIPTION_ID=$(az account show --query id -o tsv)
PROFILE=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query '[].name' -o tsv)
[ -n "$PROFILE" ]
DRAINED_BY_HAND=$(az group show -n rg-tmscalls-prod-global --query tags.drained_sea -o tsv)
az network traffic-manager endpoint update -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n sea --type externalEndpoints --endpoint-status Enabled -o none
if [ "$DRAINED_BY_HAND" = by-hand ]; then az tag update --resource-id "/subscriptions/$SUBSCRIPTION_ID/resourceGroups/rg-tmscalls-prod-global" --operation Delete --tags drained_sea=by-hand -o none; fi
until ANSWER=$(az network traffic-manager endpoint show -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n sea --type externalEndpoints --query endpointMonitorStatus -o tsv); [ "$ANSWER" = Online ]; do sleep 10; done
