"""Protocol determination: whether a body is a Graph or a legacy notification.

Microsoft's word for it, and why legacy gets a 204:
https://learn.microsoft.com/microsoftteams/platform/bots/calls-and-meetings/call-notifications
Members of the legacy model: BotBuilder-V3, Microsoft.Bot.Builder.Calling/Models.
Anything else is unknown: a 204 for rubbish would hide faults.
"""

from enum import Enum, auto

from shared.core.errors import BodyRefusedError, LengthRequiredError
from shared.core.reasons import Reason
from shared.core.strict_json import (
    JsonObject,
    NotAnObjectError,
    StrictJsonError,
    read_object,
)

_GRAPH_TYPE_PREFIX = "#microsoft.graph"
# Sent only to bots that answered with participantCapacity:
# https://learn.microsoft.com/graph/api/resources/participantjoiningnotification
_PARTICIPANT_JOINING_TYPE = "#microsoft.graph.participantJoiningNotification"
_LEGACY_MEMBERS = frozenset(
    {
        "callState",
        "presentedModalityTypes",
        "operationOutcome",
        "currentState",
    }
)


class Protocol(Enum):
    """The shapes of a POST that have a meaning."""

    GRAPH = auto()
    LEGACY = auto()
    PARTICIPANT_JOINING = auto()


def read_body(body: bytes, *, is_transfer_encoded: bool) -> JsonObject:
    """Read the body as one strict JSON object.

    The Functions host hands a body with ``Transfer-Encoding`` over empty; that is told
    apart from a body that was empty from the start.

    Raises:
        LengthRequiredError: empty, and the request had ``Transfer-Encoding``.
        BodyRefusedError: empty otherwise, not strict JSON, or no object.
    """
    if not body:
        if is_transfer_encoded:
            raise LengthRequiredError
        raise BodyRefusedError(Reason.BODY_EMPTY)
    try:
        return read_object(body)
    except NotAnObjectError as error:
        raise BodyRefusedError(Reason.BODY_NOT_OBJECT) from error
    except StrictJsonError as error:
        raise BodyRefusedError(Reason.BODY_NOT_JSON) from error


def detect_protocol(body: JsonObject) -> Protocol:
    """Tell the protocol by the members of the top level.

    Raises:
        BodyRefusedError: neither protocol.
    """
    if type(body.get("value")) is list:
        return Protocol.GRAPH
    if _is_legacy(body):
        return Protocol.LEGACY
    if _is_participant_joining(body):
        return Protocol.PARTICIPANT_JOINING
    raise BodyRefusedError(Reason.PROTOCOL_UNKNOWN)


def _is_participant_joining(body: JsonObject) -> bool:
    is_kind = body.get("@odata.type") == _PARTICIPANT_JOINING_TYPE
    return is_kind and type(body.get("call")) is dict and "value" not in body


def _is_legacy(body: JsonObject) -> bool:
    kind = body.get("@odata.type")
    is_graph_type = type(kind) is str and kind.startswith(_GRAPH_TYPE_PREFIX)
    has_legacy_member = not _LEGACY_MEMBERS.isdisjoint(body)
    return has_legacy_member and not is_graph_type and "value" not in body
