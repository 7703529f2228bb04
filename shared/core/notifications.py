"""Graph notifications: the items of a ``commsNotifications`` list.

https://learn.microsoft.com/graph/api/resources/commsnotifications. A tolerant reader:
unknown members, states and types are no errors, and an item that cannot be read costs
the others nothing. Nothing in an item is ever used as a URL; a call id is vetted.
"""

import re
from typing import NamedTuple

from shared.core.call_ids import CALL_ID, is_call_id
from shared.core.guids import is_guid
from shared.core.strict_json import JsonObject

# ``resource`` became ``resourceUrl`` in 2019; the platform sends both, documentation
# shows either, absolute or relative, as /app/ or /communications/. The first group is
# the call id in its only legal form: it becomes part of a URL. Beyond ASCII four more
# letters would equal s, k and i, and pass for one.
_RESOURCE = re.compile(
    r"(?:https?://[^/?#]+)?(?:/v1\.0|/beta)?/?(?:app|communications)/calls/"
    rf"({CALL_ID})(?:/([^/?]+)(?:/[^?]*)?)?/?(?:\?.*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_CALL_TYPES = (None, "#microsoft.graph.call")
# Some documentation examples leave changeType out.
_NEW_CALL_CHANGES = (None, "created")
_CALLEE_KINDS = ("user", "application", "applicationInstance", "phone")
# Their ids are GUIDs; that of a phone is its number.
_LOGGED_KINDS = ("user", "application", "applicationInstance")
_OPERATION = re.compile(r"#microsoft\.graph\.([A-Za-z]{1,40})Operation")
_RESULT_CODE = re.compile(r"[0-9]{1,9}")
_MAX_RESULT_CODE = 10**9 - 1
_MAX_TEXT = 256


class CallNotification(NamedTuple):
    """One item: something happened to a call.

    Texts are kept as sent; ``state`` and ``change_type`` in lower case, as the
    platform's spelling varies. ``None`` where the item does not say.

    Attributes:
        call_id: from the resource URL, ``[A-Za-z0-9_-]{1,128}``.
        sub_resource: such as ``participants``; ``None`` for the call itself.
        is_incoming_call: a new call that waits for an answer.
        is_policy_recording: it must be answered within 5 s instead of 15 s.
        claimed_call_id: ``resourceData.id`` where it differs from ``call_id``.
        client_location: of the user's client, or who else policy recording names.
        callees: ids, for phones the numbers, of all who are called.
        operation: Graph's word for an operation of ours, such as ``playPrompt``.
        result_code: of ``resultInfo``: how a call or an operation ended.
        result_subcode: tells more; the two are what people search for.
        transferor: id of whoever transferred the call; none of a phone.
        on_behalf_of: id of whoever the call is for; none of a phone.
    """

    call_id: str
    sub_resource: str | None
    change_type: str | None
    state: str | None
    tenant_id: str | None
    claimed_call_id: str | None
    country_code: str | None
    source_region: str | None
    media_hosted_region: str | None
    client_location: str | None
    callees: tuple[str, ...]
    is_policy_recording: bool
    is_incoming_call: bool
    operation: str | None
    result_code: int | None
    result_subcode: int | None
    transferor: str | None
    on_behalf_of: str | None


def read_notification(item: object) -> CallNotification | None:
    """Read one item; ``None`` if it names no call."""
    members = _object(item)
    resource = _read_resource(members)
    if resource is None:
        return None
    call_id, sub_resource = resource
    data = _object(members.get("resourceData"))
    source = _object(data.get("source"))
    bot_data = _object(_object(data.get("applicationMetadata")).get("botData"))
    state = _lower(data.get("state"))
    change_type = _lower(members.get("changeType"))
    claimed = _text(data.get("id"))
    is_call = sub_resource is None and data.get("@odata.type") in _CALL_TYPES
    context = _object(data.get("incomingContext"))
    result_code, result_subcode = _read_result(data.get("resultInfo"))
    return CallNotification(
        call_id=call_id,
        sub_resource=sub_resource,
        change_type=change_type,
        state=state,
        tenant_id=_lower(data.get("tenantId")),
        claimed_call_id=claimed if is_call and _differs(claimed, call_id) else None,
        country_code=_text(source.get("countryCode")),
        source_region=_text(source.get("region")),
        media_hosted_region=_text(bot_data.get("mediaHostedRegion")),
        client_location=_read_client_location(bot_data),
        callees=_read_callees(data.get("targets")),
        is_policy_recording=_is_policy_recording(context),
        is_incoming_call=(
            is_call and state == "incoming" and change_type in _NEW_CALL_CHANGES
        ),
        operation=None if is_call else _read_operation(data),
        result_code=result_code,
        result_subcode=result_subcode,
        transferor=_read_identity(context.get("transferor")),
        on_behalf_of=_read_identity(context.get("onBehalfOf")),
    )


def _differs(claimed: str | None, call_id: str) -> bool:
    return claimed is not None and claimed.lower() != call_id.lower()


def read_joining_call_id(body: JsonObject) -> str | None:
    """Read the call of a ``participantJoiningNotification``; ``None`` if illegal."""
    call_id = _text(_object(body.get("call")).get("id"))
    return call_id if call_id and is_call_id(call_id) else None


def _read_resource(members: JsonObject) -> tuple[str, str | None] | None:
    """Return call id and sub-resource of the first usable resource URL."""
    for name in ("resourceUrl", "resource"):
        url = members.get(name)
        match = _RESOURCE.fullmatch(url) if type(url) is str else None
        if match:
            return match[1], match[2]
    return None


def _is_policy_recording(context: JsonObject) -> bool:
    """Tell by ``observedParticipantId``, as Microsoft's PolicyRecordingBot does."""
    return context.get("observedParticipantId") is not None


def _read_client_location(bot_data: JsonObject) -> str | None:
    """Read where the client of a policy recording is, the user's before all others."""
    if not bot_data:
        return None
    holders = (bot_data.get("user"), bot_data.get("otherSideUser"), bot_data)
    locations = (_text(_object(holder).get("clientLocation")) for holder in holders)
    return next((location for location in locations if location), None)


def _read_callees(targets: object) -> tuple[str, ...]:
    """Read whom the call is for: an application, a resource account, a user, a phone.

    https://learn.microsoft.com/graph/api/resources/invitationparticipantinfo
    """
    callees = []
    for target in targets if type(targets) is list else ():
        identities = _object(_object(target).get("identity"))
        for kind in _CALLEE_KINDS:
            if kind not in identities:
                continue
            callee = _text(_object(identities[kind]).get("id"))
            if callee is not None:
                callees.append(callee)
    return tuple(callees)


def _read_operation(data: JsonObject) -> str | None:
    """Read which operation an item is about from its type, as its URL may mislead."""
    kind = _text(data.get("@odata.type"))
    match = _OPERATION.fullmatch(kind) if kind else None
    return match[1] if match else None


def _read_result(result: object) -> tuple[int | None, int | None]:
    """Read how a call or an operation ended: code and subcode."""
    if type(result) is not dict:
        return None, None
    # The documentation has both spellings.
    subcode = _read_result_code(result, "subcode", "subCode")
    return _read_result_code(result, "code"), subcode


def _read_result_code(result: JsonObject, *names: str) -> int | None:
    """Read a number, which some examples have as text."""
    for name in names:
        code = result.get(name)
        if type(code) is float and code.is_integer():
            code = int(code)
        if type(code) is int and 0 <= code <= _MAX_RESULT_CODE:
            return code
        if type(code) is str and _RESULT_CODE.fullmatch(code):
            return int(code)
    return None


def _read_identity(identities: object) -> str | None:
    """Read an id that may be logged: a GUID of a kind that is no phone.

    https://learn.microsoft.com/graph/api/resources/incomingcontext
    """
    if type(identities) is not dict:
        return None
    for kind in _LOGGED_KINDS:
        identity = _text(_object(identities.get(kind)).get("id"))
        if identity is not None and is_guid(identity):
            return identity.lower()
    return None


def _object(value: object) -> JsonObject:
    return value if type(value) is dict else {}


def _text(value: object) -> str | None:
    """Return a text of bounded length; anything else counts as missing."""
    return value if type(value) is str and 0 < len(value) <= _MAX_TEXT else None


def _lower(value: object) -> str | None:
    text = _text(value)
    return None if text is None else text.lower()
