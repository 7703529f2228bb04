"""What each of Graph's call controls causes in a call.

How long people let it ring is assumed; so are the results of a transfer that fails,
500/7000 and 500/7700 on https://learn.microsoft.com/graph/api/call-transfer, and which
of the two means what.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulator.platform import consequences
from tests.simulator.platform.media import Ending, Media, MediaOperation
from tests.simulator.platform.notifications import (
    Call,
    Json,
    caller_identity,
    identity,
    new_id,
)
from tests.simulator.platform.timeline import Planned, Timeline
from tests.simulator.services.call_control import CallRequest, person_of
from tests.simulator.services.graph_api import GraphApi

ANSWERS, REFUSES, IS_AWAY = "answers", "refuses", "does not answer"
# Nobody knows yet: whoever plays the call says it with ``Effects.react``.
ASKED = "is asked"
# https://learn.microsoft.com/graph/api/call-keepalive
KEPT_SECONDS = 45 * 60.0
REACTIONS = (ANSWERS, REFUSES, IS_AWAY)
_RING_SECONDS = {ANSWERS: 3.0, REFUSES: 3.0, IS_AWAY: 20.0, ASKED: 20.0}
_TRANSFER_FAULTS = {REFUSES: (500, 7000), IS_AWAY: (500, 7700)}
_TONE_SECONDS = 0.3
_DONE = Ending("completed", 200, 0, "Action completed successfully.")
_NOT_INVITED = Ending("failed", 500, 7000, "Action failed, nobody came.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What effects do to their call.

    Attributes:
        notify: sends a notification: its name and its body.
        end: ends the call: by whom, code, subcode and message.
        hand_over: tells who has the call now.
    """

    notify: Callable[[str, Json], None]
    end: Callable[[str, int, int, str], None]
    hand_over: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ringing:
    """The telephones of people ring, until somebody says how they react.

    Attributes:
        reason: ``transfer`` or ``invite``.
        then: gets the reaction.
        end_of_time: when nobody has answered.
    """

    reason: str
    people: list[str]
    then: Callable[[str], None]
    end_of_time: Planned


class Effects:
    """The effects of controls on one call. Not safe for threads.

    Attributes:
        media: what is heard and said.
        is_established: the audio flows, or did.
        is_subscribed: the bot is told of keys.
        failed_transfers: to whom the call went in vain, in order.
        invited: who came into the call.
        voice: what the caller says, as a wav; None: nobody hears what.
        ringing: who is asked how they react, as nobody is unless ``usually`` says so.
        reactions: of those who were asked, in order.
    """

    def __init__(
        self,
        call: Call,
        timeline: Timeline,
        graph: GraphApi,
        hooks: Hooks,
        *,
        lengths: Mapping[str, float],
        people: Mapping[str, str],
        usually: str = ANSWERS,
    ) -> None:
        """Start without any; ``lengths`` and ``people`` as in ``CallPlan``.

        ``usually``: how those react whom ``people`` does not name.
        """
        self.media = Media(timeline, lengths, self._media_ended)
        self.is_established = False
        self.is_subscribed = False
        self.failed_transfers: list[str] = []
        self.invited: list[str] = []
        self.voice: bytes | None = None
        self.ringing: Ringing | None = None
        self.reactions: list[tuple[str, str]] = []
        self._usually = usually
        self._call = call
        self._timeline = timeline
        self._graph = graph
        self._hooks = hooks
        self._people = people
        self._is_muted = False
        self._end_of_time: Planned | None = None
        self._ids = (new_id(), new_id())

    def begin(self) -> None:
        """Tell that the audio flows, thrice, and who is there."""
        self.is_established = True
        self._graph.calls[self._call.call_id].is_established = True
        self.keep_alive()
        for body in consequences.established(self._call):
            self._hooks.notify("established", body)
        self._tell_roster()

    def keep_alive(self, _asked: CallRequest | None = None) -> None:
        """Give the call another 45 minutes."""
        if self._end_of_time is not None:
            self._end_of_time.cancel()
        message = "The call was not kept alive."
        self._end_of_time = self._timeline.after(
            KEPT_SECONDS, lambda: self._hooks.end("platform", 408, 8537, message)
        )

    def stop(self) -> None:
        """End with the call."""
        if self._end_of_time is not None:
            self._end_of_time.cancel()
        if self.ringing is not None:
            self.ringing.end_of_time.cancel()
            self.ringing = None
        self.media.stop()

    def react(self, reaction: str) -> None:
        """Let those who ring react, as one: one of ``REACTIONS``."""
        ringing, self.ringing = self.ringing, None
        if ringing is not None:
            ringing.end_of_time.cancel()
            self.reactions += [(person, reaction) for person in ringing.people]
            ringing.then(reaction)

    def take(self, asked: CallRequest) -> None:
        """Let a control that Graph has carried out have its effects."""
        effects = {
            "delete": self._delete,
            "keepAlive": self.keep_alive,
            "playPrompt": self._play_prompt,
            "recordResponse": self._record_response,
            "subscribeToTone": self._subscribe_to_tone,
            "cancelMediaProcessing": self._cancel_media_processing,
            "transfer": self._transfer,
            "mute": self._mute,
            "unmute": self._unmute,
            "invite": self._invite,
            "sendDtmfTones": self._send_dtmf_tones,
        }
        if asked.control in effects:
            effects[asked.control](asked)

    def _delete(self, _asked: CallRequest) -> None:
        self._hooks.notify("terminating", consequences.state(self._call, "terminating"))
        self._hooks.end("bot", 0, 0, "The bot has hung up.")

    def _play_prompt(self, asked: CallRequest) -> None:
        self._take_media(asked, None)

    def _record_response(self, asked: CallRequest) -> None:
        self._take_media(asked, asked.body)

    def _subscribe_to_tone(self, _asked: CallRequest) -> None:
        self.is_subscribed = True

    def _cancel_media_processing(self, _asked: CallRequest) -> None:
        self.media.cancel()

    def _mute(self, _asked: CallRequest) -> None:
        self._is_muted = True
        self._tell_roster()

    def _unmute(self, _asked: CallRequest) -> None:
        self._is_muted = False
        self._tell_roster()

    def _send_dtmf_tones(self, asked: CallRequest) -> None:
        delay = asked.body.get("delayBetweenTonesMs", 0) / 1000
        seconds = len(asked.body["tones"]) * (_TONE_SECONDS + delay)
        self._end_later(seconds, asked, "sendDtmfTones", _DONE, {})

    def _transfer(self, asked: CallRequest) -> None:
        person = person_of(asked.body["transferTarget"]) or ""
        self._tell_state("transferring")
        self._ring(
            "transfer", [person], lambda reaction: self._transferred(person, reaction)
        )

    def _ring(
        self, reason: str, people: list[str], then: Callable[[str], None]
    ) -> None:
        """Let people be called; they react in their time, or are asked."""
        found = {self._people.get(person, self._usually) for person in people}
        seconds = max(_RING_SECONDS[reaction] for reaction in found)
        if ASKED in found:
            end = self._timeline.after(seconds, lambda: self.react(IS_AWAY))
            self.ringing = Ringing(reason, people, then, end)
            return
        reaction = ANSWERS if found == {ANSWERS} else max(found - {ANSWERS})
        self._timeline.after(seconds, lambda: then(reaction))

    def _transferred(self, person: str, reaction: str) -> None:
        call = self._graph.calls[self._call.call_id]
        call.is_transferring = False
        if call.is_over:
            return
        if reaction == ANSWERS:
            self._hooks.hand_over(person)
            self._tell_state("transferAccepted")
            self._hooks.end("transfer", 0, 7015, "GracefulTransferCompleted")
            return
        self.failed_transfers.append(person)
        code, subcode = _TRANSFER_FAULTS[reaction]
        body = consequences.transfer_failed(self._call, code, subcode)
        self._hooks.notify("transfer failed", body)

    def _invite(self, asked: CallRequest) -> None:
        people = [person_of(each) or "" for each in asked.body["participants"]]
        members = {"participants": asked.body["participants"]}

        def invited(reaction: str) -> None:
            ending = _DONE if reaction == ANSWERS else _NOT_INVITED
            self._end_later(0.0, asked, "inviteParticipants", ending, members)
            if ending is _DONE:
                self._timeline.after(0.0, lambda: self._join(people))

        self._ring("invite", people, invited)

    def _join(self, people: list[str]) -> None:
        if not self._is_over:
            self.invited += people
            self._tell_roster()

    @property
    def _is_over(self) -> bool:
        return self._graph.calls[self._call.call_id].is_over

    def _take_media(self, asked: CallRequest, recording: Any) -> None:
        prompts = asked.body.get("prompts", ())
        self.media.take(
            MediaOperation(
                id=asked.operation_id,
                prompts=[prompt["mediaInfo"]["uri"] for prompt in prompts],
                client_context=asked.body.get("clientContext"),
                recording=recording,
            )
        )

    def _media_ended(self, operation: MediaOperation, ending: Ending) -> None:
        is_recording = operation.recording is not None
        members: dict[str, Any] = {"clientContext": operation.client_context}
        if is_recording:
            is_kept = ending.code < 400
            kept = self._graph.keep_recording(self.voice) if is_kept else ("", "")
            (location, token), self.voice = kept, None
            members |= {"recordingLocation": location, "recordingAccessToken": token}
        self._tell_operation(
            "record" if is_recording else "playPrompt", operation.id, ending, members
        )

    def _end_later(
        self,
        seconds: float,
        asked: CallRequest,
        kind: str,
        ending: Ending,
        members: Mapping[str, Any],
    ) -> None:
        context = {"clientContext": asked.body.get("clientContext"), **members}
        self._timeline.after(
            seconds,
            lambda: self._tell_operation(kind, asked.operation_id, ending, context),
        )

    def _tell_operation(
        self, kind: str, known_as: str, ending: Ending, members: Mapping[str, Any]
    ) -> None:
        given = {name: value for name, value in members.items() if value is not None}
        body = consequences.operation_ended(self._call, kind, known_as, ending, given)
        self._hooks.notify(f"{kind} {ending.status}", body)

    def _tell_state(self, name: str) -> None:
        self._hooks.notify(name, consequences.state(self._call, name))

    def _tell_roster(self) -> None:
        caller, bot = self._ids
        people = [
            consequences.participant(caller_identity(self._call), caller),
            consequences.participant(
                identity("application"), bot, is_muted=self._is_muted
            ),
            *(
                consequences.participant(identity("user", person), person)
                for person in self.invited
            ),
        ]
        self._hooks.notify("roster", consequences.roster(self._call, people))
