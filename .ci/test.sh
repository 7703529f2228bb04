#!/usr/bin/env bash
# Run all tests with the interpreter $1, fast ones first, and hold the coverage.
set -euo pipefail

python=$1
export COVERAGE_FILE=.coverage

fast=()
for folder in unit property security architecture; do
  [[ -d tests/$folder ]] && fast+=("tests/$folder")
done
slow=()
for folder in worker scenario infra load drill page; do
  [[ -d tests/$folder ]] && slow+=("tests/$folder")
done

"$python" -m coverage erase
"$python" -m pytest -n 2 --cov --cov-report= "${fast[@]}"
"$python" -m pytest -n 2 --cov --cov-append --cov-report=term "${slow[@]}"
