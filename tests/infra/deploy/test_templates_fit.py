"""What the program and the templates tell each other: variables, and outputs back."""

import re

from tests.infra.deploy.workstation import Workstation
from tests.support.checkout import CHECKOUT, read_text

INFRA = CHECKOUT / "infra"


def test_every_output_that_is_asked_for_is_an_output_of_a_region(
    first_deployment: Workstation, deployed: Workstation
) -> None:
    deployed.deploy("--what-if", "test")
    calls = [*first_deployment.calls, *deployed.calls]
    asked = {*re.findall(r"properties\.outputs\.(\w+)\.value", "\n".join(calls))}

    assert len(asked) > 3
    outputs = re.findall(
        r"^output (\w+) ", read_text("infra/regional.bicep"), re.MULTILINE
    )
    assert asked <= {*outputs}


def test_every_variable_that_parameter_files_read_is_set_by_the_program(
    first_deployment: Workstation,
) -> None:
    """It sets no variable that nobody reads. The shared part is not its own."""
    files = (INFRA / "params").glob("*.*.bicepparam")
    text = "".join(file.read_text("utf-8") for file in files)
    read = {*re.findall(r"readEnvironmentVariable\('(\w+)'", text)}
    given = {"MICROSOFT_APP_ID", "LOG_ANALYTICS_WORKSPACE_ID", "ACTION_GROUP_ID"}
    deployments = [each for each in first_deployment.calls if " create " in each]
    given |= {*re.findall(r"\b([A-Z_]+)=", "\n".join(deployments))}

    assert given == read
    # docs/behaviour.md section 7
    section = read_text("docs/behaviour.md").split("\n## 7. ")[1].split("\n## ")[0]
    [line] = [each for each in section.splitlines() if "parameter files read" in each]
    assert {*re.findall(r"`([A-Z_]+)`", line)} == read


def test_every_environment_has_the_parameter_files_that_the_program_names() -> None:
    """There is one for the global part only where there is a domain."""
    for description in (INFRA / "params").glob("*.json"):
        has_domain = '"domain": null' not in description.read_text("utf-8")
        assert description.with_suffix(".regional.bicepparam").exists()
        assert description.with_suffix(".global.bicepparam").exists() is has_domain
