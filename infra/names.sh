#!/usr/bin/env bash
# Names and hosts of an environment, for commands by hand: `source infra/names.sh prod`
# in the checkout, in bash. docs/deploy.md, drills.md and remove-region.md use them.
# shellcheck disable=SC2034 # whoever sources this reads them

ENVIRONMENT=${1:?which environment?}

# field KIND NUMBER: a field of each record of that kind.
field() {
  .venv/bin/python infra/check_environment.py --records "$ENVIRONMENT" |
    awk -v kind="$1" -v number="$2" '$1 == kind { print $number }'
}

WORKLOAD=$(field workload 2)
REGIONS=$(field region 2)
ZONE=$(field domain 2)
GLOBAL_HOST=${ZONE:+$(field domain 3).$ZONE}

# group CODE: the resource group of a region, or of the global part, whose code is global.
group() { echo "rg-$WORKLOAD-$ENVIRONMENT-$1"; }

# output CODE NAME: what a region's deployment put out, such as functionAppName,
# defaultHostName, regionHost or identityPrincipalId.
output() {
  az deployment group show -g "$(group "$1")" -n stamp \
    --query "properties.outputs.$2.value" -o tsv
}

# profile: the name of the Traffic Manager profile.
profile() {
  az network traffic-manager profile list -g "$(group global)" --query '[].name' -o tsv
}

# ask_log KQL: ask the workspace of LOG_ANALYTICS_WORKSPACE_ID.
ask_log() {
  az monitor log-analytics query -o table --analytics-query "$1" -w \
    "$(az monitor log-analytics workspace show --ids "$LOG_ANALYTICS_WORKSPACE_ID" \
      --query customerId -o tsv)"
}
