#!/usr/bin/env bash
# Build the package of an environment in build/app: infra/deploy/package.py says how.
#
#   infra/package.sh [--force] ENVIRONMENT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ -x .venv/bin/python ]] || {
  echo "package: run \`make setup\` first: .venv/bin/python is missing." >&2
  exit 1
}
exec .venv/bin/python -m infra.deploy.package "$@"
