"""Settings: defaults, every problem, and that no value is ever told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
from trustme import KeyType

from shared.core.clouds import CLOUDS
from shared.credential_settings import CredentialKind
from shared.settings import NAMES, Settings, read_settings
from tests.simulator.services.authority import Authority

APP_ID = "5F0C7D1E-3b52-4c8e-9a41-6d2f8b7c9e10"
BARE = {"MicrosoftAppId": APP_ID, "WEBSITE_HOSTNAME": "app.azurewebsites.net"}
HOSTS = {"weu": "weu.example.org", "sea": "sea.example.org:8443"}
REGIONAL = {
    **BARE,
    "CALLING_REGION": "weu",
    "CALLING_REGION_HOSTS": json.dumps(HOSTS),
    "CALLING_GLOBAL_HOST": "global.example.org",
}


def _usable(environ: Mapping[str, str]) -> Settings:
    report = read_settings(environ)
    assert report.problems == ()
    assert report.settings is not None
    return report.settings


def _names(environ: Mapping[str, str]) -> list[str]:
    """Return the names that have a problem."""
    report = read_settings(environ)
    assert (report.settings is None) == bool(report.problems)
    return [problem.split(":", 1)[0] for problem in report.problems]


def test_only_the_app_id_is_required() -> None:
    """Functions itself tells the host name."""
    settings = _usable(BARE)

    assert settings.app_id == APP_ID.lower()
    assert settings.openid_configuration_url == (
        "https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration"
    )
    assert settings.metadata_issuer == "https://api.botframework.com"
    assert settings.issuers == {
        "https://api.botframework.com",
        "https://graph.microsoft.com",
    }
    assert settings.graph_url == "https://graph.microsoft.com/v1.0"
    assert settings.credential.login_url == "https://login.microsoftonline.com"
    assert settings.credential.kind is CredentialKind.MANAGED_IDENTITY
    assert settings.token_leeway_seconds == 300
    assert settings.redirect_status == 302
    assert settings.answer is True
    assert settings.tenants == frozenset()
    assert settings.partitions == ()
    assert settings.callback_host == "app.azurewebsites.net"


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_variable_counts_as_absent(blank: str) -> None:
    """Some tools can empty an app setting but not remove it."""
    names = [name for name in NAMES if name != "MicrosoftAppId"]

    assert _usable({**dict.fromkeys(names, blank), **BARE}) == _usable(BARE)
    assert _names({"MicrosoftAppId": blank}) == ["MicrosoftAppId", "WEBSITE_HOSTNAME"]


def test_a_cloud_sets_the_next_five() -> None:
    """For DoD no addresses of the platform are known, so they must be set."""
    settings = _usable({**BARE, "CALLING_CLOUD": "gcc-high"})

    assert settings.graph_url == "https://graph.microsoft.us/v1.0"
    assert "https://api.botframework.com/" in settings.issuers
    assert settings.credential.login_url == "https://login.microsoftonline.us"
    assert _names({**BARE, "CALLING_CLOUD": "dod"}) == [
        "CALLING_OPENID_CONFIGURATION_URL",
        "CALLING_METADATA_ISSUER",
        "CALLING_ISSUERS",
    ]
    assert set(CLOUDS) == {"public", "gcc-high", "dod"}


def test_a_region_has_its_own_host_for_callbacks() -> None:
    """Traffic Manager might send follow-ups for the global host elsewhere."""
    settings = _usable(REGIONAL)

    assert settings.callback_host == "weu.example.org"
    assert settings.region_hosts == HOSTS
    without = {**BARE, "CALLING_GLOBAL_HOST": "global.example.org"}
    assert _usable(without).callback_host == "global.example.org"


def test_without_answering_no_host_and_no_credential_is_needed() -> None:
    settings = _usable(
        {
            "MicrosoftAppId": APP_ID,
            "CALLING_ANSWER": "False",
            "CALLING_CREDENTIAL": "certificate",
            "CALLING_CERTIFICATE_PATH": "/nowhere",
        }
    )

    assert settings.answer is False
    assert settings.callback_host == ""


MALFORMED = {
    "MicrosoftAppId": ("not-a-guid", f"{{{APP_ID.lower()}}}"),
    "CALLING_CLOUD": ("china", "Public"),
    "CALLING_OPENID_CONFIGURATION_URL": (
        "http://provider.example/x", "provider.example", "https://user@provider.example",
        "https://provider.example/#x", "https://[::1", "https:///x",
    ),
    "CALLING_METADATA_ISSUER": ("http://issuer.example",),
    "CALLING_ISSUERS": ("https://a.example,http://b.example", "https://a.example,"),
    "CALLING_LOGIN_URL": ("http://login.example",),
    "CALLING_GRAPH_URL": ("graph.microsoft.com", "https://graph.microsoft.com/v1.0?x=1"),
    "CALLING_TENANTS": ("contoso.example", ","),
    "CALLING_TOKEN_LEEWAY_SECONDS": ("301", "-1", "5.0", "٣"),
    "CALLING_GLOBAL_HOST": ("https://global.example", "global.example/path"),
    "CALLING_REDIRECT_STATUS": ("301", "3O2"),
    "CALLING_ANSWER": ("yes", "1"),
    "CALLING_PARTITIONS": ("a,b", '{"a": 1}', '["A"]', '["a", "a"]', '["a", 1]'),
    "CALLING_CREDENTIAL": ("default",),
    "CALLING_IDENTITY_CLIENT_ID": ("not-a-guid",),
    "CALLING_CA_BUNDLE": ("/nowhere/bundle.pem", "/"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in MALFORMED for value in MALFORMED[name]],
)
def test_a_malformed_value_is_a_problem_by_name_and_not_by_value(
    name: str, value: str
) -> None:
    """The report may be shown to anybody."""
    report = read_settings({**BARE, name: value})

    assert _names({**BARE, name: value}) == [name]
    assert report.settings is None
    if len(value) > 2:
        assert value not in report.problems[0]


@pytest.mark.requirement("R20")
@pytest.mark.parametrize(
    "changes",
    [{"CALLING_REGION_HOSTS": ""}, *({"CALLING_REGION": c} for c in ("neu", "w/eu"))],
)
def test_a_region_needs_a_host(changes: dict[str, str]) -> None:
    assert _names({**REGIONAL, **changes}) == ["CALLING_REGION"]


@pytest.mark.requirement("R20")
@pytest.mark.parametrize(
    "changes",
    [
        {"CALLING_REGION": ""},
        {"CALLING_GLOBAL_HOST": "WEU.example.org"},
        {"CALLING_GLOBAL_HOST": "sea.example.org:8443"},
        *(
            {"CALLING_REGION_HOSTS": hosts}
            for hosts in (
                "[]",
                '{"weu": 1}',
                '{"weu": "a", "weu": "b"}',
                '{"weu": "https://a"}',
                '{"weu": "a.example", "w eu": "b.example"}',
                '{"weu": "a.example", "sea": "A.example:443"}',
                '{"weu": "x.trafficmanager.net"}',
            )
        ),
    ],
)
def test_hosts_that_could_loop_or_leave_are_problems(changes: dict[str, str]) -> None:
    """A redirect only goes to the hosts of the other regions."""
    assert _names({**REGIONAL, **changes}) == ["CALLING_REGION_HOSTS"]


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        (
            {
                "CALLING_REGION_HOSTS": json.dumps(
                    {
                        "weu": "no host",
                        "s ea": "x.trafficmanager.net",
                        "neu": "global.example.org",
                        "one": "same.example",
                        "two": "SAME.example:443",
                    }
                ),
                "CALLING_GLOBAL_HOST": "global.example.org",
                "CALLING_REGION_RULES": '[{"regions": ["weu"]}]',
            },
            [
                "entry 1 is not a host, with or without a port.",
                "entry 2 has an ill-formed region code.",
                "entry 2 is under trafficmanager.net.",
                "has two regions with one host.",
                "has the host of CALLING_GLOBAL_HOST.",
            ],
        ),
        (
            {
                "CALLING_REGION_RULES": json.dumps(
                    [
                        {"regions": ["neu"]},
                        {"regions": ["neu"], "x": ["a"]},
                        {"regions": ["weu"], "countryCode": []},
                        1,
                    ]
                )
            },
            [
                "rule 1 names a region without a host.",
                "rule 2 has an unknown condition.",
                "rule 2 names a region without a host.",
                "rule 3 must hold non-empty lists of strings only.",
                "rule 4 must be an object with regions.",
            ],
        ),
        (
            {"CALLING_REGION": " ", "CALLING_REGION_RULES": "[1"},
            [
                "needs CALLING_REGION.",
                "must be JSON, without duplicate members.",
                "needs CALLING_REGION.",
            ],
        ),
        (
            {"CALLING_PARTITIONS": '["A", 1, "p", "p"]'},
            ["has an ill-formed name.", "has a name twice."],
        ),
    ],
)
def test_every_problem_of_a_setting_is_told(
    changes: dict[str, str], problems: list[str]
) -> None:
    """One new deployment can then fix them all."""
    report = read_settings({**REGIONAL, **changes})

    assert [text.partition(": ")[2] for text in report.problems] == problems


@pytest.mark.parametrize(
    "rules",
    [
        *({}, "x", [1], [{}]),
        *([{"regions": regions}] for regions in ([], "weu", [1], [""], ["neu"])),
        [{"regions": ["weu"], "country": ["DE"]}],
        [{"regions": ["weu"], "countryCode": "DE"}],
        [{"regions": ["weu"], "countryCode": []}],
        [{"regions": ["weu"], "countryCode": [None]}],
        [{"regions": ["weu"]}, {"countryCode": ["DE"]}],
    ],
)
def test_malformed_rules_are_problems(rules: Any) -> None:
    environ = {**REGIONAL, "CALLING_REGION_RULES": json.dumps(rules)}

    assert _names(environ) == ["CALLING_REGION_RULES"]


def test_rules_are_read_in_order() -> None:
    rules = [{"countryCode": ["DE"], "regions": ["weu", "sea"]}, {"regions": ["sea"]}]
    settings = _usable({**REGIONAL, "CALLING_REGION_RULES": json.dumps(rules)})

    first, second = settings.region_rules
    assert dict(first.conditions) == {"countryCode": ("DE",)}
    assert (first.regions, second.regions) == (("weu", "sea"), ("sea",))
    assert dict(second.conditions) == {}


def test_rules_need_a_region() -> None:
    """Without CALLING_REGION nobody knows which region this is."""
    environ = {**BARE, "CALLING_REGION_RULES": '[{"regions": ["weu"]}]'}

    assert _names(environ) == ["CALLING_REGION_RULES"]


def test_tenants_are_compared_in_lower_case() -> None:
    """So is the app id: GUIDs have no case."""
    tenants = (
        "1FDD12D0-4620-44ED-BAEC-459B611F84B2, 3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87"
    )
    settings = _usable({**BARE, "CALLING_TENANTS": tenants})

    assert settings.tenants == {
        "1fdd12d0-4620-44ed-baec-459b611f84b2",
        "3c9a1d5e-7f24-4b68-8e13-0a5d2c6b4f87",
    }


def certificate_and_key(kind: KeyType) -> tuple[bytes, bytes]:
    """Return a fresh certificate and its private key, in PEM."""
    made = trustme.CA(key_type=kind).issue_cert("bot.example", key_type=kind)
    return made.cert_chain_pems[0].bytes(), made.private_key_pem.bytes()


def test_each_credential_needs_what_it_is_made_of(tmp_path: Path) -> None:
    secret = {**BARE, "CALLING_CREDENTIAL": "client-secret"}
    assert _names(secret) == ["MicrosoftAppPassword"]
    assert (
        _usable({**secret, "MicrosoftAppPassword": "x"}).credential.app_password == "x"
    )
    certificate = {**BARE, "CALLING_CREDENTIAL": "certificate"}
    assert _names(certificate) == ["CALLING_CERTIFICATE_PATH"]
    chain, key = certificate_and_key(KeyType.RSA)
    other_chain, other_key = certificate_and_key(KeyType.RSA)
    elliptic = b"".join(certificate_and_key(KeyType.ECDSA))
    path = tmp_path / "bot.pem"
    broken = (b"", chain, key, chain + other_key, other_chain + key, elliptic, b"\xff")
    for content in broken:
        path.write_bytes(content)
        environ = {**certificate, "CALLING_CERTIFICATE_PATH": str(path)}
        assert _names(environ) == ["CALLING_CERTIFICATE_PATH"]
    path.write_bytes(key + chain)
    assert _usable(environ).credential.certificate_path == str(path)


def test_a_ca_bundle_holds_certificates(tmp_path: Path) -> None:
    authority = Authority()
    path = tmp_path / "bundle.pem"
    path.write_bytes(b"nothing")
    assert _names({**BARE, "CALLING_CA_BUNDLE": str(path)}) == ["CALLING_CA_BUNDLE"]
    comment = "# Subject: Főtanúsítvány\n".encode()  # as in the bundles of systems
    path.write_bytes(comment + authority.bundle.read_bytes())
    assert _usable({**BARE, "CALLING_CA_BUNDLE": str(path)}).ca_bundle == str(path)


def test_an_unknown_setting_is_a_warning() -> None:
    """It may be a typing error, or newer than this code."""
    blank = {"CALLING_BLANK": " ", "CALLING_EMPTY": ""}
    report = read_settings({**BARE, **blank, "CALLING_REGIONS": "weu", "OTHER": "x"})

    assert report.settings is not None
    assert report.warnings == ("CALLING_REGIONS: unknown setting.",)


def test_all_problems_are_reported_together() -> None:
    """One new deployment can then fix them all."""
    environ = {
        "CALLING_CLOUD": "moon",
        "CALLING_ANSWER": "maybe",
        "CALLING_REGION": "weu",
        "CALLING_PARTITIONS": "x",
    }

    assert sorted(_names(environ)) == [
        "CALLING_ANSWER",
        "CALLING_CLOUD",
        "CALLING_PARTITIONS",
        "CALLING_REGION",
        "MicrosoftAppId",
    ]


def test_the_region_is_told_also_where_settings_are_unusable() -> None:
    """Whoever looks at health wants to know which region this is."""
    report = read_settings({**REGIONAL, "CALLING_ANSWER": "maybe"})

    assert report.settings is None
    assert report.region == "weu"


@pytest.mark.requirement("R27")
def test_settings_do_not_show_their_secret() -> None:
    """A repr may reach a log by accident."""
    environ = {
        **BARE,
        "CALLING_CREDENTIAL": "client-secret",
        "MicrosoftAppPassword": "very-secret",
    }

    assert "very-secret" not in repr(_usable(environ))
