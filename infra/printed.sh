#!/usr/bin/env bash
# Commands that are printed before they run, for deploy.sh and package.sh.
#
# Where $mode is dry-run, they are printed only, and $NAME stands for an answer that
# nobody gave yet: what is printed is a script that does the same.
# shellcheck disable=SC2016 # names are printed as they are
# shellcheck disable=SC2154 # whoever sources this sets $mode

is_dry() { [[ $mode == dry-run ]]; }

# Print a word as a shell reads it. In a dry run, $NAME stands for what Azure knows.
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

# run_if CONDITION COMMAND…: the condition is one of our own, about a name that was asked.
run_if() {
  local condition=$1
  shift
  if is_dry; then
    printf 'if %s; then %s; fi\n' "$condition" "$(words "$@")"
  elif eval "$condition"; then
    run "$@"
  fi
}

# check CONDITION: a condition that must hold, about a name that was asked.
check() {
  echo "$1"
  is_dry || eval "$1"
}

# ask NAME COMMAND…: keep what the command prints as $NAME.
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
