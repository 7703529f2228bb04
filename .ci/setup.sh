#!/usr/bin/env bash
# Make the virtual environment $1 with exactly the packages of the lock file $2.
#
# Finds Python 3.13 by itself: uv if it is there, else python3.13, else a python3 that
# is 3.13. Two of these at once wait for each other.
set -euo pipefail

venv=$1
lock=$2

is_python_313() {
  "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null
}

make_venv() {
  if command -v uv >/dev/null 2>&1 &&
    uv venv --quiet --clear --seed --python 3.13 "$venv" 2>/dev/null; then
    return
  fi
  local candidate
  for candidate in python3.13 python3 python; do
    if is_python_313 "$candidate"; then
      "$candidate" -m venv --clear "$venv"
      return
    fi
  done
  echo "setup: Python 3.13 is needed: install uv, or a python3.13 with venv, and try again." >&2
  exit 1
}

exec 9>"$(dirname "$venv")/.setup.lock"
flock 9 2>/dev/null || true
# Somebody else may have finished while we waited.
if [[ -e $venv/.ready && $venv/.ready -nt $lock ]]; then
  exit 0
fi
rm -f "$venv/.ready"
echo "Setting up $venv …"
make_venv
"$venv/bin/python" -m pip install -qq --disable-pip-version-check \
  --require-hashes -r "$lock"
touch "$venv/.ready"
