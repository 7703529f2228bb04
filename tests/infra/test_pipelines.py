"""The ways to deploy by a machine: GitHub, Azure DevOps, azd."""

import json
import re
import sys
import textwrap
from pathlib import Path

import pytest

from infra.environment import PARAMS, Environment
from tests.support.checkout import CHECKOUT, read_text
from tests.support.processes import run

GITHUB = ".github/workflows/deploy.yml"
DEVOPS = "azure-pipelines.yml"
AZD = "azure.yaml"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
# What infra/deploy.sh reads beside the description.
VARIABLES = {
    *("MICROSOFT_APP_ID", "LOG_ANALYTICS_WORKSPACE_ID", "BOT_NAME"),
    *("BOT_RESOURCE_GROUP", "ACTION_GROUP_ID"),
}


def _jobs() -> dict[str, str]:
    """Return the text of each job of the workflow."""
    _, _, text = read_text(GITHUB).partition("\njobs:\n")
    parts = re.split(r"^  ([\w-]+):\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _scripts(name: str) -> list[str]:
    """Return the shell scripts of a pipeline."""
    key = r"^( *)(?:- )?(?:run|bash): \|\n((?:\1 {2,}.*\n|\n)+)"
    found = re.findall(key, read_text(name), re.MULTILINE)
    return [textwrap.dedent(script) for _indentation, script in found]


def test_the_workflow_gives_the_script_what_it_reads() -> None:
    for job in ("what-if", "region"):
        given = set(re.findall(r"^          ([A-Z_]+): ", _jobs()[job], re.MULTILINE))
        assert given - {"ENVIRONMENT", "REGION_CODE"} == VARIABLES
    files = [*PARAMS.glob("prod.*.bicepparam")]
    read = {
        name
        for file in files
        for name in re.findall(r"readEnvironmentVariable\('(\w+)'", file.read_text())
    }
    # The script itself sets these.
    own = {"REGION", "BIND_HOST_NAMES", "CUSTOM_DOMAIN_VERIFICATION_ID"}
    assert read - own - {"DRAINED_REGIONS"} == VARIABLES


def test_regions_are_deployed_one_by_one_each_with_approval_and_login() -> None:
    job = _jobs()["region"]
    for line in (
        "environment: ${{ inputs.environment }}",
        "max-parallel: 1",
        "fail-fast: true",
        "region: ${{ fromJSON(needs.plan.outputs.regions) }}",
        "uses: azure/login@",
        'run: infra/deploy.sh --region "$REGION_CODE" "$ENVIRONMENT"',
    ):
        assert job.count(line) == 1, line
    # A token of GitHub is too old for Microsoft Graph by the time it is asked for.
    login, graph = job.index("azure/login@"), job.index("--resource-type ms-graph")
    assert login < graph < job.index("infra/deploy.sh")
    assert "BOT_NAME: ${{ matrix.region == needs.plan.outputs.last &&" in job


def test_what_runs_a_pull_request_cannot_write_and_what_writes_runs_none() -> None:
    jobs = _jobs()
    assert "pull-requests: write" not in jobs["what-if"]
    assert "head.repo.full_name == github.repository" in jobs["what-if"]
    assert "environment: what-if" in jobs["what-if"]
    assert "uses:" not in jobs["comment"]
    assert "id-token" not in jobs["comment"]


@pytest.mark.parametrize("name", [GITHUB, DEVOPS])
def test_scripts_of_pipelines_are_sound(name: str, tmp_path: Path) -> None:
    """Nothing is put into them but by variables, which a shell does not run."""
    scripts = _scripts(name)
    assert scripts
    for number, script in enumerate(scripts):
        assert "${{" not in script
        file = tmp_path / f"{number}.sh"
        file.write_text(f"#!/usr/bin/env bash\n{script}")
        checked = run(SHELLCHECK, file)
        assert checked.returncode == 0, checked.stdout


def test_pipelines_use_the_same_tools() -> None:
    """Core Tools before 4.13 may send a region's key to another host."""
    texts = [read_text(one) for one in (GITHUB, DEVOPS, ".github/workflows/ci.yml")]
    assert {version for text in texts for version in re.findall(r"v0\.\d+\.\d+", text)}
    assert len(set(re.findall(r"v0\.\d+\.\d+", "".join(texts)))) == 1
    lock = json.loads(read_text(".github/tools/package-lock.json"))["packages"]
    tools = lock["node_modules/azure-functions-core-tools"]["version"]
    assert tuple(map(int, tools.split("."))) >= (4, 13, 0)
    assert all("integrity" in one for name, one in lock.items() if name)


def test_the_regions_of_azure_devops_are_those_of_prod() -> None:
    regions = Environment.read(PARAMS / "prod.json").regions
    codes = ", ".join(region.code for region in regions)
    assert f"    default: [{codes}]\n" in read_text(DEVOPS)


def test_azd_knows_dev_as_the_templates_make_it() -> None:
    text = read_text(AZD)
    dev = Environment.read(PARAMS / "dev.json")
    [region] = dev.regions
    assert f"resourceGroup: rg-{dev.workload}-dev-{region.code}\n" in text
    assert (CHECKOUT / "infra/params/dev.regional.bicepparam").exists()
    assert "  path: infra/params\n  module: dev.regional\n" in text
    assert "    remoteBuild: false\n" in text
    outputs = re.findall(r"(?m)^output (\w+) ", read_text("infra/regional.bicep"))
    assert {"functionAppName", "regionHost"} <= {*outputs}
    assert {*re.findall(r"\$\{?(\w+)", text)} == {"functionAppName", "regionHost"}
    for script in re.findall(r"infra/[\w/]+\.(?:sh|py)", text):
        assert (CHECKOUT / script).exists()
    assert text.count("infra/package.sh dev") == 2
    assert f"--region {region.code} " in text
