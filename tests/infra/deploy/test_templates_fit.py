"""What deploy.sh and the templates tell each other: variables one way, outputs back."""

import re

from tests.support.checkout import CHECKOUT, read_text

INFRA = CHECKOUT / "infra"
SCRIPT = read_text("infra/deploy.sh") + read_text("infra/steps.sh")


def test_every_output_that_is_asked_for_is_an_output_of_a_region() -> None:
    asked = set(re.findall(r"ask_output \w+ \"\S+ \w+ (\w+)", SCRIPT))
    asked |= set(re.findall(r"properties\.outputs\.(\w+)\.value", SCRIPT))

    assert len(asked) > 3
    outputs = re.findall(
        r"^output (\w+) ", read_text("infra/regional.bicep"), re.MULTILINE
    )
    assert asked <= {*outputs}


def test_every_variable_that_parameter_files_read_is_set_by_the_script() -> None:
    """The script sets no variable that nobody reads."""
    files = (INFRA / "params").glob("*.bicepparam")
    text = "".join(file.read_text("utf-8") for file in files)
    read = {*re.findall(r"readEnvironmentVariable\('(\w+)'", text)}
    given = {"MICROSOFT_APP_ID", "LOG_ANALYTICS_WORKSPACE_ID"}
    given |= set(re.findall(r'"(\w+)=\$', SCRIPT))
    given |= set(re.findall(r"\b([A-Z_]+)=\$\{\1:-\}", SCRIPT))

    assert given == read


def test_every_environment_has_the_parameter_files_that_the_script_names() -> None:
    """There is one for the global part only where there is a domain."""
    for description in (INFRA / "params").glob("*.json"):
        has_domain = '"domain": null' not in description.read_text("utf-8")
        assert description.with_suffix(".regional.bicepparam").exists()
        assert description.with_suffix(".global.bicepparam").exists() is has_domain
