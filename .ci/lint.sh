#!/usr/bin/env bash
# Check format, style, types, import contracts and the infrastructure with the tools of
# the virtual environment $1.
set -euo pipefail

bin=$1/bin

"$bin/ruff" format --check --quiet .
"$bin/ruff" check --quiet .
"$bin/mypy" --no-error-summary function_app.py shared tests infra
PYTHONPATH=. "$bin/lint-imports" --no-cache >/dev/null || {
  PYTHONPATH=. "$bin/lint-imports" --no-cache
  exit 1
}
"$bin/shellcheck" -x .ci/run .ci/*.sh infra/*.sh
infra/lint.sh
echo "lint: all good."
