#!/usr/bin/env bash
# Audit the workflows and the locked packages with the tools of the environment $1.
#
# The second needs the network: advisories are asked of the package index's advisory
# service. Ends with 1 if something is found, with 2 if it could not be asked.
set -euo pipefail

bin=$1/bin

"$bin/zizmor" --offline --quiet .github
if report=$("$bin/pip-audit" --strict --require-hashes --disable-pip --progress-spinner off \
  --requirement requirements.lock 2>&1); then
  echo "audit: no known vulnerability."
  exit 0
fi
if [[ $report == *"known vulnerabilit"* ]]; then
  echo "$report" >&2
  exit 1
fi
echo "${report##*$'\n'}" >&2
echo "audit: the advisory service could not be asked, so nothing is known about" \
  "these versions; audit again where there is a network." >&2
exit 2
