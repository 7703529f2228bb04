#!/usr/bin/env bash
# Names and hosts of an environment, for commands that you type: run
# `source infra/names.sh prod` in bash, in the checkout. docs/deploy.md, azure-drills.md and
# remove-region.md use these names.
# shellcheck disable=SC2034 # used by the shell that sources this file

ENVIRONMENT=${1:?which environment?}

# field KIND NUMBER: print one field of each record of that kind.
field() {
  .venv/bin/python infra/check_environment.py --records "$ENVIRONMENT" |
    awk -v kind="$1" -v number="$2" '$1 == kind { print $number }'
}

WORKLOAD=$(field workload 2)
REGIONS=$(field region 2)
ZONE=$(field domain 2)
GLOBAL_HOST=${ZONE:+$(field domain 3).$ZONE}

# group CODE: print the resource group of a region; for the global part, CODE is global.
group() { echo "rg-$WORKLOAD-$ENVIRONMENT-$1"; }

# output CODE NAME: print an output of a region's deployment, such as functionAppName,
# defaultHostName, regionHost or identityPrincipalId.
output() {
  az deployment group show -g "$(group "$1")" -n stamp \
    --query "properties.outputs.$2.value" -o tsv
}

# profile: print the name of the Traffic Manager profile.
profile() {
  az network traffic-manager profile list -g "$(group global)" --query '[].name' -o tsv
}

# ask_log KQL: run a query in the workspace of LOG_ANALYTICS_WORKSPACE_ID.
ask_log() {
  az monitor log-analytics query -o table --analytics-query "$1" -w \
    "$(az monitor log-analytics workspace show --ids "$LOG_ANALYTICS_WORKSPACE_ID" \
      --query customerId -o tsv)"
}
