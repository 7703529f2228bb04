#!/usr/bin/env bash
# The steps of a deployment, in the order of deploy.sh, which sources this.
#
# Each step says what it does, prints its commands and runs them (printed.sh). Where an
# answer of Azure decides, it prints the condition, too.
# shellcheck disable=SC2016 # conditions are evaluated later, names printed as they are
# shellcheck disable=SC2154 # deploy.sh sets what the environment is; `ask` sets answers

readonly DNS_POLL_SECONDS=10

begin() {
  step=$1
  printf '\n# %s\n' "$step"
}

# Check first: a template that fails late costs minutes.
check_azure() {
  local location
  begin "Check what must exist in Azure already"
  ask TENANT_ID az account show --query tenantId -o tsv ||
    die "az has no subscription; log in with \`az login\`."
  run az resource show --ids "$LOG_ANALYTICS_WORKSPACE_ID" --query id -o tsv ||
    die "LOG_ANALYTICS_WORKSPACE_ID names no workspace that you may read."
  if has_domain; then
    run az resource show --ids "$key_vault" --query id -o tsv ||
      die "domain.keyVaultId names no Key Vault that you may read."
    ask BOT az resource list --resource-type Microsoft.BotService/botServices \
      --query "[?name=='$BOT_NAME'].id" -o tsv
    check '[ -z "$BOT_NAME" ] || [ -n "$BOT" ]' ||
      die "there is no bot $BOT_NAME in this subscription; see docs/deploy.md."
  fi
  ask OFFERED az functionapp list-flexconsumption-locations --query '[].name' -o tsv
  for location in "${locations[@]}"; do
    check 'grep -qx '"$location"' <<<"$OFFERED"' ||
      die "$location does not offer Flex Consumption."
  done
}

make_groups() {
  local index
  begin "Make the resource groups that are missing"
  if has_domain; then
    make_group global "$first_location"
  fi
  for index in "${!codes[@]}"; do
    make_group "${codes[index]}" "${locations[index]}"
  done
}

make_group() {
  ask GROUP_EXISTS az group exists -n "$(group "$1")"
  run_if '[ "$GROUP_EXISTS" = false ]' az group create -n "$(group "$1")" -l "$2" -o none
}

# A new region, never deployed completely, comes before those that take calls: with
# their new settings they may redirect calls to it.
put_new_regions_first() {
  local code new=() old=()
  begin "Find out which regions are new: they go first"
  for code in "${codes[@]}"; do
    ask "DEPLOYED_$code" az deployment group list -g "$(group "$code")" \
      --query "[?properties.provisioningState=='Succeeded'].name" -o tsv
    if is_dry || is_deployed "$code" stamp; then
      old+=("$code")
    else
      new+=("$code")
    fi
  done
  codes=(${new[@]+"${new[@]}"} ${old[@]+"${old[@]}"})
}

is_deployed() {
  local names="DEPLOYED_$1"
  grep -qx "$2" <<<"${!names}"
}

# set_stamp VERB CODE BIND_HOST_NAMES …: set $stamp to the command for the template.
set_stamp() {
  stamp=(env "REGION=$2" "BIND_HOST_NAMES=$3" az deployment group "$1" -g "$(group "$2")"
    --parameters "infra/params/$environment.regional.bicepparam" "${@:4}")
}

# A host name can be bound only once its record exists, and the record needs an output
# of this first deployment.
deploy_first_stamps() {
  local code
  begin "Deploy new regions, without host names"
  for code in "${codes[@]}"; do
    set_stamp create "$code" false -n first -o none
    run_if '! grep -qx first <<<"$DEPLOYED_'"$code"'"' "${stamp[@]}"
  done
}

deploy_global() {
  begin "Deploy the global part: Traffic Manager, DNS records, the bot's webhook"
  ask_output CUSTOM_DOMAIN_VERIFICATION_ID "${codes[0]}" first customDomainVerificationId
  run env "CUSTOM_DOMAIN_VERIFICATION_ID=$CUSTOM_DOMAIN_VERIFICATION_ID" \
    az deployment group create -g "$(group global)" \
    --parameters "infra/params/$environment.global.bicepparam" -n global -o none
}

# ask_output NAME CODE DEPLOYMENT OUTPUT: store an output of a region's deployment.
ask_output() {
  ask "$1" az deployment group show -g "$(group "$2")" -n "$3" \
    --query "properties.outputs.$4.value" -o tsv
  [[ -n ${!1} ]] || die "the deployment $3 in $(group "$2") has no output $4."
}

wait_for_dns() {
  local label
  begin "Wait until the DNS records are visible"
  # The parent zone must delegate to these; empty if somebody else manages the zone.
  run az network dns zone list -g "$(group global)" \
    --query "[?name=='$zone'].nameServers[]" -o tsv
  for label in "$global_label" "${codes[@]}"; do
    wait_for_record "asuid.$label.$zone"
  done
}

wait_for_record() {
  local deadline=$((SECONDS + DNS_WAIT_SECONDS))
  echo "until [[ \$(dig +short TXT $1) == *\"$CUSTOM_DOMAIN_VERIFICATION_ID\"* ]]; do" \
    "sleep $DNS_POLL_SECONDS; done"
  is_dry && return
  until [[ $(dig +short TXT "$1") == *"$CUSTOM_DOMAIN_VERIFICATION_ID"* ]]; do
    ((SECONDS < deadline)) ||
      die "$1 is not visible after $DNS_WAIT_SECONDS s. Is $zone delegated to the" \
        "name servers above? See docs/deploy.md."
    sleep "$DNS_POLL_SECONDS"
  done
}

# Build once, so that all regions get the same bits: Core Tools upload this folder as is.
build_package() {
  begin "Build the package"
  if is_dry; then
    bash infra/package.sh --dry-run
  else
    bash infra/package.sh
  fi
}

# Trust comes before code, so that no region takes calls that it cannot answer.
roll_out() {
  local index code later
  for index in "${!codes[@]}"; do
    code=${codes[index]} later=${codes[*]:index+1}
    begin "Deploy $code"
    set_stamp create "$code" true -n stamp -o none
    run "${stamp[@]}"
    if [[ -n $audience ]]; then
      begin "Let the bot's registration trust the identity of $code"
      trust_identity "$code" "$workload-$environment-$code"
    fi
    begin "Publish to $code"
    ask_output FUNCTION_APP "$code" stamp functionAppName
    run func azure functionapp publish "$FUNCTION_APP" --python --no-build
    begin "Wait until $code is healthy"
    ask_output REGION_HOST "$code" stamp regionHost
    run "$PYTHON" infra/wait_until_healthy.py --region "$code" \
      "https://$REGION_HOST/api/health" ||
      die "the roll-out stops at $code; not touched: ${later:-none}." \
        "What to check: docs/deploy.md, «A region that is not healthy»."
  done
}

trust_identity() {
  local trust
  ask_output PRINCIPAL_ID "$1" stamp identityPrincipalId
  ask SUBJECT az ad app federated-credential list --id "$MICROSOFT_APP_ID" \
    --query "[?name=='$2'].subject" -o tsv
  trust=$(printf '"issuer":"%s","subject":"%s","audiences":["%s"]' \
    "$login_url/$TENANT_ID/v2.0" "$PRINCIPAL_ID" "$audience")
  run_if '[ -z "$SUBJECT" ]' az ad app federated-credential create \
    --id "$MICROSOFT_APP_ID" --parameters "{\"name\":\"$2\",$trust}" -o none
  # A region that was created again has a new identity.
  run_if '[ -n "$SUBJECT" ] && [ "$SUBJECT" != "$PRINCIPAL_ID" ]' \
    az ad app federated-credential update --id "$MICROSOFT_APP_ID" \
    --federated-credential-id "$2" --parameters "{$trust}" -o none
}

ask_what_if() {
  local code
  for code in "${codes[@]}"; do
    begin "Ask what would change in $code"
    ask GROUP_EXISTS az group exists -n "$(group "$code")"
    set_stamp what-if "$code" true
    run_if '[ "$GROUP_EXISTS" = true ]' "${stamp[@]}"
    [[ $GROUP_EXISTS == true ]] || echo "# $(group "$code") does not exist yet: everything in it will be new."
  done
  if has_domain; then
    ask_what_if_global
  fi
}

ask_what_if_global() {
  local last=$((${#codes[@]} - 1))
  begin "Ask what would change in the global part"
  # If the last region's group is missing, so is the domain verification ID.
  [[ $GROUP_EXISTS == false ]] || ask CUSTOM_DOMAIN_VERIFICATION_ID \
    az deployment group list -g "$(group "${codes[last]}")" -o tsv \
    --query "[?name=='first'].properties.outputs.customDomainVerificationId.value"
  ask GROUP_EXISTS az group exists -n "$(group global)"
  if [[ $GROUP_EXISTS != true || -z ${CUSTOM_DOMAIN_VERIFICATION_ID:-} ]]; then
    echo "# Azure can tell once $(group global) and a region exist."
    return
  fi
  run env "CUSTOM_DOMAIN_VERIFICATION_ID=$CUSTOM_DOMAIN_VERIFICATION_ID" \
    az deployment group what-if -g "$(group global)" \
    --parameters "infra/params/$environment.global.bicepparam"
}

finish() {
  begin "Done: ${codes[*]} of $environment"
  if has_domain; then
    echo "# Calling webhook: https://$global_label.$zone/api/calls"
  else
    echo "# Calling webhook: https://$REGION_HOST/api/calls"
  fi
  [[ -z $only_region ]] ||
    echo "# To tell the other regions of changes: infra/deploy.sh $environment"
}
