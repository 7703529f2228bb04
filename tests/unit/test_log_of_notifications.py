"""What the log says of notifications: how something ended, and never whose it was."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from shared.core.context import LogFacts
from shared.core.notifications import read_notification
from shared.core.outcomes import ItemOutcome, Taken
from shared.core.reasons import Reason
from shared.core.webhook import Correlation
from shared.edge.telemetry import RequestLog
from shared.service import build_service
from shared.settings import read_settings
from tests.simulator.services.signing import APP_ID
from tests.support.answering import ended
from tests.support.internals import decide_by
from tests.support.rules import TOKENS, build_deployment, build_request
from tests.support.service import NO_HANDLERS, receive

TRANSFEROR = "8A34A46B-3D17-4ADC-8DCE-DC4E7D572698"
ASSISTANT = "550fae72-d251-43ec-868c-373732c2704f"
NUMBER = "+4930123456789"
# What a line may say of an item; the rest is about the request.
OF_ITEMS = {
    "change_type", "sub_resource", "call_state", "result_code", "result_subcode",
    "operation", "transferor", "on_behalf_of",
}  # fmt: skip


def call(change: str = "updated", path: str = "", **data: Any) -> dict[str, Any]:
    """Return an item about a call, or about something below it."""
    url = f"/communications/calls/a-call{path}"
    return {"changeType": change, "resourceUrl": url, "resourceData": data}


def operation(kind: str, **data: Any) -> dict[str, Any]:
    """Return an item about an operation that has ended."""
    item = call("deleted", "/operations/57dab8b1", **data)
    item["resourceData"]["@odata.type"] = f"#microsoft.graph.{kind}Operation"
    return item


def logged(*items: object) -> dict[str, Any]:
    """Return the fields of the line about a POST with these items."""
    return logged_as(Taken([ItemOutcome(Reason.ANSWERED) for _ in items]), *items)


def logged_as(outcome: Taken, *items: object) -> dict[str, Any]:
    """Return the fields of the line where the items ended like this."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("calling")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    facts = LogFacts("tenant", [read_notification(item) for item in items])
    request = build_request(None)
    try:
        RequestLog().write(request, Correlation("", "", ""), facts, outcome, {})
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    line = json.loads(lines[0])
    assert isinstance(line, dict)
    return line


def of_item(line: dict[str, Any]) -> dict[str, Any]:
    """Return what a line says of its only item."""
    return {name: value for name, value in line.items() if name in OF_ITEMS}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            call("deleted", state="terminated", resultInfo={"code": 487, "subcode": 3}),
            {
                "change_type": "deleted",
                "call_state": "terminated",
                "result_code": 487,
                "result_subcode": 3,
            },
        ),
        (
            call(state="established", resultInfo={"code": 500, "subCode": 7000}),
            {
                "change_type": "updated",
                "call_state": "established",
                "result_code": 500,
                "result_subcode": 7000,
            },
        ),
        (
            call(state="Terminating", resultInfo={"code": "0", "subcode": "7015"}),
            {
                "change_type": "updated",
                "call_state": "terminating",
                "result_code": 0,
                "result_subcode": 7015,
            },
        ),
        (
            operation(
                "playPrompt", status="completed", resultInfo={"code": 200, "subcode": 0}
            ),
            {
                "change_type": "deleted",
                "sub_resource": "operations",
                "operation": "playPrompt",
                "result_code": 200,
                "result_subcode": 0,
            },
        ),
        (
            {
                "changeType": "updated",
                "resourceUrl": "/communications/calls/a-call/participants",
                "resourceData": [{"info": {"identity": {"user": {"id": "x"}}}}],
            },
            {"change_type": "updated", "sub_resource": "participants"},
        ),
    ],
    ids=["dropped", "transfer failed", "numbers in quotes", "prompt ended", "roster"],
)
def test_a_follow_up_says_what_happened(
    item: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert of_item(logged(item)) == expected


def test_a_call_that_ended_and_one_that_was_dropped_look_different() -> None:
    ended = call("deleted", resultInfo={"code": 200, "subcode": 0})
    dropped = call("deleted", resultInfo={"code": 410, "subcode": 301005})

    assert of_item(logged(ended)) != of_item(logged(dropped))


def test_a_result_code_may_be_a_whole_number_with_a_fraction_of_zero() -> None:
    """As the bot is told it, so that log and handler agree."""
    line = logged(call("deleted", resultInfo={"code": 500.0, "subcode": 7015.0}))
    assert (line["result_code"], line["result_subcode"]) == (500, 7015)


@pytest.mark.parametrize("code", [True, 1.5, -1, 10**9, "x", "1e3", "", "٣", [], {}])
def test_what_is_no_result_code_is_left_out(code: object) -> None:
    assert "result_code" not in logged(call("deleted", resultInfo={"code": code}))


@pytest.mark.parametrize("kind", ["user", "application", "applicationInstance"])
def test_whoever_transferred_a_call_is_named_by_id(kind: str) -> None:
    """In lower case, as all ids here; the name beside it stays out."""
    context = {
        "transferor": {kind: {"id": TRANSFEROR, "displayName": "Ada"}},
        "onBehalfOf": {kind: {"id": ASSISTANT, "displayName": "Bob"}},
    }
    line = logged(call("created", state="incoming", incomingContext=context))

    assert line["transferor"] == TRANSFEROR.lower()
    assert line["on_behalf_of"] == ASSISTANT
    assert not {"Ada", "Bob"} & set(json.dumps(line).split('"'))


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    "identities",
    [
        {"phone": {"id": NUMBER}},
        {"user": {"id": NUMBER}},
        {"assertedIdentity": {"id": NUMBER}},
        {"user": {"id": "Ada Lovelace"}},
        {"phone": NUMBER},
        [NUMBER],
    ],
    ids=["phone", "user", "asserted", "a name", "no object", "list"],
)
def test_numbers_and_names_are_never_logged(identities: object) -> None:
    """The id of a phone is its number, wherever it stands."""
    context = {"transferor": identities, "onBehalfOf": identities}
    source = {"identity": identities}
    line = logged(call("created", incomingContext=context, source=source))

    assert NUMBER not in json.dumps(line)
    assert "Ada" not in json.dumps(line)


@pytest.mark.requirement("R27")
def test_tones_recordings_and_texts_stay_out_of_the_log() -> None:
    tone = call(toneInfo={"sequenceId": 1, "tone": "tone7"})
    record = operation(
        "record",
        recordingLocation="https://secret.example/1",
        recordingAccessToken="secret",
        clientContext="secret",
        resultInfo={"code": 200, "message": "secret"},
    )
    text = json.dumps([logged(tone), logged(record), logged(tone, record)])

    assert "secret" not in text
    assert "tone7" not in text


@pytest.mark.requirement("R27")
def test_what_the_sender_chose_is_cut() -> None:
    long = "x" * 256
    line = logged(call(long, f"/{'y' * 1000}", state=long))

    assert line["change_type"] == line["call_state"] == "x" * 64
    assert line["sub_resource"] == "y" * 64


def item_number(number: int, state: str = "incoming") -> dict[str, Any]:
    """Return an item about a call of its own."""
    change = "created" if state == "incoming" else "updated"
    item = call(change, state=state)
    return {**item, "resourceUrl": f"/communications/calls/call-{number}"}


def test_a_batch_lists_its_items_and_their_number_failures_first() -> None:
    """Twenty of them: the length of a line is bounded."""
    reasons = [Reason.ANSWERED] * 30
    reasons[25], reasons[27] = Reason.CALL_OVER, Reason.ANSWER_REFUSED
    outcomes = [ended(reason, 1, 202) for reason in reasons]
    outcomes.append(ItemOutcome(Reason.UNREADABLE_ITEM))
    outcomes.append(ItemOutcome(Reason.FOLLOW_UP))
    items: list[object] = [item_number(number) for number in range(30)]
    follow_up = item_number(31, "established")
    line = logged_as(Taken(outcomes), *items, {"no": "call"}, follow_up)

    assert line["item_count"] == 32
    assert len(line["items"]) == 20
    assert line["items"][0] == {
        "call_id": "call-27",
        "reason": "answer-refused",
        "next_step": Reason.ANSWER_REFUSED.next_step,
        "change_type": "created",
        "call_state": "incoming",
        "actions": [{"name": "answer", "status": 202, "attempts": 1}],
        "attempts": 1,
        "graph_status": 202,
    }
    assert line["items"][1] == {
        "reason": "unreadable-item",
        "next_step": Reason.UNREADABLE_ITEM.next_step,
    }
    assert line["items"][2]["call_id"] == "call-0"


def test_a_batch_of_follow_ups_lists_what_each_says() -> None:
    deleted = call("deleted", resultInfo={"code": 487, "subcode": 10003})
    follow_ups = [ItemOutcome(Reason.FOLLOW_UP)] * 2
    line = logged_as(Taken(follow_ups), deleted, item_number(2, "established"))

    assert line["items"] == [
        {
            "call_id": "a-call",
            "reason": "follow-up",
            "change_type": "deleted",
            "result_code": 487,
            "result_subcode": 10003,
        },
        {
            "call_id": "call-2",
            "reason": "follow-up",
            "change_type": "updated",
            "call_state": "established",
        },
    ]


def test_a_service_logs_a_follow_up_like_this(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From the POST to the line."""
    caplog.set_level(logging.INFO)
    environ = {"MicrosoftAppId": APP_ID, "CALLING_ANSWER": "false"}
    service = build_service(read_settings(environ), NO_HANDLERS)
    decide_by(service, build_deployment())
    ended = call("deleted", state="terminated", resultInfo={"code": 408})
    request = build_request(TOKENS, {"value": [ended]}, partition="default")
    receive(service, request)
    service.close()

    line = json.loads(caplog.records[-1].message)
    assert (line["reason"], line["call_id"]) == ("follow-up", "a-call")
    assert (line["call_state"], line["result_code"]) == ("terminated", 408)


def test_published_notifications_are_logged_with_their_results(
    shared_data: Path,
) -> None:
    """Whatever ends in the documentation's examples says how."""
    results = 0
    for path in sorted((shared_data / "payloads" / "graph-docs").glob("*.json")):
        if "INVALID" in path.name:
            continue
        for item in json.loads(path.read_text("utf-8")).get("value", []):
            data = item.get("resourceData")
            result = data.get("resultInfo") if isinstance(data, dict) else None
            line = logged(item)
            assert line["change_type"] == item.get("changeType", "").lower(), path.name
            assert ("result_code" in line) is (result is not None), path.name
            is_operation = "Operation" in json.dumps(item.get("resourceData"))
            assert ("operation" in line) is is_operation, path.name
            results += result is not None
    assert results >= 10
