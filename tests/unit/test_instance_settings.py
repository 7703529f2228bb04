"""docs/settings.md: partitions with instances, and how to deliver to them."""

import json
from typing import Any

import pytest

from shared.core.instances import Instance
from shared.settings import SettingsReport, read_settings
from tests.simulator.services.signing import APP_ID

AUDIENCE = "api://bot.example"


def report(partitions: object, **changes: str) -> SettingsReport:
    """Read the settings of a region with these partitions."""
    return read_settings(
        {
            "MicrosoftAppId": APP_ID,
            "CALLING_REGION": "weu",
            "CALLING_REGION_HOSTS": '{"weu": "weu.example", "sea": "sea.example:8443"}',
            "CALLING_GLOBAL_HOST": "calls.example",
            "WEBSITE_HOSTNAME": "app.example",
            "CALLING_PARTITIONS": json.dumps(partitions),
            **changes,
        }
    )


def test_each_partition_has_its_instance() -> None:
    found = report(
        {
            "a": "https://a.example/api/calling",
            "b": {"url": "https://b.example:8443/x", "draining": True},
            "c": {"url": "https://c.example"},
        },
        CALLING_DELIVERY_AUDIENCE=AUDIENCE,
    )
    assert (found.problems, found.warnings) == ((), ())
    assert found.settings is not None
    delivery = found.settings.delivery
    assert delivery.partitions == ("a", "b", "c")
    assert delivery.instances == {
        "a": Instance("https://a.example/api/calling"),
        "b": Instance("https://b.example:8443/x", is_draining=True),
        "c": Instance("https://c.example"),
    }
    assert (delivery.is_direct, delivery.audience) == (False, AUDIENCE)


@pytest.mark.parametrize("partitions", [["a", "b"], []])
def test_a_list_of_names_has_no_instances(partitions: list[str]) -> None:
    found = report(partitions)
    assert found.settings is not None
    assert found.settings.delivery.instances == {}


URL_SENTENCE = "must be an https URL without user info, query and fragment."
PROBLEMS: list[tuple[Any, str]] = [
    ({"a": "http://a.example"}, f"entry 1 {URL_SENTENCE}"),
    ({"a": "https://u:p@a.example"}, f"entry 1 {URL_SENTENCE}"),
    ({"a": "https://a.example/?x=1"}, f"entry 1 {URL_SENTENCE}"),
    ({"a": "https://a.example/#x"}, f"entry 1 {URL_SENTENCE}"),
    ({"a": "https://"}, f"entry 1 {URL_SENTENCE}"),
    ({"a": ""}, f"entry 1 {URL_SENTENCE}"),
    ({"a": "https://[x"}, f"entry 1 {URL_SENTENCE}"),
    ({"a": "https://[::1/"}, f"entry 1 {URL_SENTENCE}"),
    ({"a": "https://a.example:abc/"}, f"entry 1 {URL_SENTENCE}"),
    ({"a": "https://a.example:99999/"}, f"entry 1 {URL_SENTENCE}"),
    ({"a": 1}, "entry 1 must be a URL, or an object with url and draining."),
    ({"a": {}}, "entry 1 must be a URL, or an object with url and draining."),
    (
        {"a": {"url": "https://a.example", "drain": True}},
        "entry 1 must be a URL, or an object with url and draining.",
    ),
    (
        {"a": {"url": "https://a.example", "draining": 1}},
        "entry 1 must be a URL, or an object with url and draining.",
    ),
    ({"A": "https://a.example"}, "has an ill-formed name."),
    (
        {"a": {"url": "https://a.example", "draining": True}},
        "leaves no partition for new calls: all are draining.",
    ),
]


@pytest.mark.parametrize("way", ["forward", "direct"])
@pytest.mark.parametrize(("partitions", "problem"), PROBLEMS)
def test_what_is_wrong_with_an_instance_is_a_problem(
    partitions: object, problem: str, way: str
) -> None:
    """It is told once, whatever else is looked at in a URL that is none."""
    found = report(partitions, CALLING_DELIVERY=way)
    assert found.problems == (f"CALLING_PARTITIONS: {problem}",)
    assert found.warnings == ()


@pytest.mark.parametrize(
    "host",
    [
        "weu.example",
        "WEU.example",
        "weu.example:443",
        "sea.example:8443",
        "calls.example",
        "app.example",
    ],
)
def test_no_instance_is_on_a_host_of_our_own(host: str) -> None:
    assert report({"a": f"https://{host}/x"}).problems == (
        "CALLING_PARTITIONS: entry 1 is on a host of this product itself.",
    )


def test_another_port_is_another_host() -> None:
    assert report({"a": "https://weu.example:8443/x"}).problems == ()


def test_direct_needs_instances_and_no_audience() -> None:
    assert report(["a"], CALLING_DELIVERY="direct").problems == (
        "CALLING_DELIVERY: is direct, but no partition has a URL.",
    )
    both = report(
        {"a": "https://a.example"},
        CALLING_DELIVERY="direct",
        CALLING_DELIVERY_AUDIENCE=AUDIENCE,
    )
    assert [problem.split(":")[0] for problem in both.problems] == [
        "CALLING_DELIVERY_AUDIENCE"
    ]
    assert report({"a": "https://a.example"}, CALLING_DELIVERY="x").problems == (
        "CALLING_DELIVERY: must be one of forward, direct.",
    )


@pytest.mark.parametrize(
    "host", ["q.servicebus.windows.net", "q.servicebus.usgovcloudapi.net"]
)
def test_service_bus_needs_an_audience(host: str) -> None:
    partitions = {"a": f"https://{host}/queue/messages"}
    assert report(partitions).problems == (
        "CALLING_DELIVERY_AUDIENCE: is required to deliver to Service Bus.",
    )
    audience = "https://servicebus.azure.net"
    assert report(partitions, CALLING_DELIVERY_AUDIENCE=audience).problems == ()


@pytest.mark.parametrize(
    ("audience", "is_legal"),
    [
        ("api://x", True),
        ("https://servicebus.azure.net", True),
        (APP_ID, True),
        ("relative", False),
        ("//x", False),
        ("https://a b", False),
    ],
)
def test_an_audience_is_an_absolute_uri_or_a_guid(
    audience: str, *, is_legal: bool
) -> None:
    found = report({"a": "https://a.example"}, CALLING_DELIVERY_AUDIENCE=audience)
    assert (found.problems == ()) is is_legal


@pytest.mark.parametrize(
    ("changes", "is_used"),
    [
        ({"CALLING_DELIVERY_AUDIENCE": AUDIENCE}, True),
        ({"CALLING_STATE_URL": "https://x.blob.core.windows.net/state"}, True),
        ({}, False),
    ],
)
def test_the_identity_is_checked_wherever_it_gets_tokens(
    changes: dict[str, str], *, is_used: bool
) -> None:
    off = {"CALLING_ANSWER": "false", "CALLING_IDENTITY_CLIENT_ID": "not-a-guid"}
    problems = report({"a": "https://a.example"}, **off, **changes).problems
    expected = ("CALLING_IDENTITY_CLIENT_ID: must be a GUID.",) if is_used else ()
    assert problems == expected


def test_with_instances_a_callback_host_is_needed_also_without_answering() -> None:
    off = {"CALLING_ANSWER": "false", "CALLING_REGION": "", "CALLING_REGION_HOSTS": ""}
    nowhere = {**off, "CALLING_GLOBAL_HOST": "", "WEBSITE_HOSTNAME": ""}
    [problem] = report({"a": "https://a.example"}, **nowhere).problems
    assert problem.startswith("WEBSITE_HOSTNAME: is required")
    assert report(["a"], **nowhere).problems == ()


def test_a_host_that_the_platform_cannot_reach_is_told_by_who_is_posted_to() -> None:
    local = {"CALLING_REGION_HOSTS": '{"weu": "localhost:7071"}'}
    off = {**local, "CALLING_ANSWER": "false"}
    forward = report({"a": "https://10.0.0.4/x"}, **off)
    assert [each.split(":")[0] for each in forward.warnings] == ["CALLING_REGION_HOSTS"]
    direct = report({"a": "https://10.0.0.4/x"}, CALLING_DELIVERY="direct", **off)
    assert [each.split(":")[0] for each in direct.warnings] == ["CALLING_PARTITIONS"]
    assert (
        report({"a": "https://a.example"}, CALLING_DELIVERY="direct", **off).warnings
        == ()
    )
