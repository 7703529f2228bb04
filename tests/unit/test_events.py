"""Events of notifications: the table of events, row by row."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.event_types import (
    Call,
    Established,
    Event,
    Incoming,
    OperationCompleted,
    ParticipantJoining,
    Participants,
    Result,
    Terminated,
    Tone,
    TransferFailed,
)
from shared.core.events import claim_of, event_type, read_event, read_joining
from shared.core.notifications import read_notification
from shared.core.people import Participant, Person, read_person

CALL = Call(id="abc", tenant_id="t", partition="p0", chain_id="chain")
USER = {"user": {"id": "u1", "displayName": "Ann", "tenantId": "t1"}}
ANN = Person(kind="user", id="u1", display_name="Ann", tenant_id="t1")


def item_of(
    data: object = None, change: str | None = "updated", below: str = ""
) -> dict[str, Any]:
    url = f"/communications/calls/abc{below}"
    return {"changeType": change, "resourceUrl": url, "resourceData": data}


def tell(item: Any, *, takes_incoming: bool = True) -> Event | None:
    """Read an item as the product will: only where it names a call."""
    found = read_notification(item)
    if found is None:
        return None
    event = read_event(item, found, CALL, takes_incoming=takes_incoming)
    assert type(event) is event_type(item, found, takes_incoming=takes_incoming)
    assert event.raw is item
    assert event.call is CALL
    return event


def told(*arguments: Any, **members: Any) -> Event:
    event = tell(item_of(*arguments, **members))
    assert event is not None
    return event


def carried(event: Event) -> dict[str, Any]:
    """Return what an event carries beside call and raw."""
    fields = {field.name for field in dataclasses.fields(event)} - {"call", "raw"}
    return {name: getattr(event, name) for name in fields}


ACTIVE = {"state": "established", "mediaState": {"audio": "active"}}
TONE = {"state": "established", "toneInfo": {"tone": "tone1", "sequenceId": 1}}
RESULT = {"code": "487", "subCode": "10003"}
FAILED = {"state": "established", "resultInfo": {"code": 500, "subCode": 7000}}
DONE = {"@odata.type": "#microsoft.graph.playPromptOperation", "status": "Completed"}


@pytest.mark.parametrize(
    ("item", "event"),
    [
        (item_of({"state": "incoming"}, "created"), Incoming),
        (item_of({"state": "Incoming"}, None), Incoming),
        (item_of({"state": "incoming"}, "updated"), Event),
        (item_of(None, "deleted"), Terminated),
        (item_of({"state": "incoming"}, "deleted"), Terminated),
        (item_of({"state": "Terminated"}), Terminated),
        (item_of({**TONE, "state": "terminated"}), Terminated),
        (item_of({"state": "terminating"}), Event),
        (item_of(TONE), Tone),
        (item_of({**TONE, **ACTIVE, "resultInfo": {"code": 500}}), Tone),
        (item_of({**ACTIVE, "toneInfo": None}), Established),
        (item_of(FAILED), TransferFailed),
        (item_of({**FAILED, **ACTIVE}), TransferFailed),
        (item_of({**FAILED, "state": "transferring"}), Event),
        (item_of({**ACTIVE, "resultInfo": {"code": 399}}), Established),
        (item_of({**ACTIVE, "resultInfo": {"code": "400"}}), TransferFailed),
        (item_of({**ACTIVE, "state": "Established"}), Established),
        (item_of({**ACTIVE, "mediaState": {"audio": "Active"}}), Established),
        (item_of({"state": "established"}), Event),
        (item_of({**ACTIVE, "mediaState": {"audio": "inactive"}}), Event),
        (item_of({**ACTIVE, "@odata.type": "#microsoft.graph.other"}), Event),
        (item_of(DONE, below="/operations/1"), OperationCompleted),
        (item_of({"status": "failed"}, below="/Operations/1"), OperationCompleted),
        (item_of(None, "deleted", "/operations/1"), OperationCompleted),
        (item_of({"status": 7}, "deleted", "/operations/1"), OperationCompleted),
        (item_of({"status": "running"}, below="/operations/1"), Event),
        (item_of(DONE), Event),
        (item_of([], below="/participants"), Participants),
        (item_of({}, "deleted", "/participants/1"), Participants),
        (item_of([], below="/operations/participants"), Participants),
        (item_of(None, "created", "/contentsharingsessions/1"), Event),
        (item_of(ACTIVE, below="/unheardOf"), Event),
    ],
)  # fmt: skip
def test_the_first_row_that_fits_names_the_event(
    item: dict[str, Any], event: type[Event]
) -> None:
    assert type(tell(item)) is event


def test_on_the_callback_route_an_incoming_call_has_no_row() -> None:
    item = item_of({"state": "incoming"}, "created")

    assert type(tell(item, takes_incoming=False)) is Event


def test_incoming_carries_who_calls_and_who_is_called() -> None:
    phone = {"identity": {"user": None, "phone": {"id": "+12065550100"}}}
    data = {
        "state": "incoming",
        "source": {
            "identity": USER,
            "countryCode": "DE",
            "region": "emea",
            "languageId": "de-DE",
        },
        "targets": [phone, 7, {"identity": {"encrypted": {"id": "x"}}}],
        "incomingContext": {"observedParticipantId": "p"},
        "meetingInfo": {"token": "secret"},
        "chatInfo": {"threadId": "19:x"},
    }

    event = told(data, "created")

    assert carried(event) == {
        "source": dataclasses.replace(
            ANN, country_code="DE", region="emea", language_id="de-DE"
        ),
        "targets": [
            Person(kind="phone", id="+12065550100"),
            Person(kind="encrypted", id="x"),
        ],
        "is_policy_recording": True,
        "meeting_info": {"token": "secret"},
        "chat_info": {"threadId": "19:x"},
    }
    assert "secret" not in repr(event)


def test_participant_joining_carries_who_joins() -> None:
    body = {"call": {"id": "abc"}, "participantId": "p1"}

    event = read_joining(body, CALL)

    assert event == ParticipantJoining(call=CALL, raw=body, participant_id="p1")
    assert read_joining({"call": 7}, CALL).participant_id is None


@pytest.mark.parametrize(
    ("result", "code", "subcode"),
    [
        ({"code": 0, "subcode": 7015}, 0, 7015),
        (RESULT, 487, 10003),
        ({"code": "-1", "subcode": None, "subCode": 5.0}, -1, 5),
        ({"code": "4x", "subcode": True}, None, None),
        ({"code": "9" * 5000, "subcode": float("inf")}, None, None),
        ("DiagCode", None, None),
    ],
)
def test_results_are_numbers_or_digits_in_quotes(
    result: object, code: int | None, subcode: int | None
) -> None:
    want = {"result_code": code, "result_subcode": subcode}

    assert carried(told({"resultInfo": result}, "deleted")) == want


@pytest.mark.parametrize(
    ("word", "key"),
    [
        *((f"tone{digit}", str(digit)) for digit in range(10)),
        *zip(("star", "pound", "a", "b", "c", "D"), "*#ABCD", strict=True),
        *(("Tone1", "1"), ("flash", ""), ("invented", ""), (None, ""), ([], "")),
    ],
)
def test_tone_carries_the_key_of_a_telephone(word: object, key: str) -> None:
    event = told({"toneInfo": {"tone": word, "sequenceId": "12"}})

    assert carried(event) == {"key": key, "sequence_id": 12}


@pytest.mark.parametrize(
    ("members", "want"),
    [
        ({}, {}),
        (DONE, {"type": "playPrompt", "status": "completed"}),
        ({"@odata.type": "#microsoft.graph.commsOperation"}, {"type": "comms"}),
        ({"@odata.type": 7, "status": [], "clientContext": {}}, {}),
        ({"clientContext": "menu"}, {"client_context": "menu"}),
        ({"completionReason": "unknown"}, {"completion_reason": "unknown"}),
        (
            {"completionReason": "operationCanceled"},
            {"completion_reason": "operationCanceled", "is_cancelled": True},
        ),
        (
            {"completionReason": "mediaOperationCanceled"},
            {"completion_reason": "mediaOperationCanceled", "is_cancelled": True},
        ),
        (
            {"resultInfo": {"code": 400, "subcode": 8508}},
            {"is_cancelled": True, "result_code": 400, "result_subcode": 8508},
        ),
        (
            {"recordingLocation": "https://file", "recordingAccessToken": "secret"},
            {"recording_location": "https://file", "recording_access_token": "secret"},
        ),
        ({"recordingLocation": "", "recordingAccessToken": ""}, {}),
    ],
)
def test_operation_completed_carries_what_the_operation_says(
    members: dict[str, Any], want: dict[str, Any]
) -> None:
    event = told(members, "deleted", "/operations/1")

    assert carried(event) == {**carried(OperationCompleted()), **want}
    assert "secret" not in repr(event)


def _member(**members: Any) -> dict[str, Any]:
    return {"id": "p1", "info": {"identity": USER}, "isInLobby": True, **members}


@pytest.mark.parametrize(
    ("data", "count", "is_delta"),
    [
        ([_member(), 7, _member(id="p2")], 2, False),
        ([], 0, False),
        ({"participants": [_member()], "sequenceNumber": 1}, 1, True),
        ({"participants": None}, 0, True),
        (_member(), 1, True),
        (None, 0, True),
    ],
)
def test_participants_carries_the_roster_or_what_changed(
    data: object, count: int, is_delta: bool
) -> None:
    event = told(data, below="/participants")

    assert isinstance(event, Participants)
    assert (len(event.participants), event.is_delta) == (count, is_delta)
    if count:
        assert event.participants[0] == Participant(
            **dataclasses.asdict(ANN),
            participant_id="p1",
            is_in_lobby=True,
            raw=_member(),
        )


def test_of_several_identities_the_one_that_can_be_called_names_the_person() -> None:
    found = read_person({"identity": {"guest": {"id": "g"}, "user": {"id": "u"}}})

    assert (found.kind, found.id) == ("user", "u")


# An operation's id as Graph writes it in an item and, but for the case, in its URL.
GUID = "0FE0623F-d628-42ed-b4bd-8ac290072cc5"
BARE = "0fe0623fd62842edb4bd8ac290072cc5"


@pytest.mark.parametrize(
    ("item", "claim"),
    [
        (item_of(ACTIVE), "established"),
        (item_of(None, "deleted"), "terminated"),
        (item_of(TONE), "tone 1"),
        (item_of({"toneInfo": {"tone": "tone1"}}), None),
        (item_of({"id": GUID}, "deleted", "/operations/9"), f"operation {BARE}"),
        (item_of(None, "deleted", f"/operations/{BARE.upper()}"), f"operation {BARE}"),
        (item_of({"id": "op-1-11"}, "deleted", "/operations/9"), "operation op-1-11"),
        (item_of({"id": None}, "deleted", "/operations/participants"), None),
        (item_of(FAILED), None),
        (item_of([], below="/participants"), None),
    ],
)
def test_what_comes_again_is_known_by_its_claim(
    item: dict[str, Any], claim: str | None
) -> None:
    event = tell(item)

    assert event is not None
    assert claim_of(event) == claim


@pytest.mark.parametrize(
    "made",
    [Call, *Event.__subclasses__(), *Result.__subclasses__(), Person, Participant],
)
def test_events_are_frozen_and_every_field_has_a_default(made: type[Any]) -> None:
    assert made() == made()
    with pytest.raises(dataclasses.FrozenInstanceError):
        made().raw = {}
    with pytest.raises(TypeError):
        made("an argument by position")


_NAMES = (
    ("deleted.json", "terminated"),
    ("incoming", "incoming"),
    ("tone.json", "tone"),
    ("transfer-failed", "transfer_failed"),
    ("operation-", "operation_completed"),
    ("roster", "participants"),
    ("terminated", "terminated"),
    ("transfer-completed", "terminated"),
    ("policy-based", "incoming"),
)


def test_every_documented_notification_is_told_rightly(shared_data: Path) -> None:
    """Examples of `established` do not say that audio flows: they are none."""
    examples = sorted((shared_data / "payloads" / "graph-docs").glob("*.json"))
    wrong = {}
    for path in examples:
        if "INVALID" in path.name:
            continue
        (item,) = json.loads(path.read_bytes())["value"]
        want = next((name for part, name in _NAMES if part in path.name), "event")
        event = tell(item)
        if event is None or event.name != want:
            wrong[path.name] = event

    assert len(examples) == 54
    assert wrong == {}


def test_other_documented_notifications_are_told_rightly(shared_data: Path) -> None:
    found = [
        getattr(tell(item), "name", None)
        for path in sorted((shared_data / "payloads").glob("[gs]*-*/[gS]*.json"))
        + sorted((shared_data / "payloads" / "synthetic").glob("*.json"))
        if "graph-docs" not in path.parts
        for item in json.loads(path.read_bytes()).get("value", [])
    ]

    assert found == [
        *("event", "event"),
        *("incoming", "established", "participants", "terminated"),
        "incoming",
    ]


_BELOW = st.sampled_from(["", "/operations/1", "/participants"])
_WORDS = st.sampled_from(["established", "active", "tone1", "deleted", "completed"])
_MEMBERS = st.sampled_from(
    [
        "@odata.type", "state", "toneInfo", "tone", "sequenceId", "resultInfo", "code",
        "mediaState", "audio", "source", "targets", "identity", "user", "status", "id",
        "clientContext", "completionReason", "participants", "info", "meetingInfo",
        "incomingContext", "recordingLocation",
    ]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_MEMBERS | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=15,
)
_ITEMS = st.builds(item_of, _JSON, _WORDS | _JSON, _BELOW)


@given(item=_ITEMS | _JSON)
def test_any_item_is_an_event_or_none_and_never_an_exception(item: Any) -> None:
    event = tell(item)

    assert event is None or isinstance(claim_of(event), str | None)
    assert isinstance(read_joining({"participantId": item}, CALL).name, str)
