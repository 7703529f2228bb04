"""A call that a person makes: in real time, and told to the journal as it goes.

The platform is that of scripted calls, with the same queue of prompts and the same
notifications. Only the clock is another one: things happen when their time comes, also
while the bot still handles what came before.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.simulator.phone.events import (
    CallerSpoke,
    KeyPressed,
    KeysHeard,
    PersonReacted,
    PhoneChanged,
    PromptEnded,
    PromptStarted,
)
from tests.simulator.platform.calls import Outcome
from tests.simulator.platform.consequences import keys_of
from tests.simulator.platform.conversation import CallPlan, Conversation
from tests.simulator.platform.journal import Event
from tests.simulator.platform.platform import CallingPlatform
from tests.simulator.services.call_control import CallRequest, person_of
from tests.simulator.services.graph_api import GraphApi

# Numbers of follow-ups; those of the announcement begin at 0.
_FIRST_FOLLOW_UP = 100
_IDLE_SECONDS = 1.0
_RING_SECONDS = 2.0
_SPEAKS_ON_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveHooks:
    """What a live call needs of its surroundings.

    Attributes:
        tell: takes an event for the journal.
        before_post: waits until regions that restart can take a POST.
        clock: seconds; tests may let it run faster.
    """

    tell: Callable[[Event], object]
    before_post: Callable[[], object] = lambda: None
    clock: Callable[[], float] = time.monotonic


class LiveCall(Conversation):
    """One call, from ``start`` on; its methods are what the person does."""

    def __init__(
        self,
        plan: CallPlan,
        platform: CallingPlatform,
        graph: GraphApi,
        hooks: LiveHooks,
    ) -> None:
        """Plan a call."""
        super().__init__(plan, platform, graph)
        self.steps.numbers = count(_FIRST_FOLLOW_UP)
        self._hooks = hooks
        self._started_at = hooks.clock()
        self._pace = threading.Thread(target=self._drive, daemon=True)
        self._prompts_told = 0
        self._reactions_told = 0
        self._is_prompt_open = False
        self._last_told: PhoneChanged | None = None
        if not plan.wire.is_rough:
            # One after the other, as they happen, while the call goes on.
            self._pool.shutdown()
            self._pool = ThreadPoolExecutor(1, "live-call")

    def start(self) -> None:
        """Ring."""
        super().start()
        self._pace.start()

    @property
    def is_over(self) -> bool:
        """Whether the call has ended and all of it has been sent."""
        return not self._pace.is_alive()

    def wait_until_over(self, timeout_seconds: float) -> bool:
        """Wait for that; tell whether it is so."""
        self._pace.join(timeout_seconds)
        return self.is_over

    # What the person does.

    def press(self, key: str) -> bool:
        """Press a key; tell whether the bot is told."""
        with self._changed:
            if not self._is_up:
                return False
            self._catch_up()
            # Told first: what the key causes comes after it.
            is_told = self.effects.is_subscribed
            self._tell(KeyPressed(call_id=self._id, key=key, is_told=is_told))
            super().press(key)
            self._changed.notify_all()
            return is_told

    def speak(self, seconds: float | None, voice: bytes | None = None) -> bool:
        """Speak for so long, or until the next call of this; tell whether it records.

        ``voice``: what was said, as a wav.
        """
        with self._changed:
            self._catch_up()
            if not self.effects.media.is_recording:
                return False
            if voice is not None:
                self.effects.voice = voice
            self.say(_SPEAKS_ON_SECONDS if seconds is None else seconds)
            self._changed.notify_all()
            return True

    def spoke(self, seconds: float) -> None:
        """Note how long the person has spoken."""
        self._tell(CallerSpoke(call_id=self._id, spoken_seconds=round(seconds, 1)))

    def react(self, reaction: str) -> bool:
        """Let those react whom the bot calls; tell whether anybody was asked."""
        with self._changed:
            self._catch_up()
            if self.effects.ringing is None:
                return False
            self.effects.react(reaction)
            self._tell_changes()
            self._changed.notify_all()
            return True

    def hang_up(self) -> None:
        """End the call, whatever it does now."""
        with self._changed:
            # The announcement has begun, but Graph may not know of it yet.
            self._changed.wait_for(self._is_known, _RING_SECONDS)
            self._catch_up()
            self.end("caller")
            self._tell_changes()
            self._changed.notify_all()

    def send_again(
        self, what: str, body: Any, url: str, *, copies: int, after_seconds: float
    ) -> None:
        """Send a notification again, as the wire may do; also after the end."""
        for _ in range(copies):
            timer = threading.Timer(after_seconds, self._post, (what, body, url))
            timer.daemon = True
            timer.start()

    # What goes on by itself.

    @property
    def _id(self) -> str:
        return self.call.call_id

    @property
    def _is_up(self) -> bool:
        return self.effects.is_established and self.ended_by is None

    def _is_known(self) -> bool:
        return self._id in self._graph.calls

    def _tell(self, event: Event) -> None:
        self._hooks.tell(event)

    def _drive(self) -> None:
        """Let things happen in their time until there is nothing left to happen."""
        with self._changed:
            while not self._is_finished:
                self._catch_up()
                next_seconds = self.timeline.next_seconds
                now = self.timeline.now_seconds
                wait = _IDLE_SECONDS if next_seconds is None else next_seconds - now
                self._changed.wait(min(max(wait, 0.001), _IDLE_SECONDS))
            self._tell_changes()
        self._pool.shutdown(wait=False)

    @property
    def _is_finished(self) -> bool:
        is_quiet = self._in_flight == 0 and self.timeline.next_seconds is None
        return self.ended_by is not None and self.report is not None and is_quiet

    def _catch_up(self) -> None:
        """Let happen what is due by now."""
        now = self._hooks.clock() - self._started_at
        while (at := self.timeline.next_seconds) is not None and at <= now:
            self.timeline.run_next()
            self._tell_changes()
        self.timeline.now_seconds = max(self.timeline.now_seconds, now)
        self._tell_changes()

    def _take(self, asked: CallRequest) -> None:
        with self._changed:
            self._catch_up()
            super()._take(asked)
            if asked.control == "sendDtmfTones":
                keys = keys_of(asked.body["tones"])
                self._tell(KeysHeard(call_id=self._id, keys=keys))
            self._tell_changes()

    def _post(self, what: str, body: Any, url: str) -> None:
        self._hooks.before_post()
        super()._post(what, body, url)

    def _tell_changes(self) -> None:
        """Tell the journal what is new."""
        self._tell_prompts()
        self._tell_reactions()
        changed = self._look()
        if changed != self._last_told:
            self._last_told = changed
            self._tell(changed)

    def _tell_prompts(self) -> None:
        media = self.effects.media
        while True:
            heard = media.heard[self._prompts_told :]
            if not heard:
                return
            number, first = self._prompts_told, heard[0]
            if not self._is_prompt_open:
                self._is_prompt_open = True
                length = media.length_of(first.name)
                started = PromptStarted(
                    call_id=self._id,
                    prompt=number,
                    name=first.name,
                    length_seconds=length,
                )
                self._tell(started)
            if first.ended_seconds is None:
                return
            self._is_prompt_open = False
            self._prompts_told += 1
            ended = PromptEnded(call_id=self._id, prompt=number, is_cut=first.is_cut)
            self._tell(ended)

    def _tell_reactions(self) -> None:
        for person, reaction in self.effects.reactions[self._reactions_told :]:
            self._reactions_told += 1
            self._tell(
                PersonReacted(call_id=self._id, person=person, reaction=reaction)
            )

    def _look(self) -> PhoneChanged:
        effects, report = self.effects, self.report
        ringing, is_recording = effects.ringing, effects.media.is_recording
        is_turned_away = report is not None and report.outcome is not Outcome.ANSWERED
        return PhoneChanged(
            call_id=self._id,
            state=self._state(),
            is_subscribed=effects.is_subscribed,
            is_recording=is_recording,
            has_beeped=effects.media.has_beeped,
            longest_seconds=effects.media.longest_seconds if is_recording else 0.0,
            asked=tuple(ringing.people) if ringing else (),
            asked_for=ringing.reason if ringing else None,
            joined=tuple(effects.invited),
            ended_by=self.ended_by,
            outcome=report.outcome.value if report and is_turned_away else None,
            why=report.why if report and is_turned_away else None,
            sent_to=self._sent_to(),
        )

    def _state(self) -> str:
        if self.ended_by is not None:
            return "over"
        if self.effects.is_established:
            return "up"
        return "connecting" if self._ringing_is_answered() else "ringing"

    def _ringing_is_answered(self) -> bool:
        known = self._graph.calls.get(self._id)
        return known is not None and known.callback_uri is not None

    def _sent_to(self) -> tuple[str, ...]:
        if self.transferred_to is not None:
            return (self.transferred_to,)
        asked = self.controls[-1] if self.controls else None
        if asked is None or asked.control != "redirect":
            return ()
        return tuple(person_of(each) or "" for each in asked.body["targets"])
