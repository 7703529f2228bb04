"""The command check_environment.py: what it prints, and what deploy.sh reads of it."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.bicep import CHECKOUT
from infra.check_environment import records
from infra.environment import PARAMS, Environment
from tests.infra.descriptions import GOOD, described
from tests.support.processes import run


def recorded(description: dict[str, Any]) -> list[str]:
    return [*records(Environment.from_description("prod", description))]


def test_the_records_tell_the_script_what_it_has_to_know() -> None:
    """A record is a line: what it is about, then values without blanks."""
    assert recorded(GOOD) == [
        "workload tmscalls",
        "federation https://login.microsoftonline.com api://AzureADTokenExchange",
        f"domain calls.contoso.com global {GOOD['domain']['keyVaultId']}",
        "region weu westeurope",
        "region neu northeurope",
        "region sea southeastasia",
    ]
    government = described("settings.CALLING_CLOUD", "gcc-high")
    assert recorded({**government, "domain": None})[:3] == [
        "workload tmscalls",
        "federation https://login.microsoftonline.us api://AzureADTokenExchangeUSGov",
        "region weu westeurope",
    ]


@pytest.mark.parametrize(
    ("settings", "is_needed"),
    [
        ({}, True),
        ({"CALLING_ANSWER": " TRUE ", "CALLING_CLOUD": " "}, True),
        ({"CALLING_CREDENTIAL": "managed-identity"}, True),
        ({"CALLING_ANSWER": "False"}, False),
        ({"CALLING_CREDENTIAL": "certificate"}, False),
    ],
)
def test_a_federated_credential_is_made_only_where_the_app_uses_it(
    settings: dict[str, str], *, is_needed: bool
) -> None:
    found = recorded({**GOOD, "settings": settings})

    assert any(line.startswith("federation ") for line in found) is is_needed


SCRIPT = str(CHECKOUT / "infra" / "check_environment.py")


@pytest.mark.parametrize("environment", [file.stem for file in PARAMS.glob("*.json")])
def test_every_environment_that_we_ship_is_in_order(
    environment: str, tmp_path: Path
) -> None:
    """Without packages the check also passes, and says what it left out."""
    complete = run(sys.executable, SCRIPT, environment, cwd=tmp_path)
    bare = run(sys.executable, "-S", SCRIPT, environment, cwd=tmp_path)

    assert (complete.returncode, complete.stderr) == (0, "")
    assert re.search(r"[1-9] regions?, all good\.$", complete.stdout)
    assert (bare.returncode, bare.stdout) == (0, complete.stdout)
    assert "values of settings were not checked" in bare.stderr


def test_an_unknown_environment_ends_with_1_and_a_sentence(tmp_path: Path) -> None:
    finished = run(sys.executable, SCRIPT, "--records", "nowhere", cwd=tmp_path)

    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith("infra/params/nowhere.json: there is no such")
