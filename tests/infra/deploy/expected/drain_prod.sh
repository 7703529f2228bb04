#!/usr/bin/env bash
# What `infra/deploy.sh --drain sea prod` runs, in the checkout, if no region is new.
# shellcheck disable=SC2034 # only the program or you use some of the answers
set -euo pipefail
export MICROSOFT_APP_ID="${MICROSOFT_APP_ID:?}"
export LOG_ANALYTICS_WORKSPACE_ID="${LOG_ANALYTICS_WORKSPACE_ID:?}"
export BOT_NAME="${BOT_NAME:-}" BOT_RESOURCE_GROUP="${BOT_RESOURCE_GROUP:-}"
export ACTION_GROUP_ID="${ACTION_GROUP_ID:-}"

# Drain sea
SUBSCRIPTION_ID=$(az account show --query id -o tsv)
PROFILE=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query '[].name' -o tsv)
[ -n "$PROFILE" ]
OTHERS=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query "join(' ', [].endpoints[] | [?endpointStatus=='Enabled' && endpointMonitorStatus=='Online' && name!='sea'].name)" -o tsv)
[ -n "$OTHERS" ]
az tag update --resource-id "/subscriptions/$SUBSCRIPTION_ID/resourceGroups/rg-tmscalls-prod-global" --operation Merge --tags drained_sea=by-hand -o none
az network traffic-manager endpoint update -g rg-tmscalls-prod-global --profile-name "$PROFILE" -n sea --type externalEndpoints --endpoint-status Disabled -o none
sleep 65
# sea gets no new calls through the global host. Redirects of other
# regions and follow-ups of running calls still arrive.
