#!/usr/bin/env bash
# Build the packages that are published with the app: exactly those of
# requirements.lock, as wheels for the Linux on which Functions runs Python 3.13.
#
#   infra/package.sh [--dry-run]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=infra/printed.sh
source infra/printed.sh

readonly PYTHON=.venv/bin/python
readonly TARGET=.python_packages/lib/site-packages
# shellcheck disable=SC2034 # read by printed.sh
mode=${1:-deploy}
mode=${mode#--}

[[ -x $PYTHON ]] || {
  echo "package: run \`make setup\` first: $PYTHON is missing." >&2
  exit 1
}
run rm -rf .python_packages
# Every locked package has a wheel for glibc 2.17 and later. Where a new version has
# none, this fails, and needs one more --platform that the Linux of Functions takes.
run "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-compile \
  --target "$TARGET" --implementation cp --python-version 3.13 --only-binary :all: \
  --platform manylinux_2_17_x86_64 --require-hashes -r requirements.lock
# A zip keeps no exact times, so bytecode that is compared with them would be compiled
# anew at every cold start; this one is taken as it is.
run "$PYTHON" -m compileall -q --invalidation-mode unchecked-hash "$TARGET"
