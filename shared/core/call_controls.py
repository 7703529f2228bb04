"""Graph's call controls as functions: what bots make their actions with.

Each vets its arguments and raises ``ValueError`` with a sentence where Graph would
refuse them. Arguments that are not given are not sent. A ``client_context`` has at most
256 characters and comes back in ``OperationCompleted``. Permissions are application
permissions of Microsoft Graph. Names, bounds and paths: ``shared.core.actions.ROWS``.
"""

from collections.abc import Iterable
from typing import Literal

from shared.core.action_members import (
    write_invited,
    write_keys,
    write_list,
    write_media_config,
    write_prompts,
    write_tones,
)
from shared.core.actions import Action, make
from shared.core.people import Person, write_person

type Modality = Literal["audio", "video", "videoBasedScreenSharing"]
type RejectReason = Literal["none", "busy", "forbidden"]
type RecordingStatus = Literal["notRecording", "recording", "failed"]


def answer(
    *,
    prefetch: Iterable[str] = (),
    modalities: Iterable[Modality] = ("audio",),
    participant_capacity: int | None = None,
) -> Action:
    """Answer an incoming call; Microsoft plays and records its media.

    Args:
        prefetch: https URLs of prompts to fetch now, so that they play at once.
        modalities: 1 to 3 of them.
        participant_capacity: for policy recording: how many participants this bot
            takes before it is asked whether one more may join.

    Permission: none; in group calls Calls.JoinGroupCall.All or
    Calls.JoinGroupCallAsGuest.All. https://learn.microsoft.com/graph/api/call-answer
    """
    return make(
        "answer",
        acceptedModalities=write_list(modalities),
        mediaConfig=write_media_config(prefetch),
        participantCapacity=participant_capacity,
    )


def reject(reason: RejectReason = "none") -> Action:
    """Refuse an incoming call.

    Permission: none. https://learn.microsoft.com/graph/api/call-reject
    """
    return make("reject", reason=reason)


def redirect(*people: Person, timeout: int | None = None) -> Action:
    """Send an incoming call on to 1 to 25 people; all of them ring at once.

    Args:
        people: whom to call instead.
        timeout: how long it rings, 15 to 90 seconds; Graph's own is 55, or 60 for many.

    Permission: Calls.Initiate.All. https://learn.microsoft.com/graph/api/call-redirect
    """
    targets = [write_invited(each) for each in people]
    return make("redirect", targets=targets, timeout=timeout)


def hang_up() -> Action:
    """End the call; of a group call, the bot's own part. ``terminated`` follows.

    Permission: none of its own (checked when the call was made).
    https://learn.microsoft.com/graph/api/call-delete
    """
    return make("hang_up")


def keep_alive() -> Action:
    """Keep the call: Graph ends it 45 minutes after its start or the last of these.

    Permission: none of its own (checked when the call was made).
    https://learn.microsoft.com/graph/api/call-keepalive
    """
    return make("keep_alive")


def play_prompt(*urls: str, client_context: str | None = None) -> Action:
    """Play 1 to 20 prompts after those that still play; never twice.

    Args:
        urls: absolute https URLs that Microsoft can reach, of wav files: mono, 16 bit,
            16 kHz. https://learn.microsoft.com/graph/api/resources/mediainfo
        client_context: comes back when the last has been played.

    Permission: none of its own (checked when the call was made).
    https://learn.microsoft.com/graph/api/call-playprompt
    """
    prompts = write_prompts(urls)
    return make("play_prompt", prompts=prompts, clientContext=client_context)


def record_response(  # noqa: PLR0913 - all are Graph's
    *url: str,
    barge_in_allowed: bool | None = None,
    initial_silence_timeout_in_seconds: int | None = None,
    max_silence_timeout_in_seconds: int | None = None,
    max_record_duration_in_seconds: int | None = None,
    play_beep: bool | None = None,
    stop_tones: str | Iterable[str] | None = None,
    client_context: str | None = None,
) -> Action:
    """Record what the caller says; ``operation_completed`` says where it lies.

    Args:
        url: at most one prompt to play before it, as for ``play_prompt``.
        barge_in_allowed: stop what still plays or records; Graph's own is False.
        initial_silence_timeout_in_seconds: 1 to 120, Graph's own is 5: fails after it.
        max_silence_timeout_in_seconds: 1 to 120, Graph's own is 5: ends it.
        max_record_duration_in_seconds: 1 to 120, Graph's own is 5.
        play_beep: before it starts; Graph's own is True.
        stop_tones: keys that end it, such as ``"#*"``.
        client_context: comes back with the recording.

    Permission: Calls.AccessMedia.All. https://learn.microsoft.com/graph/api/call-record
    """
    return make(
        "record_response",
        prompts=write_prompts(url),
        bargeInAllowed=barge_in_allowed,
        initialSilenceTimeoutInSeconds=initial_silence_timeout_in_seconds,
        maxSilenceTimeoutInSeconds=max_silence_timeout_in_seconds,
        maxRecordDurationInSeconds=max_record_duration_in_seconds,
        playBeep=play_beep,
        stopTones=write_keys(stop_tones),
        clientContext=client_context,
    )


def subscribe_to_tone(*, client_context: str | None = None) -> Action:
    """Ask to be told each key that the caller presses: ``tone`` follows.

    Permission: Calls.AccessMedia.All.
    https://learn.microsoft.com/graph/api/call-subscribetotone
    """
    return make("subscribe_to_tone", clientContext=client_context)


def cancel_media_processing(*, client_context: str | None = None) -> Action:
    """Stop what plays or records, and all that waits; ``tone`` goes on.

    Permission: none of its own (checked when the call was made).
    https://learn.microsoft.com/graph/api/call-cancelmediaprocessing
    """
    return make("cancel_media_processing", clientContext=client_context)


def transfer(
    person: Person,
    *,
    transferee: Person | None = None,
    replaces_call_id: str | None = None,
    client_context: str | None = None,
) -> Action:
    """Hand the call to somebody of the same tenant; never twice.

    Args:
        person: who gets the call; a phone only if the bot is a resource account.
        transferee: in a group call, which of its participants is handed on.
        replaces_call_id: a call with that person, which this one takes the place of.
        client_context: for the bot's own use.

    Permission: Calls.Initiate.All. https://learn.microsoft.com/graph/api/call-transfer
    """
    return make(
        "transfer",
        transferTarget=write_invited(person, replaces_call_id),
        transferee=write_person(transferee, "participantInfo"),
        clientContext=client_context,
    )


def mute(*, client_context: str | None = None) -> Action:
    """Mute the bot in a group call.

    Permission: none of its own (checked when the call was made).
    https://learn.microsoft.com/graph/api/call-mute
    """
    return make("mute", clientContext=client_context)


def unmute(*, client_context: str | None = None) -> Action:
    """Let the bot be heard in a group call again.

    Permission: none of its own (checked when the call was made).
    https://learn.microsoft.com/graph/api/call-unmute
    """
    return make("unmute", clientContext=client_context)


def invite(
    *people: Person,
    replaces_call_id: str | None = None,
    client_context: str | None = None,
) -> Action:
    """Bring 1 to 5 people into a group call (over one: only where it has a chat).

    Args:
        people: whom to call.
        replaces_call_id: a call that they leave for this one.
        client_context: comes back when they have been asked.

    Permission: Calls.InitiateGroupCalls.All.
    https://learn.microsoft.com/graph/api/participant-invite
    """
    invited = [write_invited(each, replaces_call_id) for each in people]
    return make("invite", participants=invited, clientContext=client_context)


def send_dtmf_tones(
    keys: str | Iterable[str],
    *,
    delay_between_tones_ms: int | None = None,
    client_context: str | None = None,
) -> Action:
    """Press keys, as a person would on a telephone; in the public cloud only.

    Args:
        keys: such as ``"12#"`` or ``["1", "2", "#"]``.
        delay_between_tones_ms: in milliseconds.
        client_context: comes back when they have been sent.

    Permission: none of its own (checked when the call was made).
    https://learn.microsoft.com/graph/api/call-senddtmftones
    """
    return make(
        "send_dtmf_tones",
        tones=write_tones(keys),
        delayBetweenTonesMs=delay_between_tones_ms,
        clientContext=client_context,
    )


def update_recording_status(
    status: RecordingStatus, *, client_context: str | None = None
) -> Action:
    """Tell Teams whether the bot records; only for bots of a recording policy.

    Permission: Calls.JoinGroupCalls.All and Calls.AccessMedia.All.
    https://learn.microsoft.com/graph/api/call-updaterecordingstatus
    """
    return make("update_recording_status", status=status, clientContext=client_context)


def accept_join() -> Action:
    """Let the participant join this call: the bot has room.

    https://learn.microsoft.com/graph/api/resources/acceptjoinresponse
    """
    return make("accept_join")


def reject_join(reason: RejectReason = "none") -> Action:
    """Refuse the participant.

    https://learn.microsoft.com/graph/api/resources/rejectjoinresponse
    """
    return make("reject_join", reason=reason)


def invite_new_bot(uri: str) -> Action:
    """Have the participant come to another instance, as an incoming call.

    Args:
        uri: absolute https URL of that instance's webhook.

    https://learn.microsoft.com/graph/api/resources/invitenewbotresponse
    """
    return make("invite_new_bot", inviteUri=uri)
