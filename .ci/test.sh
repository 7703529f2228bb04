#!/usr/bin/env bash
# Run all tests with the interpreter $1, fast ones first, and check the coverage.
#
# Whatever is not named as fast is slow, so a new folder is run without being named.
# Coverage is measured on the fast ones only: being traced would slow the others down.
# There are more workers than cores, because many tests wait. tests/conftest.py puts tests
# that share what takes long to start into one worker, and what takes longest first.
set -euo pipefail

python=$1
export COVERAGE_FILE=.coverage
# All workers, and the processes that tests start, share what is compiled once.
unset PYTHONDONTWRITEBYTECODE

fast=(tests/unit tests/property tests/security tests/architecture)

"$python" -m coverage erase
"$python" -m pytest -n 6 --cov --cov-report=term "${fast[@]}"
"$python" -m pytest -n 5 tests "${fast[@]/#/--ignore=}"
