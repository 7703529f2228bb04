#!/usr/bin/env bash
# Print commands before they run, for deploy.sh and package.sh.
#
# If $mode is dry-run, they are only printed, and $NAME stands for an answer that is not
# known yet: the output is a script that does the same.
# shellcheck disable=SC2016 # names are printed as they are
# shellcheck disable=SC2154 # the script that sources this sets $mode

is_dry() { [[ $mode == dry-run ]]; }

# Print a word quoted for a shell. In a dry run, $NAME stands for a value of Azure.
quote() {
  if [[ $1 =~ ^[A-Za-z0-9_./:=@%+,-]+$ ]]; then
    printf '%s' "$1"
  elif is_dry && [[ $1 == *\$* ]]; then
    printf '"%s"' "${1//\"/\\\"}"
  elif [[ $1 == *\'* && $1 != *[\"\$\`\\]* ]]; then
    printf '"%s"' "$1"
  else
    printf "'%s'" "${1//\'/\'\\\'\'}"
  fi
}

words() {
  local word separator=
  for word in "$@"; do
    printf '%s' "$separator"
    quote "$word"
    separator=' '
  done
}

run() {
  words "$@"
  echo
  is_dry || "$@"
}

# run_if CONDITION COMMAND…: CONDITION is our own code, about a name that `ask` set.
run_if() {
  local condition=$1
  shift
  if is_dry; then
    printf 'if %s; then %s; fi\n' "$condition" "$(words "$@")"
  elif eval "$condition"; then
    run "$@"
  fi
}

# check CONDITION: fail if CONDITION, about a name that `ask` has set, does not hold.
check() {
  echo "$1"
  is_dry || eval "$1"
}

# ask NAME COMMAND…: store the output of the command in $NAME.
ask() {
  local name=$1 answer
  shift
  printf '%s=$(%s)\n' "$name" "$(words "$@")"
  if is_dry; then
    printf -v "$name" '$%s' "$name"
  else
    answer=$("$@") || return
    printf -v "$name" '%s' "$answer"
  fi
}
