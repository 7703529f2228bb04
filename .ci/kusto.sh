#!/usr/bin/env bash
# Fetch Microsoft's parser of Kusto queries, an npm package without dependencies, into
# .ci/kusto, where the tests of infra/queries look for it. Needs npm and a network.
set -euo pipefail
cd "$(dirname "$0")"

package=@kusto/language-service-next
version=12.4.1

if [[ -e kusto/node_modules/$package/bridge.min.js ]]; then
  exit 0
fi
npm install --silent --no-audit --no-fund --ignore-scripts --no-save \
  --prefix kusto "$package@$version"
