"""Actions: what a bot asks of Graph, and the one table that says how Graph takes it.

``ROWS`` has Graph's call controls, https://learn.microsoft.com/graph/api/resources/call,
and the replies to a participant who joins. An ``Action`` is vetted against its row when
it is made. Bots make actions with the functions of ``shared.calls``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from shared.core import action_members as of
from shared.core.strict_json import JsonObject, is_json

_PAGES = "https://learn.microsoft.com/graph/api/"
_AT_CREATION = "none of its own (checked when the call was made)"
_REASONS = ("none", "busy", "forbidden")
_SECONDS = (1, 120)


class Source(StrEnum):
    """Which events an action may come from."""

    INCOMING = "incoming"
    JOINING = "participant_joining"
    OTHERS = "every other event"


class Row(NamedTuple):
    """How Graph takes one action.

    Attributes:
        function: in ``shared.calls``.
        name: Graph's; of a reply to a joining participant, its type.
        page: Microsoft's documentation.
        permission: application permission of Graph that the app needs.
        members: of the body, by their names in Graph; ``None`` where it has no body.
        path: below the call; empty for a reply to a joining participant, too.
        source: which events it may come from.
        is_repeatable: nobody hears or sees whether it is carried out once or twice.
        method: of the request.
    """

    function: str
    name: str
    page: str
    permission: str
    members: Mapping[str, of.Member] | None
    path: str
    source: Source = Source.OTHERS
    is_repeatable: bool = True
    method: str = "POST"


def _incoming(name: str, permission: str, **members: of.Member) -> Row:
    """Return the row of what may be done with an incoming call."""
    return Row(
        name,
        name,
        f"{_PAGES}call-{name}",
        permission,
        {**members, "callbackUri": of.url("callback_uri")},
        f"/{name}",
        Source.INCOMING,
    )


def _control(
    function: str,
    name: str,
    page: str,
    permission: str = _AT_CREATION,
    *,
    is_repeatable: bool = True,
    **members: of.Member,
) -> Row:
    """Return the row of what may be done with a call that is up."""
    return Row(
        function,
        name,
        f"{_PAGES}{page}",
        permission,
        {**members, "clientContext": of.text("client_context")},
        f"/{name}",
        is_repeatable=is_repeatable,
    )


def _reply(function: str, name: str, **members: of.Member) -> Row:
    """Return the row of a reply to a joining participant."""
    graph_type = of.one_of("type", f"#microsoft.graph.{name}", is_required=True)
    return Row(
        function,
        name,
        f"{_PAGES}resources/{name.lower()}",
        "none",
        {"@odata.type": graph_type, **members},
        "",
        Source.JOINING,
    )


ROWS = (
    _incoming(
        "answer",
        "none; in group calls Calls.JoinGroupCall.All or "
        "Calls.JoinGroupCallAsGuest.All",
        acceptedModalities=of.modalities("modalities"),
        mediaConfig=of.media_config("prefetch"),
        participantCapacity=of.whole_number("participant_capacity", 1),
        callOptions=of.Member("call_options", "an object", of.is_object),
    ),
    _incoming(
        "reject",
        "none",
        reason=of.one_of("reason", *_REASONS, is_required=True),
    ),
    _incoming(
        "redirect",
        "Calls.Initiate.All",
        targets=of.people("people", 25),
        timeout=of.whole_number("timeout", 15, 90),
    ),
    Row(
        "hang_up",
        "delete",
        f"{_PAGES}call-delete",
        _AT_CREATION,
        None,
        "",
        method="DELETE",
    ),
    _control("keep_alive", "keepAlive", "call-keepalive")._replace(members=None),
    _control(
        "play_prompt",
        "playPrompt",
        "call-playprompt",
        is_repeatable=False,
        prompts=of.prompts("urls", 20, is_required=True),
    ),
    _control(
        "record_response",
        "recordResponse",
        "call-record",
        "Calls.AccessMedia.All",
        is_repeatable=False,
        prompts=of.prompts("url", 1),
        bargeInAllowed=of.boolean("barge_in_allowed"),
        initialSilenceTimeoutInSeconds=of.whole_number(
            "initial_silence_timeout_in_seconds", *_SECONDS
        ),
        maxSilenceTimeoutInSeconds=of.whole_number(
            "max_silence_timeout_in_seconds", *_SECONDS
        ),
        maxRecordDurationInSeconds=of.whole_number(
            "max_record_duration_in_seconds", *_SECONDS
        ),
        playBeep=of.boolean("play_beep"),
        stopTones=of.keys("stop_tones"),
    ),
    _control(
        "subscribe_to_tone",
        "subscribeToTone",
        "call-subscribetotone",
        "Calls.AccessMedia.All",
    ),
    _control(
        "cancel_media_processing",
        "cancelMediaProcessing",
        "call-cancelmediaprocessing",
    ),
    _control(
        "transfer",
        "transfer",
        "call-transfer",
        "Calls.Initiate.All",
        is_repeatable=False,
        transferTarget=of.person("person", is_required=True),
        transferee=of.person("transferee"),
    ),
    _control("mute", "mute", "call-mute"),
    _control("unmute", "unmute", "call-unmute"),
    _control(
        "invite",
        "invite",
        "participant-invite",
        "Calls.InitiateGroupCalls.All",
        is_repeatable=False,
        participants=of.people("people", 5),
    )._replace(path="/participants/invite"),
    _control(
        "send_dtmf_tones",
        "sendDtmfTones",
        "call-senddtmftones",
        is_repeatable=False,
        tones=of.tones("keys"),
        delayBetweenTonesMs=of.whole_number("delay_between_tones_ms", 0),
    ),
    _control(
        "update_recording_status",
        "updateRecordingStatus",
        "call-updaterecordingstatus",
        "Calls.JoinGroupCalls.All and Calls.AccessMedia.All",
        status=of.one_of(
            "status", "notRecording", "recording", "failed", is_required=True
        ),
    ),
    _reply("accept_join", "acceptJoinResponse"),
    _reply("reject_join", "rejectJoinResponse", reason=of.one_of("reason", *_REASONS)),
    _reply(
        "invite_new_bot",
        "inviteNewBotResponse",
        inviteUri=of.url("uri", is_required=True),
    ),
)
_BY_NAME = {row.name: row for row in ROWS}
_BY_FUNCTION = {row.function: row for row in ROWS}
FOLLOW_UP_NAMES = tuple(row.name for row in ROWS if row.source is Source.OTHERS)


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing that Graph is asked to do with a call; made by functions.

    Actions with the same name and body are equal.

    Attributes:
        name: Graph's, such as ``playPrompt`` or ``delete``.
        body: of the request; ``None`` where it has none. It may hold numbers of
            telephones: do not log it.

    Raises:
        ValueError: Graph has no such action or takes no such body; a sentence says so.
    """

    name: str
    body: JsonObject | None = None

    def __post_init__(self) -> None:
        """Vet it against its row."""
        row = _BY_NAME.get(self.name)
        complaint = _complaint(row, self.body) if row else "is no action of Graph's"
        if not complaint and not is_json(self.body):
            complaint = "its body must be JSON"
        if complaint:
            message = f"{row.function if row else 'The name'}: {complaint}."
            raise ValueError(message)

    def __hash__(self) -> int:
        """Hash what is equal to the same number; a body cannot be hashed."""
        return hash(self.name)

    @property
    def row(self) -> Row:
        """How Graph takes it."""
        return _BY_NAME[self.name]

    @property
    def client_context(self) -> str | None:
        """What comes back with ``operation_completed``."""
        context: str | None = (self.body or {}).get("clientContext")
        return context


def make(function: str, /, **members: object) -> Action:
    """Make an action from the members of its body; ``None`` leaves one out.

    Raises:
        ValueError: see ``Action``.
    """
    row = _BY_FUNCTION[function]
    if row.members is None:
        return Action(name=row.name)
    if row.source is Source.JOINING:
        members["@odata.type"] = f"#microsoft.graph.{row.name}"
    given = {name: value for name, value in members.items() if value is not None}
    return Action(name=row.name, body=given)


def _complaint(row: Row, body: object) -> str | None:
    """Say what Graph would not take; ``None`` if it takes the body."""
    if row.members is None:
        return None if body is None else "it takes no body"
    if not isinstance(body, dict):
        return "its body must be an object"
    for name in body:
        if name not in row.members:
            return "its body has an unknown member"
    for name, member in row.members.items():
        if name in body and not member.is_right(body[name]):
            return f"{member.argument} must be {member.must_be}"
        if name not in body and member.is_required:
            return f"{member.argument} is missing: it must be {member.must_be}"
    return None
