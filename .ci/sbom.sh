#!/usr/bin/env bash
# Write the software bill of materials of what runs in Azure to $2 (CycloneDX, JSON):
# the packages of requirements.lock with versions and hashes. Uses the tools of the
# environment $1; needs no network.
set -euo pipefail

subject=$(mktemp)
trap 'rm -f "$subject"' EXIT
printf '[project]\nname = "teams-calling-front-door"\ndynamic = ["version"]\n' >"$subject"

# The warning that is left out: which of the packages need which is not in the lock.
PYTHONWARNINGS=ignore "$1/bin/cyclonedx-py" requirements requirements.lock \
  --pyproject "$subject" --schema-version 1.6 --output-format JSON \
  --output-reproducible --outfile "$2"
