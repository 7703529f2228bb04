#!/usr/bin/env bash
# Finish the container: what no feature brings, and the virtual environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sudo apt-get update -qq
sudo apt-get install -qq -y --no-install-recommends bind9-dnsutils make util-linux
npm install --global --no-audit --no-fund 'azure-functions-core-tools@^4.13'
pipx install 'uv<1'
az bicep install
az extension add --name log-analytics
make setup
