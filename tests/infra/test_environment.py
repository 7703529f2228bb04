"""The reader and the check of a description: each problem is a row."""

import json
from pathlib import Path

import pytest

from infra.checks.app_settings import OWNED, SECRETS
from infra.checks.notes import Notes
from infra.checks.rules import check_rules
from infra.environment import Environment, check_description, check_environment
from shared.settings import NAMES, read_settings
from tests.infra.descriptions import GOOD, described


def test_a_good_description_has_no_problem() -> None:
    good = Environment.from_description("prod", GOOD)
    assert check_description("prod", GOOD) == (good, [], True)
    assert check_description("dev", described("domain", None)).problems == []


PROBLEMS = [
    # What the file is.
    ("workload", ..., "workload: is missing."),
    ("regions", ..., "regions: is missing."),
    ("domain", ..., "domain: is missing."),
    ("rules", ..., "rules: is missing."),
    ("settings", ..., "settings: is missing."),
    ("setings", {}, "setings: is unknown; did you mean «settings»?"),
    ("whatever", 1, "whatever: is unknown."),
    # The workload.
    ("workload", 7, "workload: must be 2 to 12 lower-case letters and digits"),
    ("workload", "Tms", "workload: must be 2 to 12 lower-case letters and digits"),
    ("workload", "tms-calls", "workload: must be 2 to 12 lower-case"),
    ("workload", "7calls", "workload: must be 2 to 12 lower-case"),
    # The regions.
    ("regions", {}, "regions: must be a list with at least one region."),
    ("regions", [], "regions: must be a list with at least one region."),
    ("regions.0", "weu", "regions[0]: must be an object with a code."),
    ("regions.0.code", ..., "regions[0].code: is missing."),
    ("regions.0.location", ..., "regions[0].location: is missing."),
    ("regions.0.loction", "x", "loction: is unknown; did you mean «location»?"),
    ("regions.0.code", "w", "regions[0].code: must be 2 to 6 lower-case letters"),
    ("regions.0.code", "WEU", "regions[0].code: must be 2 to 6 lower-case letters"),
    ("regions.0.code", "w-eu", "regions[0].code: must be 2 to 6 lower-case letters"),
    ("regions.0.code", "westeur", "regions[0].code: must be 2 to 6 lower-case"),
    ("regions.0.code", 7, "regions[0].code: must be 2 to 6 lower-case letters"),
    ("regions.0.code", "global", "regions[0].code: «global» is the name of the global"),
    ("regions.1.code", "weu", "regions[1].code: «weu» is already used by regions[0]."),
    ("regions.0.location", 7, "regions[0].location: must be the name of an Azure"),
    (
        "regions.0.location",
        "West Europe",
        "«West Europe» is not an Azure location; did you mean «westeurope»?",
    ),
    ("regions.0.location", "atlantis", "«atlantis» is not an Azure location"),
    ("regions.0.enabled", "yes", "regions[0].enabled: must be true or false."),
    ("regions.0.enabled", 1, "regions[0].enabled: must be true or false."),
    ("regions.0.priority", 0, "regions[0].priority: must be a whole number"),
    ("regions.0.priority", 1001, "regions[0].priority: must be a whole number"),
    ("regions.0.priority", True, "regions[0].priority: must be a whole number"),
    ("regions.0.priority", 2, "regions[1].priority: «2» is already used by regions[0]"),
    (
        "regions",
        [{"code": "weu", "location": "westeurope", "enabled": False}],
        "regions: are all disabled, so the global host would lead nowhere.",
    ),
    (
        "regions",
        [{"code": f"r{n}", "location": "westeurope"} for n in range(21)],
        "regions: has 21; a bot can trust at most 20.",
    ),
    # Names that follow.
    (
        "workload",
        "tmscallswebh",
        "regions[0].code: the storage account «sttmscallswebhprodweuxxxxxx» would have",
    ),
    # The domain.
    ("domain", "contoso.com", "domain: must be null or an object with zone"),
    ("domain.zone", ..., "domain.zone: is missing."),
    ("domain.keyVaultId", ..., "domain.keyVaultId: is missing."),
    ("domain.label", "x", "domain.label: is unknown"),
    ("domain.zone", "calls", "domain.zone: must be a domain name"),
    ("domain.zone", "calls.contoso.com:443", "domain.zone: must be a domain name"),
    ("domain.zone", "calls..contoso.com", "domain.zone: must be a domain name"),
    ("domain.zone", "https://contoso.com", "domain.zone: must be a domain name"),
    ("domain.zone", 7, "domain.zone: must be a domain name"),
    ("domain.zone", "Calls.contoso.com", "domain.zone: must be in lower case."),
    ("domain.zone", ".".join(["a" * 50] * 4), "domain.zone: must have at most 180"),
    ("domain.zone", "b.trafficmanager.net", "domain.zone: belongs to Traffic Manager"),
    ("domain.zone", "b.usgovtrafficmanager.net", "zone: belongs to Traffic Manager"),
    ("domain.zone", "azurewebsites.net", "domain.zone: belongs to Azure"),
    ("domain.globalLabel", "a.b", "domain.globalLabel: must be one label"),
    ("domain.globalLabel", "", "domain.globalLabel: must be one label"),
    ("domain.globalLabel", "sea", "regions[2].code: «sea» is the global host's label"),
    ("domain.globalLabel", "asuid", "Label: «asuid» is reserved for Azure's"),
    ("regions.1.code", "asuid", "regions[1].code: «asuid» is reserved for Azure's"),
    ("domain.keyVaultId", "kv-calls", "domain.keyVaultId: must be the resource ID"),
    ("domain.secretName", "a_b", "domain.secretName: must be the name of a cert"),
    # Hosts that would loop.
    (
        "regions.0.defaultHostName",
        "x.trafficmanager.net",
        "[0].defaultHostName: belongs to Traffic Manager: a redirect to it loops.",
    ),
    (
        "regions.0.defaultHostName",
        "global.calls.contoso.com",
        "regions[0].defaultHostName: is the global host: a redirect to it loops.",
    ),
    (
        "regions.0.defaultHostName",
        "weu.calls.contoso.com",
        "regions[0].defaultHostName: is in the zone, but hosts of the zone are",
    ),
    (
        "regions.0.defaultHostName",
        "https://app.azurewebsites.net",
        "regions[0].defaultHostName: must be a host name",
    ),
    ("regions.0.defaultHostName", 7, "regions[0].defaultHostName: must be a host name"),
    (
        "regions.0.defaultHostName",
        "x.net",
        "defaultHostName: must be the app's default",
    ),
    # The rules.
    ("rules", {}, "rules: must be a list, [] if there are none."),
    ("rules.0", "weu", "rules[0]: must be an object with regions."),
    ("rules.0.regions", ..., "rules[0].regions: is missing."),
    (
        "rules.0.country",
        ["DE"],
        "rules[0].country: is unknown; did you mean «countryCode»?",
    ),
    ("rules.0.regions", [], "rules[0].regions: must be a list of strings"),
    ("rules.0.regions", "weu", "rules[0].regions: must be a list of strings"),
    ("rules.0.countryCode", ["DE", ""], "rules[0].countryCode: must be a list of"),
    ("rules.0.countryCode", [49], "rules[0].countryCode: must be a list of strings"),
    ("rules.0.countryCode", None, "rules[0].countryCode: must be a list of strings"),
    ("rules.0.regions", ["weu", "xxx"], "rules[0].regions: «xxx» is not a region of"),
    ("rules.0.regions", ["WEU"], "regions: «WEU» is not a region of this file."),
    ("rules.0.strict", "true", "rules[0].strict: must be true or false."),
    ("rules.0.strict", 1, "rules[0].strict: must be true or false."),
    ("rules.0.strict", None, "rules[0].strict: must be true or false."),
    ("rules.0.callee", "+49", "rules[0].callee: must be a list of strings"),
    ("rules.0.clientLocation", [], "clientLocation: must be a list of strings"),
    ("rules.0.tenant", ["contoso"], "rules[0].tenant: «contoso» is not a tenant ID."),
    # The settings.
    ("settings", [], "settings: must be an object, {} if there are none."),
    (
        "settings.CALLING_TENANT",
        "",
        "CALLING_TENANT: is not a setting of the app; did you mean «CALLING_TENANTS»",
    ),
    ("settings.WEBSITE_TIME_ZONE", "x", "TIME_ZONE: is not a setting of the app"),
    ("settings.CALLING_ANSWER", False, "CALLING_ANSWER: must be a string"),
    *[
        (f"settings.{name}", "x", f"settings.{name}: is written by the templates")
        for name in OWNED
    ],
    *[(f"settings.{name}", "x", f"settings.{name}: is a secret") for name in SECRETS],
    # What the app itself would refuse.
    ("settings.CALLING_CLOUD", "gcc", "refuse to start: CALLING_CLOUD: must be one of"),
    ("settings.CALLING_REDIRECT_STATUS", "303", "CALLING_REDIRECT_STATUS: must be one"),
    ("settings.CALLING_PARTITIONS", '["a", "a"]', "CALLING_PARTITIONS: has a name"),
    ("settings.CALLING_CREDENTIAL", "client-secret", "MicrosoftAppPassword: is req"),
]


@pytest.mark.parametrize(("place", "value", "problem"), PROBLEMS)
def test_a_problem_is_found_alone_and_with_others(
    place: str, value: object, problem: str
) -> None:
    """A problem has a place and a sentence, and another one does not hide it."""
    description = described(place, value)
    alone = check_description("prod", description).problems
    assert [found for found in alone if problem in found], alone

    if "refuse to start" not in alone[0]:
        description["extra"] = 1
        both = check_description("prod", description).problems
        assert sorted(both) == sorted([*alone, "extra: is unknown."])


def test_a_rule_may_be_strict_and_look_at_client_and_callee() -> None:
    notes = Notes()
    rule = {"clientLocation": ["DE"], "callee": ["+49"], "strict": True}

    check_rules([{**rule, "regions": ["weu"]}], GOOD["regions"], notes)

    assert notes.problems == []


ANY_JSON: list[object] = [
    None,
    True,
    7,
    1.5,
    "x",
    "x:y:z",
    [],
    [[]],
    {},
    {"a": 1},
    [{}],
    [None],
]


@pytest.mark.parametrize("value", ANY_JSON)
def test_any_json_at_any_place_is_a_problem_or_fine(value: object) -> None:
    """No value causes an exception."""
    assert check_description("prod", value).problems
    for place in (
        *GOOD,
        *("regions.0", "regions.0.code", "regions.0.location", "regions.0.enabled"),
        *("regions.0.priority", "regions.0.defaultHostName"),
        *(f"domain.{name}" for name in GOOD["domain"]),
        *("rules.0", "rules.0.regions", "rules.0.tenant"),
        "settings.CALLING_TENANTS",
    ):
        problems = check_description("prod", described(place, value)).problems
        assert all(isinstance(problem, str) for problem in problems)


@pytest.mark.parametrize(
    "rules",
    [row[1] for row in PROBLEMS if row[0] == "rules" and row[1] is not ...]
    + [
        described(row[0], row[1])["rules"]
        for row in PROBLEMS
        if row[0].startswith("rules.") and "tenant" not in row[0]
    ],
)
def test_rules_that_are_refused_here_are_refused_by_the_app(rules: object) -> None:
    """Only the check of tenant IDs is stricter than the app."""
    hosts = {code: f"{code}.example" for code in ("weu", "neu", "sea")}
    report = read_settings(
        {
            "MicrosoftAppId": "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10",
            "CALLING_ANSWER": "false",
            "CALLING_REGION": "weu",
            "CALLING_REGION_HOSTS": json.dumps(hosts),
            "CALLING_REGION_RULES": json.dumps(rules),
        }
    )
    assert report.problems


def test_the_templates_own_settings_and_the_secrets_are_the_apps() -> None:
    """A name that the code no longer reads fails here."""
    assert {*OWNED, *SECRETS} <= {*NAMES}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b'{"workload": }',
            "the file is not JSON: line 1, column 14: Expecting value.",
        ),
        (b'{"a": 1, "a": 2}', "the file is not JSON: duplicate member."),
        (b"\xff", "the file is not JSON: 'utf-8' codec can't decode"),
        (b"[" * 100_000, "the file is not JSON: "),
        (b"[]", "must be an object with workload"),
    ],
)
def test_a_file_that_cannot_be_read_is_explained(
    content: bytes, problem: str, tmp_path: Path
) -> None:
    (tmp_path / "prod.json").write_bytes(content)

    [found] = check_environment("prod", tmp_path).problems

    assert problem in found


@pytest.mark.parametrize("name", ["p", "Prod", "pr-od", "../prod", "waytoolong", ""])
def test_an_environment_must_have_a_legal_name(name: str, tmp_path: Path) -> None:
    """The name is part of all resource names, and of a path."""
    [problem] = check_environment(name, tmp_path).problems
    assert problem == "the name must be 2 to 8 lower-case letters, digits."


def test_an_unknown_environment_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    for name in ("test", "prod"):
        (tmp_path / f"{name}.json").write_text("{}")

    [problem] = check_environment("pord", tmp_path).problems

    assert problem == "there is no such file; there are: prod, test."
