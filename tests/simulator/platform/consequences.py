"""Notifications of what call controls cause, and of what the caller does.

Shapes: the examples on Microsoft's pages, of which each function names one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulator.platform.media import Ending
from tests.simulator.platform.notifications import (
    Call,
    Json,
    batch,
    chat_info,
    item,
    meeting_info,
    notification,
)

_TONES = {
    **{digit: f"tone{digit}" for digit in "0123456789"},
    "*": "star",
    "#": "pound",
    "A": "a",
    "B": "b",
    "C": "c",
    "D": "d",
}
KEYS = frozenset(_TONES)


def keys_of(tones: Sequence[str]) -> str:
    """Return tones, in Graph's words, as the keys of a telephone."""
    keys = {tone: key for key, tone in _TONES.items()}
    return "".join(keys.get(tone, "?") for tone in tones)


def established(call: Call) -> list[Json]:
    """Return what the wire tells of one call: without media, then thrice with it.

    The three are bare, with its chat, and as a meeting.

    Microsoft's sample VoiceRecorderAndPlaybackBot expects several, too.
    """
    active = {"@odata.type": "#microsoft.graph.callMediaState", "audio": "active"}
    bare: Json = {"mediaState": active}
    with_chat = bare | chat_info(call)
    return [
        batch(item(call, "updated", "established", members))
        for members in ({}, bare, with_chat, with_chat | meeting_info(call))
    ]


def tone(call: Call, key: str, sequence_id: int) -> Json:
    """https://learn.microsoft.com/graph/api/call-subscribetotone."""
    info = {
        "@odata.type": "#microsoft.graph.toneInfo",
        "sequenceId": sequence_id,
        "tone": _TONES[key],
    }
    return batch(item(call, "updated", "established", {"toneInfo": info}))


def state(call: Call, name: str) -> Json:
    """Such as ``transferring``: https://learn.microsoft.com/graph/api/call-transfer."""
    return batch(item(call, "updated", name))


def transfer_failed(call: Call, code: int, subcode: int) -> Json:
    """https://learn.microsoft.com/graph/api/call-transfer: ``subCode``, as there."""
    result = {
        "@odata.type": "#microsoft.graph.resultInfo",
        "code": code,
        "subCode": subcode,
        "message": "The transfer has failed.",
    }
    return batch(item(call, "updated", "established", {"resultInfo": result}))


def ended(call: Call, code: int, subcode: int, message: str) -> Json:
    """https://learn.microsoft.com/graph/api/call-delete."""
    result = _result(code, subcode, message)
    return batch(item(call, "deleted", "terminated", {"resultInfo": result}))


def operation_ended(
    call: Call,
    kind: str,
    operation_id: str,
    ending: Ending,
    members: Mapping[str, Any],
) -> Json:
    """https://learn.microsoft.com/graph/api/call-playprompt and call-record."""
    data = {
        "@odata.type": f"#microsoft.graph.{kind}Operation",
        "id": operation_id,
        "status": ending.status,
        "resultInfo": _result(ending.code, ending.subcode, ending.message),
        **members,
    }
    if ending.reason is not None:
        data["completionReason"] = ending.reason
    path = f"{call.call_id}/operations/{operation_id}"
    return batch(notification(path, "deleted", data))


def roster(call: Call, participants: Sequence[Mapping[str, Any]]) -> Json:
    """https://learn.microsoft.com/graph/api/call-mute: a list, not a call."""
    path = f"{call.call_id}/participants"
    return batch(notification(path, "updated", list(participants)))


def participant(identity: Json, known_as: str, *, is_muted: bool = False) -> Json:
    """Return one of a roster."""
    return {
        "@odata.type": "#microsoft.graph.participant",
        "id": known_as,
        "info": {
            "@odata.type": "#microsoft.graph.participantInfo",
            "identity": identity,
        },
        "isMuted": is_muted,
        "isInLobby": False,
    }


def _result(code: int, subcode: int, message: str) -> Json:
    return {
        "@odata.type": "#microsoft.graph.resultInfo",
        "code": code,
        "subcode": subcode,
        "message": message,
    }
