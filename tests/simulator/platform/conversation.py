"""A call from its first ring to its end: what the bot does, and what that causes.

The platform sends every notification over the network, and the bot asks Graph for what
it wants; only time is virtual. It stands still while a notification is handled and
jumps when nothing else can happen: a menu of half a minute takes milliseconds. Who
waits for what will never come learns that at once.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.platform import consequences
from tests.simulator.platform.calls import CallReport, Outcome, PlacedCall, RetryPolicy
from tests.simulator.platform.effects import ANSWERS, Effects, Hooks
from tests.simulator.platform.media import Heard
from tests.simulator.platform.notifications import deleted
from tests.simulator.platform.platform import CallingPlatform
from tests.simulator.platform.timeline import Timeline
from tests.simulator.platform.wire import Wire
from tests.simulator.services.call_control import CallRequest, RingingCall
from tests.simulator.services.graph_api import GraphApi

_REPLY_SECONDS = 60.0
_SETUP_SECONDS = 0.5
_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """How a call goes, as far as that is not the bot's to decide.

    Attributes:
        lengths: seconds of prompts, by name; see ``media.Media``.
        people: what those do whom the bot transfers to or invites, by id or number:
            ``answers``, ``refuses`` or ``does not answer``.
        usually: what those do who are not named.
        wire: how its notifications travel.
        retries: of notifications after the announcement, which come again without a
            reply; the pauses are of real time, since what they wait for is real.
    """

    placed: PlacedCall = field(default_factory=PlacedCall)
    lengths: Mapping[str, float] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    usually: str = ANSWERS
    wire: Wire = field(default_factory=Wire)
    retries: RetryPolicy = field(default_factory=RetryPolicy.none)


class Conversation:
    """One call. The caller's thread drives it with ``run_until``.

    Attributes:
        call: as its notifications tell of it.
        timeline: the time of the call.
        effects: of what the bot asked for: what is heard, who was invited.
        controls: what the bot asked for and Graph carried out, in order.
        pressed: the caller's keys, in order.
        steps: every notification after the announcement, with its reply.
        report: how the announcement went; None: it still rings.
        ended_by: ``caller``, ``bot``, ``transfer`` or ``platform``; None: it goes on.
        transferred_to: who has the call now.
    """

    def __init__(
        self, plan: CallPlan, platform: CallingPlatform, graph: GraphApi
    ) -> None:
        """Plan a call; it rings with ``start``."""
        self.plan = plan
        self.call = platform.call_of(plan.placed)
        self.timeline = Timeline()
        self.controls: list[CallRequest] = []
        self.pressed = ""
        self.steps = CallReport(call_id=self.call.call_id, placed=plan.placed)
        self.report: CallReport | None = None
        self.ended_by: str | None = None
        self.transferred_to: str | None = None
        self._platform = platform
        self._graph = graph
        self._changed = threading.Condition(threading.RLock())
        self._in_flight = 0
        self._failure: BaseException | None = None
        self._pool = ThreadPoolExecutor(_THREADS, "conversation")
        self.effects = Effects(
            self.call,
            self.timeline,
            graph,
            Hooks(notify=self._notify, end=self.end, hand_over=self._hand_over),
            lengths=plan.lengths,
            people=plan.people,
            usually=plan.usually,
        )

    @property
    def heard(self) -> list[Heard]:
        """The prompts that the caller heard, in order."""
        return self.effects.media.heard

    def start(self) -> None:
        """Ring."""
        with self._changed:
            self._fly(self._announce)

    def close(self) -> None:
        """Wait for what is in flight."""
        self._pool.shutdown()

    def run_until(
        self, is_reached: Callable[[], bool], within_seconds: float | None = None
    ) -> bool:
        """Let time pass until something is reached; tell whether it was.

        Args:
            is_reached: looks at this conversation.
            within_seconds: of the call; None: as long as anything can happen.

        Raises:
            RuntimeError: a notification got no reply for a minute.
        """
        with self._changed:
            now = self.timeline.now_seconds
            ends_at = None if within_seconds is None else now + within_seconds
            while not is_reached():
                if not self._go_on(ends_at):
                    return False
            return True

    def wait(self, seconds: float) -> None:
        """Let seconds of the call pass."""
        with self._changed:
            passed: list[bool] = []
            self.timeline.after(seconds, lambda: passed.append(True))
            self.run_until(lambda: bool(passed))

    def press(self, key: str) -> bool:
        """Press a key; tell whether the bot is told, which takes a subscription."""
        with self._changed:
            self.pressed += key
            self.effects.media.press(key)
            is_told = self.effects.is_subscribed and self.ended_by is None
            if is_told:
                number = len(self.pressed)
                self._notify("tone", consequences.tone(self.call, key, number))
            return is_told

    def say(self, seconds: float) -> None:
        """Speak for so long."""
        with self._changed:
            self.effects.media.say(seconds)

    def end(self, by: str, code: int = 0, subcode: int = 0, message: str = "") -> None:
        """End the call: nobody hears anything more, and the bot is told."""
        with self._changed:
            if self.ended_by is not None:
                return
            self.ended_by = by
            self._ringing.is_over = True
            body = consequences.ended(self.call, code, subcode, message)
            self._notify("terminated", body)
            self.effects.stop()

    def _go_on(self, ends_at: float | None) -> bool:
        """Let the next thing happen, or wait for a reply; False: nothing will."""
        if self._failure is not None:
            raise RuntimeError("The call broke off.") from self._failure
        may_overtake = self.plan.wire.is_rough and self.timeline.is_due
        if self._in_flight and not may_overtake:
            if not self._changed.wait(_REPLY_SECONDS):
                raise RuntimeError("A notification got no reply for a minute.")
            return True
        next_seconds = self.timeline.next_seconds
        if next_seconds is None or (ends_at is not None and next_seconds > ends_at):
            return False
        self.timeline.run_next()
        return True

    @property
    def _ringing(self) -> RingingCall:
        return self._graph.calls[self.call.call_id]

    def _hand_over(self, person: str) -> None:
        self.transferred_to = person

    def _notify(self, what: str, body: Any, url: str | None = None) -> None:
        """Send a notification, as often and as late as the wire has it."""
        target = url or self._ringing.callback_uri or self._platform.webhook
        for seconds in self.plan.wire.delays():
            self.timeline.after(
                seconds, lambda: self._fly(self._post, what, body, target)
            )

    def _fly(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do something on the network, while time stands still."""
        self._in_flight += 1
        self._pool.submit(self._land, work, *arguments)

    def _land(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception as failure:  # noqa: BLE001 - the caller's thread raises it
            self._failure = failure
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    def _post(self, what: str, body: Any, url: str) -> None:
        """Send a notification until it is taken, or given up."""
        self._platform.send_until_taken(
            self.call, self.steps, what, body, url, self.plan.retries
        )

    def _announce(self) -> None:
        placed = self.plan.placed
        report = self._platform.announce(placed, self.call, self._take)
        with self._changed:
            self.report = report
            if report.outcome is not Outcome.ANSWERED:
                self.ended_by = self.ended_by or "platform"
                self._turn_away(report.outcome)

    def _turn_away(self, outcome: Outcome) -> None:
        """Tell the end of a call that was not answered."""
        url = self.controls[-1].body.get("callbackUri") if self.controls else None
        if outcome is Outcome.REJECTED:
            self._notify("deleted", deleted(self.call), url)
        elif outcome is Outcome.REDIRECTED:
            body = consequences.ended(self.call, 0, 0, "Redirected.")
            self._notify("terminated", body, url)

    def _take(self, asked: CallRequest) -> None:
        """Let a control have its effects; on Graph's thread."""
        with self._changed:
            self.controls.append(asked)
            if asked.control == "answer":
                self._notify(
                    "establishing", consequences.state(self.call, "establishing")
                )
                self.timeline.after(_SETUP_SECONDS, self._set_up)
            self.effects.take(asked)
            self._changed.notify_all()

    def _set_up(self) -> None:
        if self.ended_by is None:
            self.effects.begin()
