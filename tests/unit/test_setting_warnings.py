"""Settings that look right and are not: told as a problem or a warning, by name."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from shared.core.hosts import is_local
from shared.settings import NAMES, SettingsReport, read_settings
from tests.simulator.services.signing import APP_ID, TENANT_ID
from tests.support.service import Make, ScriptedNeighbours, receive

BARE = {"MicrosoftAppId": APP_ID, "WEBSITE_HOSTNAME": "app.azurewebsites.net"}
REFERENCE = "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/bot/)"
UNREACHABLE = "names a host that the platform cannot reach"


def report_of(**changes: str) -> SettingsReport:
    """Read settings that are good but for the changes."""
    return read_settings({**BARE, **changes})


@pytest.mark.parametrize("spelling", [str.upper, str.lower, str.title])
def test_an_app_id_in_any_case_accepts_the_platforms_tokens(
    neighbours: ScriptedNeighbours, make: Make, spelling: Any
) -> None:
    """In the setting and in the token's audience: GUIDs have no case."""
    service = make(MicrosoftAppId=spelling(APP_ID))

    for audience in (APP_ID.lower(), APP_ID.upper()):
        token = neighbours.tokens.mint(aud=audience)
        assert receive(service, neighbours.follow_up(token=token)).status == 202


def test_another_app_id_is_refused_in_any_case(
    neighbours: ScriptedNeighbours, make: Make
) -> None:
    service = make(MicrosoftAppId=APP_ID.upper())
    token = neighbours.tokens.mint(aud=TENANT_ID.upper())

    assert receive(service, neighbours.follow_up(token=token)).status == 401


def test_all_guids_of_settings_are_in_lower_case() -> None:
    settings = report_of(
        MicrosoftAppId=APP_ID.upper(),
        CALLING_IDENTITY_CLIENT_ID=APP_ID.upper(),
        CALLING_TENANTS=TENANT_ID.upper(),
    ).settings

    assert settings is not None
    assert settings.app_id == settings.credential.app_id == APP_ID.lower()
    assert settings.credential.identity_client_id == APP_ID.lower()
    assert settings.tenants == {TENANT_ID.lower()}


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST:7071", "bot.localhost", "127.0.0.1:7071", "127.9.9.9",
        "10.1.2.3", "172.16.0.1:443", "192.168.1.20:8443", "169.254.1.1", "0.0.0.1",
        "my-machine", "my-machine:7071",
    ],
)  # fmt: skip
def test_a_local_host_is_one_that_only_its_own_network_can_reach(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host",
    [
        "weu.calls.contoso.com", "abc123-7071.euw.devtunnels.ms", "20.50.2.1",
        "localhost.contoso.com", "20.50.2.1:8443",
    ],
)  # fmt: skip
def test_a_host_that_others_can_reach_is_not_local(host: str) -> None:
    assert not is_local(host)


def regional(host: str) -> dict[str, str]:
    """Return settings of a region on this host."""
    return {
        "CALLING_REGION": "weu",
        "CALLING_REGION_HOSTS": json.dumps({"weu": host, "sea": "localhost"}),
        "CALLING_GLOBAL_HOST": "127.0.0.1",
    }


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        (
            {"WEBSITE_HOSTNAME": "localhost:7071"},
            f"WEBSITE_HOSTNAME: {UNREACHABLE}; set CALLING_GLOBAL_HOST.",
        ),
        ({"CALLING_GLOBAL_HOST": "10.0.0.4"}, f"CALLING_GLOBAL_HOST: {UNREACHABLE}."),
        (regional("my-machine:8443"), f"CALLING_REGION_HOSTS: {UNREACHABLE}."),
    ],
)
def test_a_callback_host_that_nobody_outside_can_reach_is_a_warning(
    changes: Mapping[str, str], warning: str
) -> None:
    """Graph would be told to send the call's notifications there."""
    report = report_of(**changes)

    assert report.settings is not None
    assert report.warnings == (warning,)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"WEBSITE_HOSTNAME": "localhost:7071", "CALLING_ANSWER": "false"},
        {
            "WEBSITE_HOSTNAME": "localhost:7071",
            "CALLING_GLOBAL_HOST": "a.devtunnels.ms",
        },
        regional("weu.calls.contoso.com"),
    ],
    ids=["public", "answering is off", "tunnel", "region"],
)
def test_no_other_host_is_warned_of(changes: Mapping[str, str]) -> None:
    """Only that of the callbackUri counts, and only while calls are answered."""
    report = report_of(**changes)

    assert report.settings is not None
    assert report.warnings == ()


def test_a_secret_that_is_a_guid_is_a_warning() -> None:
    """It is the ID of the secret, which the portal shows beside the value.

    It is told with any kind of credential, as long as calls are answered.
    """
    secret = {"CALLING_CREDENTIAL": "client-secret", "MicrosoftAppPassword": TENANT_ID}
    report = report_of(**secret)

    assert report.settings is not None
    sentence = "looks like the ID of a secret; the secret's value is needed."
    assert report.warnings == (f"MicrosoftAppPassword: {sentence}",)
    assert report_of(**secret, CALLING_ANSWER="false").warnings == ()
    assert report_of(MicrosoftAppPassword=TENANT_ID).warnings == report.warnings


@pytest.mark.parametrize("name", NAMES)
def test_a_key_vault_reference_that_was_not_resolved_is_the_only_problem(
    name: str,
) -> None:
    """Whatever the setting is for; Functions leaves the reference as its value."""
    kinds = {
        "MicrosoftAppPassword": "client-secret",
        "CALLING_CERTIFICATE_PATH": "certificate",
    }
    rest = {"CALLING_CREDENTIAL": kinds[name]} if name in kinds else {}
    for value in (REFERENCE, f" {REFERENCE.upper()} "):
        report = report_of(**{**rest, name: value})
        told = [text for text in report.problems if text.startswith(f"{name}:")]
        assert told == [f"{name}: is a Key Vault reference that was not resolved."]
        assert report.settings is None


@pytest.mark.parametrize("name", ["MicrosoftAppPassword", "CALLING_CERTIFICATE_PATH"])
def test_what_the_chosen_credential_does_not_use_is_read_while_calls_are_answered(
    name: str,
) -> None:
    """A vault that cannot be read is told before the secret is needed."""
    told = (f"{name}: is a Key Vault reference that was not resolved.",)
    assert report_of(**{name: REFERENCE}).problems == told
    for kind in ("managed-identity", "client-secret", "certificate"):
        off = {"CALLING_CREDENTIAL": kind, "CALLING_ANSWER": "false"}
        assert report_of(**{name: REFERENCE}, **off).problems == ()


@pytest.mark.parametrize("value", ["{}", " { } ", "[]", "", " "])
def test_an_empty_object_of_partitions_counts_as_an_empty_list(value: str) -> None:
    settings = report_of(CALLING_PARTITIONS=value).settings

    assert settings is not None
    assert settings.partitions == ()


@pytest.mark.parametrize("value", ["null", "0", "false", '""'])
def test_partitions_of_another_kind_are_a_problem(value: str) -> None:
    assert report_of(CALLING_PARTITIONS=value).problems == (
        "CALLING_PARTITIONS: must be a JSON list of names or object of names and URLs.",
    )


@pytest.mark.parametrize(
    ("name", "value"), [("CALLING_REGION_HOSTS", "[]"), ("CALLING_REGION_RULES", "{}")]
)
def test_no_other_setting_takes_an_empty_value_of_another_kind(
    name: str, value: str
) -> None:
    problems = report_of(**{"CALLING_REGION": "weu", name: value}).problems

    assert any(problem.startswith(f"{name}: must be") for problem in problems)


@pytest.mark.parametrize("blank", ["", " ", "\t\r\n"])
def test_a_blank_host_of_functions_counts_as_absent(blank: str) -> None:
    report = report_of(WEBSITE_HOSTNAME=blank)

    assert [text.split(":")[0] for text in report.problems] == ["WEBSITE_HOSTNAME"]
    assert "is required" in report.problems[0]


def test_warnings_of_any_kind_are_logged_once(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    service = make(WEBSITE_HOSTNAME="localhost", CALLING_TYPO="x")
    for _ in range(2):
        asyncio.run(service.health({}))

    [line] = [json.loads(r.message) for r in caplog.records if "warnings" in r.message]
    assert line["event"] == "settings.warnings"
    assert line["warnings"] == [
        "CALLING_TYPO: unknown setting.",
        f"WEBSITE_HOSTNAME: {UNREACHABLE}; set CALLING_GLOBAL_HOST.",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"CALLING_CREDENTIAL": "unknown"},
        {"CALLING_IDENTITY_CLIENT_ID": "no GUID"},
    ],
)
def test_credential_settings_are_checked_only_while_calls_are_answered(
    changes: dict[str, str],
) -> None:
    assert report_of(**changes).problems != ()
    assert report_of(CALLING_ANSWER="false", **changes).problems == ()


@pytest.mark.parametrize("end", ["?", "#", "?a=b", "#a"])
def test_a_url_to_which_paths_are_appended_ends_with_a_path(end: str) -> None:
    """An empty query would swallow the path."""
    report = report_of(CALLING_GRAPH_URL=f"https://graph.example/v1.0{end}")

    assert report.problems == ("CALLING_GRAPH_URL: must be an https URL.",)


@pytest.mark.parametrize("host", ["127.1", "10.1", "2130706433"])
def test_an_address_in_any_form_is_no_public_host(host: str) -> None:
    assert is_local(host)
