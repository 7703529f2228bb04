"""What the templates make, judged by checkov: nothing found but what is accepted.

It cannot read the templates themselves (in ARM JSON their resources have symbolic
names, which it passes over without a word), so it gets the resources of the snapshots.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from infra.bicep import CHECKOUT
from tests.infra.golden import DEPLOYMENTS
from tests.infra.templates import SITE
from tests.support.processes import run

CHECKOV = CHECKOUT / ".venv-tools" / "bin" / "checkov"
CONFIGURATION = CHECKOUT / "infra" / ".checkov.yaml"
SCHEMA = (
    "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
)
# Found where the minimum of TLS is lower.
OUTDATED_TLS = {"CKV_AZURE_15", "CKV_AZURE_145"}


def write_template(resources: list[dict[str, Any]], file: Path) -> None:
    template = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}
    file.write_text(json.dumps(template), "utf-8")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What checkov finds with no check skipped, also in a broken template."""
    if not CHECKOV.exists():
        pytest.skip("checkov is not there; `make test` sets it up")
    folder = tmp_path_factory.mktemp("arm")
    for deployment in DEPLOYMENTS:
        resources = deployment.read()["predictedResources"]
        write_template(resources, folder / deployment.golden.name)
    broken = DEPLOYMENTS[0].read()["predictedResources"]
    for resource in broken:
        if resource["type"] == SITE:
            resource["properties"]["siteConfig"]["minTlsVersion"] = "1.0"
    write_template(broken, folder / "broken.json")
    options = ("--framework", "arm", "--skip-download", "-o", "json")
    env = {**os.environ, "LOG_LEVEL": "ERROR"}
    finished = run(CHECKOV, "-d", folder, *options, cwd=folder, env=env)
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def findings(report: dict[str, Any], *, broken: bool) -> set[str]:
    """Return the checks that failed in the broken template, or in the others."""
    return {
        failed["check_id"]
        for failed in report["results"]["failed_checks"]
        if failed["file_path"].endswith("broken.json") == broken
    }


def skips() -> dict[str, str]:
    """Return the checks that the configuration skips, each with its reason."""
    lines = CONFIGURATION.read_text("utf-8").splitlines()
    found = [re.fullmatch(r"  - (\w+) # (.+)", line) for line in lines]
    return {match[1]: match[2] for match in found if match}


def test_exactly_what_is_accepted_is_found(report: dict[str, Any]) -> None:
    """No finding is without a reason, and no reason without a finding."""
    assert findings(report, broken=False) == set(skips())
    listed = re.findall(r"CKV\w+", CONFIGURATION.read_text("utf-8"))
    assert sorted(listed) == sorted(skips())


def test_it_looks_at_everything_and_would_find_more(report: dict[str, Any]) -> None:
    """Checkov silently passes over a file that it cannot read."""
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] >= 80
    found, usual = findings(report, broken=True), findings(report, broken=False)
    assert found - usual == OUTDATED_TLS
