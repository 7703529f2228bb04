"""The types of events that a bot gets, and the call that each belongs to.

Which notification becomes which of them: ``shared.core.events``. Tests of bots make
them by hand, so every field has a default. They are dataclasses because one is made
from another.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from shared.core.people import Participant, Person
from shared.core.strict_json import JsonObject


@dataclass(frozen=True, kw_only=True)
class Call:
    """The call that an event belongs to.

    Attributes:
        id: of the call, from the resource URL.
        tenant_id: of the token that came with the notification.
        partition: the route's, else the one that was chosen for the call.
        chain_id: the same for all calls of one conversation.
    """

    id: str = ""
    tenant_id: str = ""
    partition: str = ""
    chain_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something happened to a call; of this type itself, what no other type names.

    Attributes:
        call: which one.
        raw: the whole item of the notification. It may hold tokens: do not log it.
    """

    name: ClassVar[str] = "event"

    call: Call = field(default_factory=Call)
    raw: JsonObject = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Incoming(Event):
    """A call comes in and waits to be answered.

    Attributes:
        source: who calls.
        targets: who is called.
        is_policy_recording: a recording policy brought the call here.
        meeting_info: Graph's ``meetingInfo`` where it is a meeting.
        chat_info: Graph's ``chatInfo`` where it is a group call or a meeting.
    """

    name = "incoming"

    source: Person = field(default_factory=Person)
    targets: list[Person] = field(default_factory=list)
    is_policy_recording: bool = False
    meeting_info: JsonObject | None = field(default=None, repr=False)
    chat_info: JsonObject | None = None


@dataclass(frozen=True, kw_only=True)
class ParticipantJoining(Event):
    """Somebody whom a recording policy covers is about to join.

    https://learn.microsoft.com/graph/api/resources/participantjoiningnotification

    Attributes:
        participant_id: who, where the notification says it.
    """

    name = "participant_joining"

    participant_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Result(Event):
    """An event that says how something ended.

    Attributes:
        result_code: such as 200 or 487.
        result_subcode: such as 7015; Teams' own number for the cause.
    """

    result_code: int | None = None
    result_subcode: int | None = None


@dataclass(frozen=True, kw_only=True)
class Terminated(Result):
    """The call is over.

    https://learn.microsoft.com/graph/api/call-delete lists codes and subcodes.
    """

    name = "terminated"


@dataclass(frozen=True, kw_only=True)
class Tone(Event):
    """The caller pressed a key, after ``subscribe_to_tone``.

    Attributes:
        key: ``0`` to ``9``, ``*``, ``#``, ``A`` to ``D``; empty for what no telephone
            has, such as a flash. It may be part of a PIN: do not log it.
        sequence_id: orders the keys of a call.
    """

    name = "tone"

    key: str = field(default="", repr=False)
    sequence_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class TransferFailed(Result):
    """A transfer failed, and the call is established again."""

    name = "transfer_failed"


@dataclass(frozen=True, kw_only=True)
class Established(Event):
    """The call is up and its audio flows. Graph may say so several times."""

    name = "established"


@dataclass(frozen=True, kw_only=True)
class Failed(Event):
    """What an earlier event of this call asked for came to nothing.

    Attributes:
        reason: ``bot-failed``, ``action-refused`` or ``action-unavailable``.
        during: name of the event whose handling failed, such as ``tone``.
        action: Graph's name of the action, such as ``transfer``, ``playPrompt`` or
            ``delete``; ``None`` for ``bot-failed``.
        client_context: of the action.
        status: of Graph's last reply.
        graph_code: Graph's error code in it.
    """

    name = "failed"

    reason: str = ""
    during: str = ""
    action: str | None = None
    client_context: str | None = None
    status: int | None = None
    graph_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class OperationCompleted(Result):
    """A prompt was played, a recording made, somebody invited: or it failed.

    Attributes:
        type: ``playPrompt``, ``record``, ``inviteParticipants``, ``muteParticipant``:
            Graph's type without ``Operation``.
        client_context: what the action gave.
        status: ``completed`` or ``failed``.
        completion_reason: Graph's word, such as ``completedSuccessfully``.
        is_cancelled: the bot cut it short.
        recording_location: https URL of a recording; it is gone soon after the call.
        recording_access_token: bearer token for that URL: do not log it.
    """

    name = "operation_completed"

    type: str | None = None
    client_context: str | None = None
    status: str | None = None
    completion_reason: str | None = None
    is_cancelled: bool = False
    recording_location: str | None = field(default=None, repr=False)
    recording_access_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Participants(Event):
    """Somebody came, went or changed.

    Attributes:
        participants: all of the call, or with ``is_delta`` those that changed.
        is_delta: only changes are told.
    """

    name = "participants"

    participants: list[Participant] = field(default_factory=list)
    is_delta: bool = False
