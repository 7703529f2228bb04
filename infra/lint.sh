#!/usr/bin/env bash
# Check the templates and the descriptions of the environments: lint.py says how.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

exec .venv/bin/python infra/lint.py
