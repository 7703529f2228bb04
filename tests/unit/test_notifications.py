"""Reading notifications: tolerant of everything but the call id."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.core.notifications import CallNotification, read_notification
from tests.simulator.platform.notifications import (
    established,
    incoming,
    roster,
    terminated,
)
from tests.simulator.services.signing import TENANT_ID
from tests.support.rules import call_from

CALL = call_from("DE")
GRAPH = "#microsoft.graph"


def read(item: Any) -> CallNotification:
    """Read an item that names a call."""
    found = read_notification(item)
    assert found is not None
    return found


def item_of(url: object = "/app/calls/abc", **members: Any) -> dict[str, Any]:
    """Return an item about an incoming call, with some members changed."""
    data = {"@odata.type": f"{GRAPH}.call", "state": "incoming"}
    base = {"changeType": "created", "resourceUrl": url, "resourceData": data}
    return {**base, **members}


def test_an_incoming_call_is_read_whole() -> None:
    call = call_from("DE", is_policy_recording=True, media_hosted_region="ASEA")

    found = read(incoming(call, "https://bot")["value"][0])

    assert found.is_incoming_call
    assert found.is_policy_recording
    assert found.call_id == call.call_id
    assert found.tenant_id == TENANT_ID
    assert (found.country_code, found.source_region) == ("DE", "emea")
    assert found.media_hosted_region == "ASEA"
    assert found.claimed_call_id is None


@pytest.mark.parametrize(
    ("body", "state", "sub_resource"),
    [
        (established(CALL, is_audio_active=True), "established", None),
        (terminated(CALL), "terminated", None),
        (roster(CALL), None, "participants"),
    ],
)
def test_follow_ups_are_no_incoming_calls(
    body: dict[str, Any], state: str | None, sub_resource: str | None
) -> None:
    found = read(body["value"][0])

    assert (found.state, found.sub_resource) == (state, sub_resource)
    assert not found.is_incoming_call


@pytest.mark.requirement("R21")
@pytest.mark.parametrize(
    "url",
    [
        "/app/calls/abc-DEF_1", "app/calls/abc-DEF_1", "/App/Calls/abc-DEF_1",
        "/app/calls/abc-DEF_1/", "/app/calls/abc-DEF_1?query=1",
        "/communications/calls/abc-DEF_1",
        "/v1.0/communications/calls/abc-DEF_1", "/beta/communications/calls/abc-DEF_1",
        "https://graph.microsoft.com/v1.0/communications/calls/abc-DEF_1",
        "https://graph.microsoft.com/app/calls/abc-DEF_1",
    ],
)  # fmt: skip
def test_resource_urls_are_read_in_all_their_forms(url: str) -> None:
    for name in ("resource", "resourceUrl"):
        found = read({**item_of(None), name: url})
        assert found.call_id == "abc-DEF_1"
        assert found.is_incoming_call


@pytest.mark.requirement("R21")
@pytest.mark.parametrize(
    "call_id",
    [
        "", "..", ".", "../../users", "..%2f..%2fusers", "a%2fb", "%61", "a b", "a#b",
        "a;b", "a\nb", "a\r\nX: y", "a\x00", "\uff41",
        # These four equal s, k and i where case is ignored beyond ASCII.
        "a\u017f", "\u212a", "\u0130", "\u0131",
        "é", "a\u202eb", "a@evil.example", "a:b", "a\\b", "a" * 129, "a\n", "$(id)",
        "'", '"', "<a>", "{id}", "a&b", "a=b", "a+b", "a*",
    ],
)  # fmt: skip
def test_a_hostile_call_id_makes_an_item_unreadable(call_id: str) -> None:
    """The id becomes part of a URL that is called with a token."""
    found = read_notification(item_of(f"/app/calls/{call_id}"))

    assert found is None or found.call_id == call_id.split("/", maxsplit=1)[0]
    if "/" not in call_id:
        assert found is None


@pytest.mark.requirement("R23")
@pytest.mark.parametrize(
    "item",
    [
        *(None, 1, "x", [], {}),
        {"resourceData": {"id": "abc", "state": "incoming"}},
        *map(item_of, (None, 1, [], {}, "/app/other/abc", "/users/abc", "/app/calls")),
        item_of("ftp://x/app/calls/abc"),
        item_of("//evil.example/app/calls/abc"),
    ],
)
def test_an_item_without_a_usable_resource_is_unreadable(item: object) -> None:
    assert read_notification(item) is None


@pytest.mark.requirement("R23")
@pytest.mark.parametrize(
    ("members", "is_incoming"),
    [
        ({}, True),
        ({"changeType": "Created"}, True),
        ({"changeType": None}, True),
        ({"changeType": "updated"}, False),
        ({"changeType": "deleted"}, False),
        ({"changeType": "invented"}, False),
        ({"changeType": 7}, True),
        ({"resourceData": {"state": "Incoming"}}, True),
        ({"resourceData": {"state": "incoming"}}, True),
        ({"resourceData": {"state": "established"}}, False),
        ({"resourceData": {"state": "unknownFutureValue"}}, False),
        ({"resourceData": {"state": 1}}, False),
        ({"resourceData": {}}, False),
        ({"resourceData": None}, False),
        ({"resourceData": []}, False),
        ({"resourceData": "incoming"}, False),
        (
            {"resourceData": {"@odata.type": f"{GRAPH}.CALL", "state": "incoming"}},
            False,
        ),
        ({"resourceData": {"@odata.type": "#evil", "state": "incoming"}}, False),
        ({"resourceData": {"@odata.type": {}, "state": "incoming"}}, False),
        ({"resourceUrl": "/app/calls/abc/participants"}, False),
        ({"resourceUrl": "/app/calls/abc/operations/x"}, False),
    ],
)
def test_only_a_new_call_that_waits_is_an_incoming_call(
    members: dict[str, Any], is_incoming: bool
) -> None:
    assert read(item_of(**members)).is_incoming_call is is_incoming


def test_the_url_counts_where_the_id_differs() -> None:
    """The difference is logged, see docs/behaviour.md section 2."""
    found = read(item_of(resourceData={"state": "established", "id": "other"}))

    assert (found.call_id, found.claimed_call_id) == ("abc", "other")
    same = read(item_of(resourceData={"state": "established", "id": "ABC"}))
    assert same.claimed_call_id is None


def test_the_second_url_serves_where_the_first_cannot() -> None:
    """Real notifications have carried both members for years."""
    assert read(item_of("nonsense", resource="/app/calls/abc")).call_id == "abc"


@pytest.mark.parametrize("value", [None, 1, "", [], {}, "x" * 257])
def test_odd_values_count_as_missing(value: object) -> None:
    data = {
        "state": "incoming",
        "tenantId": value,
        "source": {"countryCode": value, "region": value},
        "applicationMetadata": {"botData": {"mediaHostedRegion": value}},
        "incomingContext": value,
    }

    found = read(item_of(resourceData=data))

    assert found.tenant_id is None
    assert found.country_code is None
    assert found.source_region is None
    assert found.media_hosted_region is None
    assert not found.is_policy_recording


def test_published_notifications_mean_what_they_say(shared_data: Path) -> None:
    """The file's name tells what each example of the documentation means."""
    folder = shared_data / "payloads" / "graph-docs"
    seen = 0
    for path in sorted(folder.glob("*.json")):
        if "INVALID" in path.name:
            continue
        for item in json.loads(path.read_bytes())["value"]:
            found = read_notification(item)
            assert found is not None, path.name
            seen += 1
            expects_incoming = "incoming" in path.name or "policy-based" in path.name
            is_redirected_end = "redirect" in path.name and "terminated" in path.name
            if not is_redirected_end:
                assert found.is_incoming_call is expects_incoming, path.name
            assert found.is_policy_recording is ("policy-based" in path.name)
            for state in ("establishing", "established", "terminated"):
                if path.name.endswith(f"{state}.json"):
                    assert found.state == state or is_redirected_end, path.name
            if "roster" in path.name:
                assert found.sub_resource in {"participants", "operations"}, path.name

    assert seen >= 45


def test_notifications_without_data_are_follow_ups(shared_data: Path) -> None:
    """Content sharing sends no resourceData."""
    folder = shared_data / "payloads" / "graph-other"
    for path in folder.glob("graph_*.json"):
        found = read(json.loads(path.read_bytes())["value"][0])
        assert found.sub_resource == "contentsharingsessions"


def test_a_batch_is_read_item_by_item(shared_data: Path) -> None:
    path = shared_data / "payloads/synthetic/SYNTHETIC_batch_two_calls_in_one_post.json"
    items = json.loads(path.read_bytes())["value"]

    found = [read_notification(item) for item in items]

    assert [n.is_incoming_call for n in found if n] == [True, False, False, False]
