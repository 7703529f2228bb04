#!/usr/bin/env bash
# Run all tests with the interpreter $1, fast ones first, and hold the coverage.
#
# Whatever is not named as fast is slow, so a new folder is run without being named.
set -euo pipefail

python=$1
export COVERAGE_FILE=.coverage

fast=(tests/unit tests/property tests/security tests/architecture)

"$python" -m coverage erase
"$python" -m pytest -n 2 --cov --cov-report= "${fast[@]}"
"$python" -m pytest -n 2 --cov --cov-append --cov-report=term tests \
  "${fast[@]/#/--ignore=}"
