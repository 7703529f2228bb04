"""The reader and the check of a description: each problem is a row."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.checks.app_settings import OWNED, SECRETS
from infra.checks.notes import Notes
from infra.checks.rules import check_rules
from infra.environment import (
    MEMBERS,
    REQUIRED,
    Environment,
    check_description,
    check_environment,
)
from shared.settings import NAMES, read_settings
from tests.infra.descriptions import GOOD, changed, described
from tests.simulator.services.signing import APP_ID


def test_a_good_description_has_no_problem() -> None:
    good = Environment.from_description("prod", GOOD)
    found = check_description("prod", GOOD)
    assert (found.environment, found.problems, found.has_all_checks) == (good, [], True)
    assert check_description("dev", described("domain", None)).problems == []


def test_a_reference_to_a_secret_is_resolved_by_azure_and_not_here() -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/t)"
    description = described("settings.CALLING_TENANTS", reference)
    description["settings"]["MicrosoftAppPassword"] = reference
    description["settings"]["CALLING_CREDENTIAL"] = "client-secret"
    assert check_description("prod", description).problems == []


def test_optional_members_have_defaults_and_arrive() -> None:
    good = Environment.from_description("prod", GOOD)
    assert good.global_location == "francecentral"
    assert (good.tags, good.certificate_reader) == ({"owner": "calls"}, "identity")
    assert good.network == GOOD["network"]["addressPrefixes"]
    assert good.workspaces == GOOD["workspaces"]
    assert good.files == ("certificates/bot.pem", "ca.pem")
    assert {*GOOD} == {*MEMBERS}
    plain = Environment.from_description("prod", {m: GOOD[m] for m in REQUIRED})
    assert (plain.global_location, plain.network) == ("westeurope", None)
    assert (plain.tags, plain.workspaces, plain.files) == ({}, {}, ())
    assert plain.certificate_reader == "appService"


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({}, ["workspaces"]),
        ({"globalLocation": ...}, ["globalLocation", "workspaces"]),
        ({"globalLocation": "southeastasia"}, ["globalLocation", "workspaces"]),
        ({"globalLocation": ..., "domain": None}, ["workspaces"]),
        ({"regions.2": ..., "rules": [], "network": None}, []),
        ({"regions": GOOD["regions"][:1], "rules": [], "network": None}, []),
    ],
)
def test_what_will_hurt_when_a_location_is_lost_is_advised(
    changes: dict[str, object], places: list[str]
) -> None:
    """It is no problem, so the deployment goes on."""
    found = check_description("prod", changed(GOOD, changes))
    assert found.problems == []
    assert [advice.partition(":")[0] for advice in found.advice] == places


HOST = "regions.0.defaultHostName"
WORKLOAD = "must be 2 to 12 lower-case letters and digits"
CODE = "must be 2 to 6 lower-case letters"
NEARLY = "«West Europe» is not an Azure location; did you mean «westeurope»?"
DOMAIN = "must be a domain name"
TOO_LONG = "the storage account «sttmscallswebhprodweuxxxxxx» would have"
RANGE = "network.addressPrefixes"
WORKSPACE = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-shared"
    "/providers/Microsoft.OperationalInsights/workspaces/log-weu"
)
UNKNOWN = "is not a setting of the app"
DISABLED = [{"code": "weu", "location": "westeurope", "enabled": False}]
MANY = [{"code": f"r{n}", "location": "westeurope"} for n in range(21)]
PARTITIONS = "must be a list of names, or an object of names and URLs."
BOT = "https://bot.contoso.com/api/calling"
DRAINING = {"url": BOT, "draining": True}
# A place, what is wrong with it, and values with which it is.
PLACES: list[tuple[Any, ...]] = [
    # What the file is.
    *((name, "is missing.", ...) for name in REQUIRED),
    ("setings", "is unknown; did you mean «settings»?", {}),
    ("whatever", "is unknown.", 1),
    ("workload", WORKLOAD, 7, "Tms", "tms-calls", "7calls"),
    # The regions.
    ("regions", "must be a list with at least one region.", {}, []),
    ("regions", "are all disabled, so the global host would lead nowhere.", DISABLED),
    ("regions", "has 21; a bot can trust at most 20.", MANY),
    ("regions.0", "must be an object with a code.", "weu"),
    ("regions.0.code", "is missing.", ...),
    ("regions.0.code", CODE, "w", "WEU", "w-eu", "westeur", 7),
    ("regions.0.code", "«global» is the name of the global", "global"),
    ("regions.1.code", "«weu» is already used by regions[0].", "weu"),
    ("regions.1.code", "«asuid» is reserved for Azure's", "asuid"),
    ("regions.0.location", "is missing.", ...),
    ("regions.0.location", "must be the name of an Azure", 7),
    ("regions.0.location", NEARLY, "West Europe"),
    ("regions.0.location", "«atlantis» is not an Azure location", "atlantis"),
    ("regions.0.loction", "is unknown; did you mean «location»?", "x"),
    ("regions.0.enabled", "must be true or false.", "yes", 1),
    ("regions.0.priority", "must be a whole number", 0, 1001, True),
    ("regions.0.partitions", PARTITIONS, None, "a", 7),
    ("regions.0.partitions", "has an ill-formed name.", ["A b"], [1], {"a_b": BOT}),
    ("regions.0.partitions", "has a name twice.", ["a", "b", "a"]),
    ("regions.0.partitions", "entry 2 must be a URL, or an object", {"a": BOT, "b": 1}),
    ("regions.0.partitions", "entry 1 must be an https URL", {"a": "http://b.test/"}),
    ("regions.0.partitions", "leaves no partition for new calls", {"a": DRAINING}),
    # The domain.
    ("domain", "must be null or an object with zone", "contoso.com"),
    ("domain.label", "is unknown", "x"),
    ("domain.zone", "is missing.", ...),
    ("domain.zone", DOMAIN, "calls", "calls..contoso.com", 7),
    ("domain.zone", DOMAIN, "calls.contoso.com:443", "https://contoso.com"),
    ("domain.zone", "must be in lower case.", "Calls.contoso.com"),
    ("domain.zone", "must have at most 180", ".".join(["a" * 50] * 4)),
    ("domain.zone", "belongs to Traffic Manager", "b.trafficmanager.net"),
    ("domain.zone", "belongs to Traffic Manager", "b.usgovtrafficmanager.net"),
    ("domain.zone", "belongs to Azure", "azurewebsites.net"),
    ("domain.globalLabel", "must be one label", "a.b", ""),
    ("domain.globalLabel", "«asuid» is reserved for Azure's", "asuid"),
    ("domain.keyVaultId", "is missing.", ...),
    ("domain.keyVaultId", "must be the resource ID", "kv-calls"),
    ("domain.secretName", "must be the name of a cert", "a_b"),
    # Hosts that would loop.
    (
        HOST,
        "belongs to Traffic Manager: a redirect to it loops.",
        "x.trafficmanager.net",
    ),
    (HOST, "is the global host: a redirect to it loops.", "global.calls.contoso.com"),
    (HOST, "is in the zone, but hosts of the zone are", "weu.calls.contoso.com"),
    (HOST, "must be a host name", "https://app.azurewebsites.net", 7),
    (HOST, "must be the app's default", "x.net"),
    # The rules.
    ("rules", "must be a list, [] if there are none.", {}),
    ("rules.0", "must be an object with regions.", "weu"),
    ("rules.0.country", "is unknown; did you mean «countryCode»?", ["DE"]),
    ("rules.0.regions", "is missing.", ...),
    ("rules.0.regions", "must be a list of strings", [], "weu"),
    ("rules.0.regions", "«xxx» is not a region of", ["weu", "xxx"]),
    ("rules.0.regions", "«WEU» is not a region of this file.", ["WEU"]),
    ("rules.0.countryCode", "must be a list of strings", ["DE", ""], [49], None),
    ("rules.0.callee", "must be a list of strings", "+49"),
    ("rules.0.clientLocation", "must be a list of strings", []),
    ("rules.0.strict", "must be true or false.", "true", 1, None),
    ("rules.0.tenant", "«contoso» is not a tenant ID.", ["contoso"]),
    # The optional members.
    ("globalLocation", "must be the name of an Azure", 7, None),
    ("globalLocation", NEARLY, "West Europe"),
    ("tags", "must be an object, {} if there are none.", [], "x"),
    ("tags", "has 13; there can be at most 12.", {f"t{n}": "" for n in range(13)}),
    *(
        (f"tags.{n}", "has a name that a DNS", "x")
        for n in ("a/b", "cost center", "_x")
    ),
    ("tags.Region", "is written by the templates", "x"),
    ("tags.owner", "must be a string of at most 256", 7, "x" * 257),
    ("network", "must be null or an object with addressPrefixes.", [], "10.0.0.0/24"),
    ("network.prefix", "is unknown", "x"),
    ("network.addressPrefixes", "is missing.", ...),
    ("network.addressPrefixes", "must be an object with an address", "10.0.0.0/24"),
    (f"{RANGE}.neu", "is missing.", ...),
    (f"{RANGE}.xxx", "is not a region of this file.", "10.90.9.0/24"),
    (f"{RANGE}.weu", "must be a range of addr", "10.90.0.1/24", "x", 7, "::/64", None),
    (f"{RANGE}.weu", "must be from /16 to /25", "10.90.0.0/26", "10.0.0.0/8"),
    (f"{RANGE}.weu", "must be private", "8.8.8.0/24", "172.32.0.0/16"),
    (f"{RANGE}.weu", "overlaps 172.30.0.0/15", "172.31.4.0/24"),
    ("workspaces", "must be an object with workspaces", [], "x"),
    ("workspaces.xxx", "is not a region of this file.", WORKSPACE),
    ("workspaces.weu", "must be the resource ID of a", "log-weu", 7),
    ("certificateReader", "must be appService or identity.", "App", None, []),
    ("files", "must be a list of paths.", {}, "a.pem"),
    ("files.0", "must be the path of a .pem file.", "a.pfx", "", 7),
    ("files.0", "must be a path inside the", "../a.pem", "/a.pem", "shared/a.pem"),
    ("files.0", "must be a path inside the", "build/app/a.pem"),
    # The settings.
    ("settings", "must be an object, {} if there are none.", []),
    ("settings.CALLING_TENANT", f"{UNKNOWN}; did you mean «CALLING_TENANTS»", ""),
    ("settings.WEBSITE_TIME_ZONE", UNKNOWN, "x"),
    ("settings.CALLING_ANSWER", "must be a string", False),
    *((f"settings.{name}", "is written by the templates", "x") for name in OWNED),
    *(
        (f"settings.{name}", "is a secret", value)
        for name in SECRETS
        for value in ("x", "@Microsoft.KeyVault(x")
    ),
]
PROBLEMS = [
    *(
        (place, value, re.sub(r"\.(\d+)", r"[\1]", place) + f": {problem}")
        for place, problem, *values in PLACES
        for value in values
    ),
    # Problems that are told at another place, or in the words of the app.
    ("regions.0.priority", 2, "regions[1].priority: «2» is already used by regions[0]"),
    (
        "workload",
        "tmscallswebh",
        f"regions[0].code: {TOO_LONG}",
    ),
    ("domain.globalLabel", "sea", "regions[2].code: «sea» is the global host's label"),
    ("settings.CALLING_CLOUD", "gcc", "refuse to start: CALLING_CLOUD: must be one of"),
    ("settings.CALLING_REDIRECT_STATUS", "303", "CALLING_REDIRECT_STATUS: must be one"),
    ("settings.CALLING_PARTITIONS", '["a", "a"]', "CALLING_PARTITIONS: has a name"),
    ("settings.CALLING_CREDENTIAL", "client-secret", "MicrosoftAppPassword: is req"),
    ("settings.CALLING_CREDENTIAL", "certificate", "CALLING_CERTIFICATE_PATH: is req"),
    ("settings.CALLING_CA_BUNDLE", "my.pem", "«my.pem» is not one of files, so the"),
    ("tags.OWNER", "x", "tags.OWNER: is there twice: Azure ignores upper and"),
    (f"{RANGE}.neu", "10.90.0.0/25", f"{RANGE}.neu: overlaps the range of weu: they"),
]


def test_partitions_of_a_region_stand_alone() -> None:
    """A setting of all regions beside them would leave open which of the two counts."""
    description = described("regions.0.partitions", ["a"])
    [problem] = check_description("prod", description).problems
    assert problem.startswith("settings.CALLING_PARTITIONS: is for all regions, but")


def test_instances_on_a_host_of_the_environment_are_refused() -> None:
    """A delivery would come back to the webhook."""
    partitions = {"a": "https://sea.calls.contoso.com/api/calls"}
    changes = {"regions.0.partitions": partitions, "settings": {}}
    [problem] = check_description("prod", changed(GOOD, changes)).problems
    assert "CALLING_PARTITIONS: entry 1 is on a host of this product" in problem


def test_a_region_has_its_own_partitions() -> None:
    """The app of that region reads what the file says, and no other app does."""
    partitions = {"a": BOT, "b": DRAINING}
    changes = {"regions.0.partitions": partitions, "settings": {}}
    environment = check_description("prod", changed(GOOD, changes)).environment
    assert environment is not None
    settings = environment.app_settings("weu")
    assert json.loads(settings["CALLING_PARTITIONS"]) == partitions
    assert "CALLING_PARTITIONS" not in environment.app_settings("sea")


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


@pytest.mark.parametrize(
    "value", [None, True, 7, 1.5, "x", "x:y:z", [], [[]], {}, {"a": 1}, [{}], [None]]
)
def test_any_json_at_any_place_is_a_problem_or_fine(value: object) -> None:
    """No value causes an exception."""
    assert check_description("prod", value).problems
    for place in (
        *GOOD,
        *("regions.0", "regions.0.code", "regions.0.location", "regions.0.enabled"),
        *("regions.0.priority", "regions.0.defaultHostName"),
        "regions.0.partitions",
        *(f"domain.{name}" for name in GOOD["domain"]),
        *("rules.0", "rules.0.regions", "rules.0.tenant"),
        *("network.addressPrefixes", "tags.owner", "workspaces.weu", "files.0"),
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
    settings = {
        "MicrosoftAppId": APP_ID,
        "CALLING_ANSWER": "false",
        "CALLING_REGION": "weu",
        "CALLING_REGION_HOSTS": json.dumps(hosts),
    }
    assert read_settings(settings).problems == ()
    assert read_settings(
        {**settings, "CALLING_REGION_RULES": json.dumps(rules)}
    ).problems


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
        (b"{} x", "the file is not JSON: something follows its end."),
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
