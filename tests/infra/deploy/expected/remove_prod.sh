#!/usr/bin/env bash
# What `infra/deploy.sh --remove neu prod` runs, in the checkout, if no region is new.
# shellcheck disable=SC2034 # only the program or you use some of the answers
set -euo pipefail
export MICROSOFT_APP_ID="${MICROSOFT_APP_ID:?}"
export LOG_ANALYTICS_WORKSPACE_ID="${LOG_ANALYTICS_WORKSPACE_ID:?}"
export BOT_NAME="${BOT_NAME:-}" BOT_RESOURCE_GROUP="${BOT_RESOURCE_GROUP:-}"
export ACTION_GROUP_ID="${ACTION_GROUP_ID:-}"

# Check that nobody needs neu any more
SUBSCRIPTION_ID=$(az account show --query id -o tsv)
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-weu -n stamp --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
KNOWS=$(az functionapp config appsettings list -g rg-tmscalls-prod-weu -n "$FUNCTION_APP" --query '[?name=='\''CALLING_REGION_HOSTS'\'' && contains(value, '\''"neu"'\'')].name' -o tsv)
[ -z "$KNOWS" ]
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-eus2 -n stamp --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
KNOWS=$(az functionapp config appsettings list -g rg-tmscalls-prod-eus2 -n "$FUNCTION_APP" --query '[?name=='\''CALLING_REGION_HOSTS'\'' && contains(value, '\''"neu"'\'')].name' -o tsv)
[ -z "$KNOWS" ]
FUNCTION_APP=$(az deployment group show -g rg-tmscalls-prod-sea -n stamp --query properties.outputs.functionAppName.value -o tsv)
[ -n "$FUNCTION_APP" ]
KNOWS=$(az functionapp config appsettings list -g rg-tmscalls-prod-sea -n "$FUNCTION_APP" --query '[?name=='\''CALLING_REGION_HOSTS'\'' && contains(value, '\''"neu"'\'')].name' -o tsv)
[ -z "$KNOWS" ]
PROFILE=$(az network traffic-manager profile list -g rg-tmscalls-prod-global --query '[].name' -o tsv)
ENDPOINT=$(az network traffic-manager endpoint list -g rg-tmscalls-prod-global --profile-name "$PROFILE" --query "[?name=='neu'].name" -o tsv)
[ -z "$ENDPOINT" ]
REMOVED_AT=$(az group show -n rg-tmscalls-prod-global --query tags.removed_neu -o tsv)
NOW=$(date +%s)
GROUP_EXISTS=$(az group exists -n rg-tmscalls-prod-neu)

# Delete the records of neu, a day before the app
RECORD=$(az network dns record-set cname list -g rg-tmscalls-prod-global -z calls.contoso.com --query "[?name=='neu'].name" -o tsv)
if [ -n "$RECORD" ]; then az network dns record-set cname delete -g rg-tmscalls-prod-global -z calls.contoso.com -n neu --yes -o none; fi
RECORD=$(az network dns record-set txt list -g rg-tmscalls-prod-global -z calls.contoso.com --query "[?name=='asuid.neu'].name" -o tsv)
if [ -n "$RECORD" ]; then az network dns record-set txt delete -g rg-tmscalls-prod-global -z calls.contoso.com -n asuid.neu --yes -o none; fi
if [ -z "$REMOVED_AT" ] && [ "$GROUP_EXISTS" = true ]; then az tag update --resource-id "/subscriptions/$SUBSCRIPTION_ID/resourceGroups/rg-tmscalls-prod-global" --operation Merge --tags "removed_neu=$NOW" -o none; fi
if [ -z "$REMOVED_AT" ] && [ "$GROUP_EXISTS" = true ]; then echo '# Wait a day for resolvers that cache names. Then run:'; fi
if [ -z "$REMOVED_AT" ] && [ "$GROUP_EXISTS" = true ]; then echo '# infra/deploy.sh --remove neu prod'; fi
[ -n "$REMOVED_AT" ] || exit 0
[ "$((NOW - REMOVED_AT))" -ge 86400 ]

# Delete neu
GROUP_EXISTS=$(az group exists -n rg-tmscalls-prod-neu)
if [ "$GROUP_EXISTS" = true ]; then az group delete -n rg-tmscalls-prod-neu --yes; fi
SUBJECT=$(az ad app federated-credential list --id "$MICROSOFT_APP_ID" --query "[?name=='tmscalls-prod-neu'].subject" -o tsv)
if [ -n "$SUBJECT" ]; then az ad app federated-credential delete --id "$MICROSOFT_APP_ID" --federated-credential-id tmscalls-prod-neu -o none; fi
az tag update --resource-id "/subscriptions/$SUBSCRIPTION_ID/resourceGroups/rg-tmscalls-prod-global" --operation Delete --tags "removed_neu=$REMOVED_AT" -o none
