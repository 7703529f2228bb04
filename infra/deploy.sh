#!/usr/bin/env bash
# Deploy one environment, infra/params/<environment>.json, for the first time or again.
#
#   infra/deploy.sh [--dry-run | --what-if] [--region CODE] ENVIRONMENT
#
#   --dry-run       print every command, in order, and run none; needs no Azure
#   --what-if       ask Azure what the templates would change, and change nothing
#   --region CODE   deploy only this region and the global part, which all share
#
# Environment variables: MICROSOFT_APP_ID and LOG_ANALYTICS_WORKSPACE_ID, which the
# templates need; BOT_NAME and ACTION_GROUP_ID, which may be empty; DNS_WAIT_SECONDS.
#
# Every step prints the commands that it runs. A failure ends the script; run the same
# command again to carry on, because each step leaves alone what is already there.
#
# Settings and code are rolled out together, one region at a time, so that the gate
# stops bad settings as it stops bad code. Names that Azure computes come from the
# outputs of the deployments, never from here. docs/deploy.md describes the whole procedure.
#
# shellcheck disable=SC2016 # what is printed is not expanded here
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=infra/printed.sh
source infra/printed.sh
# shellcheck source=infra/steps.sh
source infra/steps.sh

readonly DNS_WAIT_SECONDS=${DNS_WAIT_SECONDS:-1800}
# `make setup` creates it. Its Python is that of the app, so it can compile bytecode.
readonly PYTHON=.venv/bin/python

mode=deploy
environment=
only_region=
step=start

die() {
  echo "deploy: $*" >&2
  exit 1
}

say_where_it_stopped() {
  local status=$?
  if ((status)); then
    echo "deploy: stopped at «$step». What was done stays; run the same command to carry on." >&2
  fi
}

usage() {
  sed -n '2,/^# command again/{s/^# \{0,1\}//;p;}' infra/deploy.sh
}

parse_arguments() {
  while (($#)); do
    case $1 in
      --dry-run | --what-if)
        [[ $mode == deploy ]] || die "use either --dry-run or --what-if."
        mode=${1#--}
        ;;
      --region)
        [[ -n ${2:-} ]] || die "--region needs the code of a region."
        only_region=$2
        shift
        ;;
      -h | --help)
        usage
        exit 0
        ;;
      -*) die "there is no option $1; see --help." ;;
      *)
        [[ -z $environment ]] || die "name only one environment."
        environment=$1
        ;;
    esac
    shift
  done
  [[ -n $environment ]] || die "which environment? See --help."
}

# --- the description of the environment ----------------------------------------------

codes=() locations=()
workload='' zone='' global_label='' key_vault='' first_location='' login_url='' audience=''

read_environment() {
  local records kind one two three
  local check=("$PYTHON" infra/check_environment.py --records "$environment")
  begin "Check the description of the environment"
  [[ -x $PYTHON ]] || die "$PYTHON is missing; run \`make setup\` first."
  words "${check[@]}"
  echo
  records=$("${check[@]}") || die "nothing was done."
  while read -r kind one two three; do
    case $kind in
      workload) workload=$one ;;
      federation) login_url=$one audience=$two ;;
      domain) zone=$one global_label=$two key_vault=$three ;;
      region) codes+=("$one") locations+=("$two") ;;
    esac
  done <<<"$records"
  first_location=${locations[0]}
  if [[ -n $only_region ]]; then
    keep_region "$only_region"
  fi
}

keep_region() {
  local index
  for index in "${!codes[@]}"; do
    if [[ ${codes[index]} == "$1" ]]; then
      codes=("$1") locations=("${locations[index]}")
      return
    fi
  done
  die "$environment has no region $1; it has: ${codes[*]}."
}

group() { echo "rg-$workload-$environment-$1"; }

has_domain() { [[ -n $zone ]]; }

check_tools() {
  local tool tools=(az)
  [[ $mode == what-if ]] || tools+=(func)
  [[ $mode == what-if ]] || ! has_domain || tools+=(dig)
  for tool in "${tools[@]}"; do
    command -v "$tool" >/dev/null || die "$tool is missing; see docs/deploy.md."
  done
}

check_variables() {
  local name
  for name in MICROSOFT_APP_ID LOG_ANALYTICS_WORKSPACE_ID; do
    [[ -n ${!name:-} ]] || die "the environment variable $name is missing."
  done
  [[ $MICROSOFT_APP_ID =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] ||
    die "MICROSOFT_APP_ID must be a GUID."
  [[ $LOG_ANALYTICS_WORKSPACE_ID == /subscriptions/*/workspaces/* ]] ||
    die "LOG_ANALYTICS_WORKSPACE_ID must be the resource ID of a workspace."
  [[ $DNS_WAIT_SECONDS =~ ^[0-9]+$ ]] || die "DNS_WAIT_SECONDS must be a number."
  # The parameter files read these, too.
  export BOT_NAME=${BOT_NAME:-} ACTION_GROUP_ID=${ACTION_GROUP_ID:-}
}

# What a dry run prints is a script that works once the same variables are set.
print_preamble() {
  echo '#!/usr/bin/env bash'
  echo "# What \`infra/deploy.sh $environment\` runs, in the checkout, if no region is new."
  echo '# shellcheck disable=SC2034 # only deploy.sh or you use some of the answers'
  echo 'set -euo pipefail'
  echo 'export MICROSOFT_APP_ID="${MICROSOFT_APP_ID:?}"'
  echo 'export LOG_ANALYTICS_WORKSPACE_ID="${LOG_ANALYTICS_WORKSPACE_ID:?}"'
  echo 'export BOT_NAME="${BOT_NAME:-}" ACTION_GROUP_ID="${ACTION_GROUP_ID:-}"'
  MICROSOFT_APP_ID='$MICROSOFT_APP_ID'
  LOG_ANALYTICS_WORKSPACE_ID='$LOG_ANALYTICS_WORKSPACE_ID'
  BOT_NAME='$BOT_NAME'
}

main() {
  parse_arguments "$@"
  if is_dry; then
    print_preamble
  fi
  is_dry || check_variables
  read_environment
  is_dry || check_tools
  trap say_where_it_stopped EXIT
  if [[ $mode == what-if ]]; then
    ask_what_if
    return
  fi
  check_azure
  make_groups
  put_new_regions_first
  if has_domain; then
    deploy_first_stamps
    deploy_global
    wait_for_dns
  fi
  build_package
  roll_out
  finish
}

main "$@"
