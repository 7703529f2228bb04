"""Graph's call controls: which bodies it takes, in which state of a call, its reply.

Written from Microsoft's pages (https://learn.microsoft.com/graph/api/resources/call)
and not from the product's own table, which it is there to test. The pages say how a
control succeeds. Of refusals they hardly speak: where ``refusal_of`` says "assumed",
the status and the code are ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

type Check = Callable[[Any], bool]

_SERVICE_HOSTED = "#microsoft.graph.serviceHostedMediaConfig"
_APP_HOSTED = "#microsoft.graph.appHostedMediaConfig"
_IDENTITY_KINDS = {"user", "application", "applicationInstance", "phone"}
_TONES = {*(f"tone{digit}" for digit in range(10)), "star", "pound", *"abcd", "flash"}
# The page lists them with capitals, and its examples send them without.
_REJECT_REASONS = {"none", "busy", "forbidden"}
_RECORDING_STATUSES = {"notRecording", "recording", "failed"}
_MODALITIES = {"audio", "video", "videoBasedScreenSharing"}


@dataclass(slots=True)
class RingingCall:
    """A call as Graph knows it: ``callback_uri`` once it has been answered.

    Attributes:
        rejected_for: why the bot rejected it; None: it did not.
        redirected_to: whom the bot sent it to instead, if it did.
        is_group: it has a chat and a roster, as a meeting has.
        is_established: its audio flows.
        is_transferring: it is on its way to somebody else.
        is_over: nobody can do anything with it any more.
        on_control: is told of every control that took effect, before Graph replies.
    """

    call_id: str
    tenant_id: str
    callback_uri: str | None = None
    rejected_for: str | None = None
    redirected_to: list[Any] | None = None
    is_group: bool = False
    is_policy_recording: bool = False
    is_established: bool = False
    is_transferring: bool = False
    is_over: bool = False
    on_control: Callable[["CallRequest"], None] | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the bot has answered, rejected or redirected it."""
        return self.callback_uri is not None or self.is_turned_away

    @property
    def is_turned_away(self) -> bool:
        """Whether the bot has rejected or redirected it."""
        return self.rejected_for is not None or self.redirected_to is not None


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One request about a call, as it came.

    Attributes:
        status: of the reply; 0 if there was none.
        control: key of ``CONTROLS``.
        operation_id: of the operation that it started; empty if it started none.
        took_effect: also true where the reply was lost afterwards.
    """

    call_id: str
    authorization: str
    body: Any
    status: int
    control: str = ""
    operation_id: str = ""
    took_effect: bool = False


class Refusal(NamedTuple):
    """A reply that is an error, as ``graph_api.error_reply`` takes it."""

    status: int
    code: str
    message: str


class Control(NamedTuple):
    """One call control.

    Attributes:
        path: below the call.
        members: of the body, and what they must be; None: there is no body.
        required: the members that must be there.
        status: of the reply to a request that is carried out.
        operation: type of the operation in that reply; empty: the reply is empty.
        is_running: the operation ends later, with a notification.
        needs: ``ringing``, ``answered`` or ``established``: the state of the call.
    """

    path: str
    members: Mapping[str, Check] | None
    required: frozenset[str] = frozenset()
    status: int = 200
    operation: str = ""
    is_running: bool = False
    needs: str = "established"
    method: str = "POST"


def _is_https(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("https://") and len(value) > 8


def _is_bool(value: Any) -> bool:
    return type(value) is bool


def _is_context(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 256


def _in(words: set[str]) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _number(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _list_of(check: Check, least: int, most: int) -> Check:
    return lambda value: (
        isinstance(value, list)
        and least <= len(value) <= most
        and all(map(check, value))
    )


def _is_media(value: Any) -> bool:
    return isinstance(value, dict) and _is_https(value.get("uri"))


def _is_prompt(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("@odata.type") == "#microsoft.graph.mediaPrompt"
        and _is_media(value.get("mediaInfo"))
    )


def _is_media_config(value: Any) -> bool:
    if isinstance(value, dict) and value.get("@odata.type") == _APP_HOSTED:
        # Made by Microsoft's media library, and nobody else reads it.
        return isinstance(value.get("blob"), str)
    return (
        isinstance(value, dict)
        and value.get("@odata.type") == _SERVICE_HOSTED
        and _list_of(_is_media, 0, 1000)(value.get("preFetchMedia"))
    )


def person_of(value: Any) -> str | None:
    """Return the id or number of an invited person; None: it names nobody."""
    identity = value.get("identity") if isinstance(value, dict) else None
    if not isinstance(identity, dict):
        return None
    kinds = identity.keys() & _IDENTITY_KINDS
    found = identity[kinds.pop()] if len(kinds) == 1 else None
    text = found.get("id") if isinstance(found, dict) else None
    return text if isinstance(text, str) and text else None


def _is_person(value: Any) -> bool:
    return person_of(value) is not None


_CONTEXT: Mapping[str, Check] = {"clientContext": _is_context}
_SECONDS = _number(1, 120)

CONTROLS: Mapping[str, Control] = {
    "answer": Control(
        "/answer",
        {
            "callbackUri": _is_https,
            "acceptedModalities": _list_of(_in(_MODALITIES), 1, 3),
            "mediaConfig": _is_media_config,
            "participantCapacity": _number(1, 2**31 - 1),
            "callOptions": lambda value: isinstance(value, dict),
        },
        frozenset({"callbackUri", "acceptedModalities", "mediaConfig"}),
        status=202,
        needs="ringing",
    ),
    "reject": Control(
        "/reject",
        {
            "reason": lambda value: (
                isinstance(value, str) and value.lower() in _REJECT_REASONS
            ),
            "callbackUri": _is_https,
        },
        frozenset({"reason"}),
        status=202,
        needs="ringing",
    ),
    "redirect": Control(
        "/redirect",
        {
            "targets": _list_of(_is_person, 1, 25),
            "timeout": _number(15, 90),
            "callbackUri": _is_https,
        },
        frozenset({"targets"}),
        status=202,
        needs="ringing",
    ),
    "delete": Control("", None, status=204, needs="answered", method="DELETE"),
    "keepAlive": Control("/keepAlive", None, needs="answered"),
    "playPrompt": Control(
        "/playPrompt",
        {**_CONTEXT, "prompts": _list_of(_is_prompt, 1, 20)},
        frozenset({"prompts"}),
        operation="playPrompt",
        is_running=True,
    ),
    "recordResponse": Control(
        "/recordResponse",
        {
            **_CONTEXT,
            "prompts": _list_of(_is_prompt, 1, 1),
            "bargeInAllowed": _is_bool,
            "initialSilenceTimeoutInSeconds": _SECONDS,
            "maxSilenceTimeoutInSeconds": _SECONDS,
            "maxRecordDurationInSeconds": _SECONDS,
            "playBeep": _is_bool,
            "stopTones": _list_of(_in(set("0123456789*#ABCD")), 1, 16),
        },
        operation="record",
        is_running=True,
    ),
    "subscribeToTone": Control(
        "/subscribeToTone", _CONTEXT, operation="subscribeToTone"
    ),
    "cancelMediaProcessing": Control(
        "/cancelMediaProcessing", _CONTEXT, operation="cancelMediaProcessing"
    ),
    "transfer": Control(
        "/transfer",
        {**_CONTEXT, "transferTarget": _is_person, "transferee": _is_person},
        frozenset({"transferTarget"}),
        status=202,
    ),
    "mute": Control("/mute", _CONTEXT, operation="muteParticipant"),
    "unmute": Control("/unmute", _CONTEXT, operation="unmuteParticipant"),
    "invite": Control(
        "/participants/invite",
        {**_CONTEXT, "participants": _list_of(_is_person, 1, 5)},
        frozenset({"participants"}),
        operation="inviteParticipants",
        is_running=True,
    ),
    "sendDtmfTones": Control(
        "/sendDtmfTones",
        {
            **_CONTEXT,
            "tones": _list_of(_in(_TONES), 1, 1000),
            "delayBetweenTonesMs": _number(0, 2**31 - 1),
        },
        frozenset({"tones"}),
        operation="sendDtmfTones",
        is_running=True,
    ),
    "updateRecordingStatus": Control(
        "/updateRecordingStatus",
        {**_CONTEXT, "status": _in(_RECORDING_STATUSES)},
        frozenset({"status"}),
        operation="updateRecordingStatus",
    ),
}
_GROUP_ONLY = {"mute", "unmute", "invite"}


def fault_of_body(name: str, body: Any) -> str | None:
    """Say what is wrong with the body of a control; None: Graph takes it."""
    control = CONTROLS[name]
    if control.members is None:
        return None if body is None else f"{name} takes no body."
    if not isinstance(body, dict):
        return f"The body of {name} must be an object."
    for member in [*(control.required - body.keys()), *body]:
        check = control.members.get(member)
        if member not in body or check is None or not check(body[member]):
            return f"The member {member} of {name} is malformed, missing or unknown."
    return None


def refusal_of(
    name: str, body: Any, call: RingingCall | None, tenant_id: str
) -> Refusal | None:
    """Return why a control with a legal body is not carried out; None: it is.

    404 with 8522 is what Graph says of a call that is over. 8506 and 9999 were seen in
    https://github.com/microsoftgraph/microsoft-graph-comms-samples/issues/444 and /325;
    their status, and all else, is assumed.
    """
    if call is None or call.is_over or call.is_turned_away:
        return Refusal(404, "8522", "Call not found.")
    if tenant_id != call.tenant_id:
        return Refusal(403, "7505", "Tenant mismatch.")
    return _refusal_of_state(name, call) or _refusal_of_kind(name, body, call)


def _refusal_of_state(name: str, call: RingingCall) -> Refusal | None:
    needs = CONTROLS[name].needs
    if needs == "ringing":
        is_wrong, message = call.is_settled, "The call was answered before."
    elif needs == "answered":
        is_wrong, message = not call.is_settled, "The call has not been answered."
    else:
        is_wrong = not call.is_established or call.is_transferring
        message = "The call is not established."
    return Refusal(409, "8501", message) if is_wrong else None


def _refusal_of_kind(name: str, body: Any, call: RingingCall) -> Refusal | None:
    """Some controls are for group calls only, or not for policy recording."""
    is_for_group = name in _GROUP_ONLY or (name == "transfer" and "transferee" in body)
    if is_for_group and not call.is_group:
        return Refusal(400, "7500", f"{name} is for group calls.")
    if name == "updateRecordingStatus" and not call.is_policy_recording:
        return Refusal(403, "8506", "The call records by no policy.")
    if name == "subscribeToTone" and call.is_policy_recording:
        return Refusal(500, "9999", "The tones of a recorded call cannot be had.")
    return None
