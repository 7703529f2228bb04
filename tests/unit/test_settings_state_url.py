"""CALLING_STATE_URL: where the bot keeps what it remembers of calls."""

import pytest

from shared.settings import SettingsReport, read_settings

NAME = "CALLING_STATE_URL"
PROBLEM = (
    f"{NAME}: must be the https URL of a blob container, without query, fragment or "
    "user info."
)
ACCOUNT = "https://account.blob.core.windows.net"


def report_of(state_url: str) -> SettingsReport:
    return read_settings(
        {
            "MicrosoftAppId": "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10",
            "WEBSITE_HOSTNAME": "app.azurewebsites.net",
            NAME: state_url,
        }
    )


def usable(state_url: str) -> str:
    """Return what the settings make of it."""
    report = report_of(state_url)
    assert (report.problems, report.warnings) == ((), ())
    assert report.settings is not None
    return report.settings.state_url


@pytest.mark.parametrize("absent", ["", " ", "\t\n"])
def test_without_a_container_the_process_alone_remembers(absent: str) -> None:
    assert usable(absent) == ""


@pytest.mark.parametrize(
    "url",
    [
        f"{ACCOUNT}/bot-state",
        f"{ACCOUNT}/abc",
        f"{ACCOUNT}/{'a' * 63}",
        # Emulators, and hosts of an account's own, have the account's name in the path.
        "https://127.0.0.1:10000/devstoreaccount1/bot-state",
        "https://state.example:8443/bot-state",
    ],
)
def test_the_url_of_a_container_is_taken_with_or_without_a_slash(url: str) -> None:
    """What is appended to it begins with a slash."""
    assert usable(url) == usable(f"{url}/") == usable(f" {url}/ ") == url


@pytest.mark.parametrize(
    "value",
    [
        "account",
        "account.blob.core.windows.net/bot-state",
        "http://account.blob.core.windows.net/bot-state",
        # No container
        ACCOUNT,
        f"{ACCOUNT}/",
        f"{ACCOUNT}//",
        # More than a container
        f"{ACCOUNT}/bot-state?sv=2024&sig=secret",
        f"{ACCOUNT}/bot-state?",
        f"{ACCOUNT}/bot-state#",
        f"{ACCOUNT}/bot-state#top",
        "https://user@account.blob.core.windows.net/bot-state",
        "https://user:secret@account.blob.core.windows.net/bot-state",
        f"{ACCOUNT}/account/bot-state/tenant",
        # No name of a container
        f"{ACCOUNT}/Bot-State",
        f"{ACCOUNT}/bot_state",
        f"{ACCOUNT}/bot state",
        f"{ACCOUNT}/bot%2Dstate",
        f"{ACCOUNT}/bot-staté",
        f"{ACCOUNT}/bot-state//",
        f"{ACCOUNT}//bot-state",
        f"{ACCOUNT}/../bot-state",
        f"{ACCOUNT}/-state",
        f"{ACCOUNT}/ab",
        f"{ACCOUNT}/{'a' * 64}",
        # Blobs of the root container have no slash in their names.
        f"{ACCOUNT}/$root",
        # No URL
        "https://[::1/bot-state",
        "https:///bot-state",
        "https://account.example:port/bot-state",
        f"{ACCOUNT}/bot-state\n/x",
        "\ud800",
    ],
)
def test_anything_else_is_a_problem_by_name_and_not_by_value(value: str) -> None:
    """The value may hold a key, and anybody may see the report."""
    report = report_of(value)

    assert report.settings is None
    assert report.problems == (PROBLEM,)


def test_a_reference_that_was_not_resolved_is_told_as_such() -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/url)"

    assert report_of(reference).problems == (
        f"{NAME}: is a Key Vault reference that was not resolved.",
    )
