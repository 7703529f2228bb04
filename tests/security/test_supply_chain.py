"""What comes from others: workflows, advisories, the software bill of materials."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT, read_text
from tests.support.processes import run

TOOLS = CHECKOUT / ".venv-tools"
WORKFLOWS = CHECKOUT / ".github" / "workflows"
NOBODY = "http://127.0.0.1:9"
PROXIES = {"HTTPS_PROXY": NOBODY, "https_proxy": NOBODY, "NO_PROXY": "", "no_proxy": ""}
ASKS_NOBODY = {**os.environ, **PROXIES}

# What workflows may write, beside nothing.
MAY_WRITE = {"deploy.yml": {"id-token", "pull-requests"}}

needs_tools = pytest.mark.skipif(
    not (TOOLS / ".ready").exists(), reason="needs `make .venv-tools/.ready`"
)


def stand_in(folder: Path, *, prints: str, status: int) -> Path:
    """Make an environment whose pip-audit finds what a test wants."""
    (folder / "bin").mkdir()
    for name, code in (
        ("zizmor", "exit 0"),
        ("pip-audit", f"echo '{prints}'; exit {status}"),
    ):
        tool = folder / "bin" / name
        tool.write_text(f"#!/bin/sh\n{code}\n")
        tool.chmod(0o755)
    return folder


def locked_packages() -> dict[str, str]:
    """Return version by package, as locked."""
    lock = read_text("requirements.lock")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock, re.MULTILINE))


@pytest.mark.requirement("R26")
def test_every_action_is_pinned_by_commit_with_its_version() -> None:
    """Each action has one commit; somebody could move a tag."""
    text = "".join(file.read_text() for file in sorted(WORKFLOWS.glob("*.yml")))
    used = re.findall(r"uses: (.+)", text)

    pins = {
        re.fullmatch(r"([\w/-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in used
    }

    assert used
    assert None not in pins
    assert len(set(used)) == len({pin[1] for pin in pins if pin})


@pytest.mark.requirement("R26")
def test_workflows_may_read_the_checkout_and_nothing_else() -> None:
    """There is no permission by default, and no credential stays on disk.

    The deployment gets a token for Azure, which trusts it, and comments on the request.
    """
    for file in sorted(WORKFLOWS.glob("*.yml")):
        text = file.read_text()
        checkouts = text.count("uses: actions/checkout@")

        assert re.search(r"^permissions: \{\}$", text, re.MULTILINE), file.name
        written = re.findall(r"([\w-]+): (?:write|write-all|read-all)\b", text)
        assert set(written) == MAY_WRITE.get(file.name, set())
        assert text.count("persist-credentials: false") == checkouts > 0
        assert "secrets." not in text


@needs_tools
@pytest.mark.requirement("R26")
def test_zizmor_finds_nothing_in_the_workflows() -> None:
    """It reads the configuration of Dependabot, too."""
    finished = run(TOOLS / "bin" / "zizmor", "--offline", ".github")

    assert finished.returncode == 0, finished.stdout + finished.stderr


@needs_tools
@pytest.mark.requirement("R26")
def test_bill_of_materials_names_every_locked_package(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"

    finished = run("bash", ".ci/sbom.sh", TOOLS, file, env=ASKS_NOBODY)

    assert finished.returncode == 0, finished.stderr
    bill = json.loads(file.read_text())
    components = bill["components"]
    named = {component["name"]: component["version"] for component in components}
    assert bill["bomFormat"] == "CycloneDX"
    assert locked_packages() == named
    assert {"pyjwt", "cryptography"} <= named.keys()
    for component in components:
        name = component["name"]
        assert component["purl"] == f"pkg:pypi/{name}@{named[name]}"
        assert component["externalReferences"][0]["hashes"]


@needs_tools
def test_audit_says_so_where_the_advisory_service_is_out_of_reach() -> None:
    finished = run("bash", ".ci/audit.sh", TOOLS, env=ASKS_NOBODY)

    assert finished.returncode == 2
    assert "could not be asked" in finished.stderr.splitlines()[-1]
    assert "no known vulnerability" not in finished.stdout


@pytest.mark.parametrize(
    ("prints", "status", "code", "says"),
    [
        ("No known vulnerabilities found", 0, 0, "audit: no known vulnerability."),
        ("Found 1 known vulnerability in 1 package", 1, 1, "Found 1 known"),
        ("Found 2 known vulnerabilities in 1 package", 1, 1, "Found 2 known"),
        ("ERROR: the service is down", 1, 2, "could not be asked"),
    ],
)
def test_audit_tells_findings_from_silence(
    tmp_path: Path, prints: str, status: int, code: int, says: str
) -> None:
    """Status 1 is a finding, status 2 means that nothing is known."""
    tools = stand_in(tmp_path, prints=prints, status=status)

    finished = run("bash", ".ci/audit.sh", tools)

    assert finished.returncode == code
    assert says in finished.stdout + finished.stderr
