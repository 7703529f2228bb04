"""Notifications as the platform sends them, with made-up ids.

Shapes: https://learn.microsoft.com/graph/api/call-answer (Graph) and the legacy
calling protocol of BotBuilder-V3. ``resource`` and ``resourceUrl`` are both there, as
on the wire.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

type Json = dict[str, Any]

# Of the user whose call is recorded by policy.
CLIENT_LOCATION = "US"


def new_id() -> str:
    """Return a random id in the platform's form."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call, as far as its notifications tell of it.

    Attributes:
        country_code, caller_region: where the caller is, for region rules.
        caller_id: of the user who calls; a number that begins with ``+`` is a phone.
        caller_kind: of their identity, where the id does not tell it: ``guest``.
    """

    tenant_id: str
    call_id: str = field(default_factory=new_id)
    chain_id: str = field(default_factory=new_id)
    country_code: str | None = "DE"
    caller_region: str | None = "emea"
    is_policy_recording: bool = False
    media_hosted_region: str | None = None
    is_group: bool = False
    caller_id: str = field(default_factory=new_id)
    caller_kind: str | None = None
    language_id: str = "en-us"


def legacy_incoming(call: Call) -> Json:
    """Return the legacy form of an incoming call; its id is not the Graph call id."""
    return {
        "id": new_id(),
        "participants": [
            {
                "identity": f"8:orgid:{new_id()}",
                "languageId": "en-us",
                "tenantId": call.tenant_id,
                "region": call.caller_region,
                "originator": True,
            },
            {"identity": f"28:{new_id()}", "originator": False},
        ],
        "isMultiparty": False,
        "presentedModalityTypes": ["audio"],
        "callState": "incoming",
        "tenantId": call.tenant_id,
    }


def incoming(call: Call, webhook: str) -> Json:
    """Return the Graph form of an incoming call."""
    source = {
        "@odata.type": "#microsoft.graph.participantInfo",
        "id": new_id(),
        "identity": caller_identity(call),
        "endpointType": "default",
        "countryCode": call.country_code,
        "region": call.caller_region,
        "languageId": call.language_id,
    }
    members: Json = {
        "direction": "incoming",
        "callbackUri": webhook,
        "callChainId": call.chain_id,
        "source": {name: value for name, value in source.items() if value is not None},
        "targets": [
            {
                "@odata.type": "#microsoft.graph.invitationParticipantInfo",
                "identity": identity("application"),
            }
        ],
        "myParticipantId": new_id(),
    }
    if call.is_policy_recording:
        members |= _policy_recording(call)
    if call.is_group:
        members |= chat_info(call) | meeting_info(call)
    return batch(item(call, "created", "incoming", members))


def establishing(call: Call) -> Json:
    """Return the follow-up while media is set up."""
    return batch(item(call, "updated", "establishing"))


def established(call: Call, *, is_audio_active: bool) -> Json:
    """Return the follow-up of an answered call; it comes twice, then with audio."""
    state = {"@odata.type": "#microsoft.graph.callMediaState", "audio": "active"}
    members = {"mediaState": state} if is_audio_active else {}
    return batch(item(call, "updated", "established", members))


def terminated(call: Call) -> Json:
    """Return the last follow-up."""
    result = {
        "@odata.type": "#microsoft.graph.resultInfo",
        "code": 0,
        "subcode": 0,
        "message": "The call has ended.",
    }
    return batch(item(call, "deleted", "terminated", {"resultInfo": result}))


def deleted(call: Call) -> Json:
    """Return what follows a rejection: the call is gone, and no state is told.

    https://learn.microsoft.com/graph/api/call-reject
    """
    data = {"@odata.type": "#microsoft.graph.call", "id": call.call_id}
    return batch(notification(call.call_id, "deleted", data))


def roster(call: Call) -> Json:
    """Return a follow-up about the participants: a list, not a call."""
    participant = {
        "@odata.type": "#microsoft.graph.participant",
        "id": new_id(),
        "isMuted": False,
        "info": {"identity": identity("user")},
    }
    path = f"{call.call_id}/participants"
    return batch(notification(path, "updated", [participant]))


def follow_ups(
    call: Call, order: str, *, is_rejected: bool = False
) -> Iterator[tuple[str, Json]]:
    """Yield the follow-ups of a call, each with its name.

    Args:
        call: which was answered.
        order: in-order, out-of-order (with one of them twice), or none.
        is_rejected: it was rejected instead, so its end is all that follows.
    """
    if is_rejected:
        if order != "none":
            yield "deleted", deleted(call)
        return
    in_order = (
        ("establishing", establishing(call)),
        ("established", established(call, is_audio_active=False)),
        ("established", established(call, is_audio_active=True)),
        ("roster", roster(call)),
        ("terminated", terminated(call)),
    )
    orders = {
        "in-order": (0, 1, 2, 3, 4),
        "out-of-order": (4, 2, 2, 0, 3),
        "none": (),
    }
    for place in orders[order]:
        yield in_order[place]


def item(
    call: Call, change_type: str, state: str, members: Mapping[str, Any] | None = None
) -> Json:
    """Return one item about the call itself."""
    data = {
        "@odata.type": "#microsoft.graph.call",
        "id": call.call_id,
        "state": state,
        "tenantId": call.tenant_id,
        **(members or {}),
    }
    return notification(call.call_id, change_type, data)


def batch(*items: Json) -> Json:
    """Return the body of a POST."""
    return {"@odata.type": "#microsoft.graph.commsNotifications", "value": [*items]}


def notification(path: str, change_type: str, data: object) -> Json:
    """Return one item; ``path`` is that of the resource below all calls."""
    return {
        "@odata.type": "#microsoft.graph.commsNotification",
        "changeType": change_type,
        "resource": f"/app/calls/{path}",
        "resourceUrl": f"/communications/calls/{path}",
        "resourceData": data,
    }


def identity(kind: str, known_as: str | None = None) -> Json:
    """Return who somebody is: with the id, or a new one."""
    found = {"@odata.type": "#microsoft.graph.identity", "id": known_as or new_id()}
    return {"@odata.type": "#microsoft.graph.identitySet", kind: found}


def caller_identity(call: Call) -> Json:
    """Return who calls."""
    usual = "phone" if call.caller_id.startswith("+") else "user"
    return identity(call.caller_kind or usual, call.caller_id)


def chat_info(call: Call) -> Json:
    """Return the member of a call that has a chat."""
    thread = f"19:meeting_{call.chain_id}@thread.v2"
    info = {"@odata.type": "#microsoft.graph.chatInfo", "threadId": thread}
    return {"chatInfo": {**info, "messageId": "0"}}


def meeting_info(call: Call) -> Json:
    """Return the member of a call that is a meeting."""
    kind = "#microsoft.graph.organizerMeetingInfo"
    organizer = identity("user", call.chain_id)
    return {"meetingInfo": {"@odata.type": kind, "organizer": organizer}}


def _policy_recording(call: Call) -> Json:
    observed = new_id()
    return {
        "incomingContext": {
            "@odata.type": "#microsoft.graph.incomingContext",
            "sourceParticipantId": observed,
            "observedParticipantId": observed,
        },
        "applicationMetadata": {
            "botData": {
                "mediaHostedRegion": call.media_hosted_region or "USEA",
                "user": {
                    "participationMethod": "callee",
                    "clientLocation": CLIENT_LOCATION,
                },
                "inviteReasons": ["PolicyBasedRecording"],
                "policyIdentifier": "Simulated policy",
            }
        },
    }
