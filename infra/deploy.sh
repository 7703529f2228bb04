#!/usr/bin/env bash
# Deploy an environment: infra/deploy.sh --help. infra/deploy/ has the program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# `make setup` creates it. Its Python is that of the app, so it can compile bytecode.
readonly python=.venv/bin/python
[[ -x $python ]] || {
  echo "deploy: $python is missing; run \`make setup\` first." >&2
  exit 1
}
exec "$python" -m infra.deploy "$@"
