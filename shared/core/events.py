"""Events: what a notification tells a bot.

One table, ``_ROWS``: the first row that fits an item names its event. A tolerant
reader: https://learn.microsoft.com/graph/api/resources/commsnotification says little,
and wire, documentation and SDK differ in spelling. Whatever an item holds, an event
comes of it, never an exception.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shared.core.event_types import (
    Call,
    Established,
    Event,
    Incoming,
    OperationCompleted,
    ParticipantJoining,
    Participants,
    Terminated,
    Tone,
    TransferFailed,
)
from shared.core.notifications import CallNotification
from shared.core.people import read_participants, read_person, text
from shared.core.strict_json import JsonObject

# The keys of a telephone, and Graph's words for them:
# https://learn.microsoft.com/graph/api/resources/toneinfo
TONES: Mapping[str, str] = {
    **{digit: f"tone{digit}" for digit in "0123456789"},
    "*": "star",
    "#": "pound",
    **{letter: letter.lower() for letter in "ABCD"},
}
_KEYS = {tone: key for key, tone in TONES.items()}
_CALL_TYPES = (None, "#microsoft.graph.call")
# From here on, resultInfo.code tells of a failure.
_FAILURE = 400
# https://learn.microsoft.com/graph/api/call-cancelmediaprocessing
_CANCELLED_SUBCODE = 8508
_CANCELLED_REASONS = ("operationcanceled", "mediaoperationcanceled")
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_BARE_GUID = re.compile(r"[0-9a-f]{32}")
_OPERATION_URL = re.compile(r"/operations/([^/?#]+)", re.IGNORECASE)


class _Item(NamedTuple):
    """One item, taken apart as far as the rows need it.

    Attributes:
        data: ``resourceData`` as it came; ``members`` where it is an object.
        state: of a call; ``None`` for what is no call.
        status: of an operation, in lower case.
        takes_incoming: it came on the calling webhook and no other region takes it.
    """

    notification: CallNotification
    data: object
    members: JsonObject
    is_call: bool
    state: str | None
    takes_incoming: bool


class _Row(NamedTuple):
    """One row: which items it names, and what the event carries beside call and raw."""

    event: type[Event]
    fits: Callable[[_Item], bool]
    read: Callable[[_Item], dict[str, Any]]


def event_type(
    raw: JsonObject, notification: CallNotification, *, takes_incoming: bool
) -> type[Event]:
    """Name the event of an item without making it.

    Args:
        raw: the item.
        notification: what ``read_notification`` read from it.
        takes_incoming: false on the callback route, where nothing is answered.
    """
    return _row_of(_open(raw, notification, takes_incoming=takes_incoming)).event


def read_event(
    raw: JsonObject,
    notification: CallNotification,
    call: Call,
    *,
    takes_incoming: bool,
) -> Event:
    """Make the event of an item; the arguments are those of ``event_type``."""
    item = _open(raw, notification, takes_incoming=takes_incoming)
    row = _row_of(item)
    return row.event(call=call, raw=raw, **row.read(item))


def read_joining(body: JsonObject, call: Call) -> ParticipantJoining:
    """Make the event of a ``participantJoiningNotification``, which is no item."""
    return ParticipantJoining(
        call=call, raw=body, participant_id=text(body.get("participantId"))
    )


def claim_of(event: Event) -> str | None:
    """Return by what an event is known when it comes again for the same call.

    ``None`` for what is handled each time: it has no identity, or does not tell it.
    """
    if isinstance(event, Established | Terminated):
        return event.name
    if isinstance(event, Tone) and event.sequence_id is not None:
        return f"tone {event.sequence_id}"
    if isinstance(event, OperationCompleted):
        operation = _operation_id(event.raw)
        return operation and f"operation {operation}"
    return None


def _open(
    raw: JsonObject, notification: CallNotification, *, takes_incoming: bool
) -> _Item:
    data = raw.get("resourceData")
    members = _object(data)
    is_call = (
        notification.sub_resource is None and members.get("@odata.type") in _CALL_TYPES
    )
    state = notification.state if is_call else None
    return _Item(notification, data, members, is_call, state, takes_incoming)


def _row_of(item: _Item) -> _Row:
    return next(row for row in _ROWS if row.fits(item))


def _is_operation_completed(item: _Item) -> bool:
    """A list is a roster, whatever its URL: so in an example of participant-invite."""
    return (
        _is_below(item, "operations")
        and type(item.data) is not list
        and (
            item.notification.change_type == "deleted"
            or _lower(item.members.get("status")) in {"completed", "failed"}
        )
    )


def _is_roster(item: _Item) -> bool:
    return _is_below(item, "participants") or (
        _is_below(item, "operations") and type(item.data) is list
    )


def _is_below(item: _Item, sub_resource: str) -> bool:
    return (item.notification.sub_resource or "").lower() == sub_resource


def _has_failed(item: _Item) -> bool:
    code = _result(item)["result_code"]
    return code is not None and code >= _FAILURE


def _incoming(item: _Item) -> dict[str, Any]:
    targets = item.members.get("targets")
    meeting, chat = item.members.get("meetingInfo"), item.members.get("chatInfo")
    return {
        "source": read_person(item.members.get("source")),
        "targets": [
            read_person(target)
            for target in (targets if type(targets) is list else [])
            if type(target) is dict
        ],
        "is_policy_recording": item.notification.is_policy_recording,
        "meeting_info": meeting if type(meeting) is dict else None,
        "chat_info": chat if type(chat) is dict else None,
    }


def _tone(item: _Item) -> dict[str, Any]:
    info = _object(item.members.get("toneInfo"))
    return {
        "key": _KEYS.get(_lower(info.get("tone")) or "", ""),
        "sequence_id": _integer(info.get("sequenceId")),
    }


def _operation(item: _Item) -> dict[str, Any]:
    members, result = item.members, _result(item)
    kind = text(members.get("@odata.type")) or ""
    reason = text(members.get("completionReason"))
    context = members.get("clientContext")
    return {
        "type": kind.removeprefix("#microsoft.graph.").removesuffix("Operation")
        or None,
        "client_context": context if type(context) is str else None,
        "status": _lower(members.get("status")),
        "completion_reason": reason,
        "is_cancelled": (reason or "").lower() in _CANCELLED_REASONS
        or result["result_subcode"] == _CANCELLED_SUBCODE,
        "recording_location": text(members.get("recordingLocation")),
        "recording_access_token": text(members.get("recordingAccessToken")),
        **result,
    }


def _operation_id(raw: JsonObject) -> str | None:
    """Return the operation's id; URLs write a GUID without dashes, in capitals.

    Examples of participant-invite have ``null`` and the URL ``operations/participants``
    for all of a call's invitations: that is none.
    """
    found = text(_object(raw.get("resourceData")).get("id"))
    for name in ("resourceUrl", "resource"):
        match = _OPERATION_URL.search(text(raw.get(name)) or "")
        if not found and match and match[1].lower() != "participants":
            found = match[1]
    bare = (found or "").replace("-", "").lower()
    return bare if _BARE_GUID.fullmatch(bare) else found


def _participants(item: _Item) -> dict[str, Any]:
    return {
        "participants": read_participants(item.data),
        "is_delta": type(item.data) is not list,
    }


def _result(item: _Item) -> dict[str, int | None]:
    info = _object(item.members.get("resultInfo"))
    subcode = _integer(info.get("subcode"))
    return {
        "result_code": _integer(info.get("code")),
        "result_subcode": _integer(info.get("subCode")) if subcode is None else subcode,
    }


def _integer(value: object) -> int | None:
    """Read a number, or digits in quotes as some examples have them."""
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def _lower(value: object) -> str | None:
    found = text(value)
    return None if found is None else found.lower()


def _object(value: object) -> JsonObject:
    return value if type(value) is dict else {}


def _nothing(_item: _Item) -> dict[str, Any]:
    return {}


_ROWS = (
    _Row(
        Incoming,
        lambda item: item.takes_incoming and item.notification.is_incoming_call,
        _incoming,
    ),
    _Row(
        Terminated,
        lambda item: (
            item.is_call
            and (
                item.notification.change_type == "deleted" or item.state == "terminated"
            )
        ),
        _result,
    ),
    _Row(
        Tone,
        lambda item: item.is_call and type(item.members.get("toneInfo")) is dict,
        _tone,
    ),
    _Row(
        TransferFailed,
        lambda item: item.state == "established" and _has_failed(item),
        _result,
    ),
    _Row(
        Established,
        lambda item: (
            item.state == "established"
            and _lower(_object(item.members.get("mediaState")).get("audio")) == "active"
        ),
        _nothing,
    ),
    _Row(OperationCompleted, _is_operation_completed, _operation),
    _Row(Participants, _is_roster, _participants),
    _Row(Event, lambda _item: True, _nothing),
)
