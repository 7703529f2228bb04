#!/usr/bin/env bash
# Build the packages that are published with the app: exactly those in
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
# Every locked package has a wheel for glibc 2.17 and later. If a new version has none,
# this fails; then add a --platform that the Linux of Functions supports.
run "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-compile \
  --target "$TARGET" --implementation cp --python-version 3.13 --only-binary :all: \
  --platform manylinux_2_17_x86_64 --require-hashes -r requirements.lock
# A zip keeps no exact times, so at every cold start Python would recompile bytecode that
# it checks by time. It does not check this bytecode.
run "$PYTHON" -m compileall -q --invalidation-mode unchecked-hash "$TARGET"
