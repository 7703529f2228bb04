"""Settings: what the code reads = the sample file = the documentation."""

from shared.core.clouds import CLOUDS
from shared.core.conditions import CONDITION_NAMES
from shared.settings import NAMES, read_settings
from tests.support.checkout import read_json
from tests.support.markdown_tables import code, first_column, read_table

# Functions' own, which the sample needs to be started with.
PLATFORM_SETTINGS = (
    "FUNCTIONS_WORKER_RUNTIME",
    "AzureWebJobsStorage",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
)
SAMPLE = read_json("local.settings.sample.json")
DOCUMENT = "docs/settings.md"


def test_the_sample_file_has_every_setting_and_no_other() -> None:
    """The order is that of the code."""
    values = SAMPLE["Values"]
    assert [name for name in values if name not in PLATFORM_SETTINGS] == [*NAMES]
    assert {*PLATFORM_SETTINGS} <= values.keys()


def test_the_sample_file_is_usable_and_says_that_it_is_not_encrypted() -> None:
    """Core Tools take a file for encrypted unless it says no."""
    assert SAMPLE["IsEncrypted"] is False
    report = read_settings(SAMPLE["Values"])
    assert (report.problems, report.warnings) == ((), ())


def test_the_documentation_has_every_setting_and_no_other() -> None:
    """The order is that of the code, and each has a default and a meaning."""
    rows = read_table(DOCUMENT, "name")
    assert [code(name) for name, _default, _meaning in rows] == [[n] for n in NAMES]
    assert all(default and meaning for _name, default, meaning in rows)


def test_the_documented_defaults_are_those_of_the_code() -> None:
    """Setting a default changes nothing."""
    documented = {
        code(name)[0]: code(default)[0]
        for name, default, _meaning in read_table(DOCUMENT, "name")
        if code(default)
    }
    assert len(documented) > 7
    required = {
        "MicrosoftAppId": "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10",
        "WEBSITE_HOSTNAME": "weu.example",
    }
    assert read_settings({**required, **documented}) == read_settings(required)


def test_the_documented_clouds_are_those_of_the_code() -> None:
    """Where a cloud has no address, the table has none either."""
    documented = {
        code(row[0])[0]: [code(cell) for cell in row[1:]]
        for row in read_table(DOCUMENT, "cloud")
    }
    assert documented == {
        name: [
            [cloud.openid_configuration_url] if cloud.openid_configuration_url else [],
            [cloud.metadata_issuer] if cloud.metadata_issuer else [],
            [*cloud.issuers],
            [cloud.login_url],
            [cloud.graph_url],
        ]
        for name, cloud in CLOUDS.items()
    }


def test_the_documented_conditions_are_those_of_the_code() -> None:
    assert first_column(DOCUMENT, "condition") == [*CONDITION_NAMES]
