"""A call that reads like a script: what the caller hears, does, and expects.

    with service.place(people={COLLEAGUE: "refuses"}) as call:
        call.hears("menu")
        call.presses("1")
        call.comes_back_from(COLLEAGUE)
        call.hears("goodbye")
        call.is_hung_up()

Prompts go by the file name of their URL, without the extension. Each must be heard
once and in the order of the script: whatever else the caller hears fails it. Names
that begin with ``silence`` are no prompts, and need no mention.
"""

from collections.abc import Callable
from typing import Any, Self

from tests.simulator.platform.calls import Outcome
from tests.simulator.platform.consequences import KEYS, keys_of
from tests.simulator.platform.conversation import Conversation
from tests.simulator.platform.media import Heard, Media
from tests.simulator.services.call_control import CallRequest, person_of

type LinesOf = Callable[[str], list[dict[str, Any]]]

_KEY_SECONDS = 0.2
_NOTICE_SECONDS = 0.1
# Rounds of a bot that never ends; keepAlive alone would let it go on for ever.
_PATIENCE_SECONDS = 2 * 3600.0


class ScriptError(AssertionError):
    """The call went otherwise than the script says; the message tells how."""


class BotCall:
    """A call to a bot. Each method lets time pass until what it says has happened.

    Raises:
        ScriptError: it did not happen, or something else did.
    """

    def __init__(
        self, conversation: Conversation, lines_of: LinesOf, *, may_fail: bool = False
    ) -> None:
        """Script ``conversation``; ``lines_of`` finds the log lines of a call."""
        self.conversation = conversation
        self._lines_of = lines_of
        self._may_fail = may_fail
        self._has_failed = False
        self._next_prompt = 0
        self._next_failed_transfer = 0

    def __enter__(self) -> Self:
        """Ring."""
        self.conversation.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Hang up if nobody has, and check what the script cannot see."""
        try:
            if kind is None and not self._has_failed:
                self.hangs_up()
                self._check_end()
        finally:
            self.conversation.close()

    # What the caller does.

    def presses(self, keys: str) -> None:
        """Press keys of the telephone, one after the other."""
        for key in keys.upper():
            if key not in KEYS:
                self._fail(f"no telephone has the key {key!r}")
            self._wait_until_up()
            self.conversation.press(key)
            self.conversation.wait(_KEY_SECONDS if len(keys) > 1 else 0.0)

    def says(self, seconds: float = 3.0) -> None:
        """Wait until the bot records, and speak for so long."""
        self._expect(lambda: self._media.is_recording, "was never recorded")
        self.conversation.say(seconds)
        self.conversation.wait(seconds)

    def waits(self, seconds: float) -> None:
        """Let seconds of the call pass."""
        self.conversation.wait(seconds)

    def hangs_up(self) -> None:
        """End the call, if it still goes on, and let everything arrive."""
        self._wait_until_up()
        self.conversation.end("caller")
        self.conversation.run_until(lambda: False)

    # What the caller hears.

    def hears(self, *names: str) -> None:
        """Hear prompts to their end, these and no others."""
        for name in names:
            self.starts_to_hear(name)
            heard = self._prompts[self._next_prompt - 1]
            self._expect(
                lambda heard=heard: heard.ended_seconds is not None,  # type: ignore[misc]
                f"never heard {name!r} to its end",
            )
            if heard.is_cut:
                self._fail(f"{name!r} was cut short")

    def starts_to_hear(self, name: str) -> None:
        """Hear the beginning of a prompt: what comes next interrupts it."""
        self._expect(
            lambda: len(self._prompts) > self._next_prompt, f"never heard {name!r}"
        )
        found = self._prompts[self._next_prompt].name
        if found != name:
            self._fail(f"heard {found!r} instead of {name!r}")
        self._next_prompt += 1

    def hears_keys(self, keys: str) -> None:
        """Hear the bot press keys."""
        self._expect(
            lambda: keys.upper() in self._bot_keys, f"never heard the keys {keys!r}"
        )

    # What becomes of the call.

    def is_transferred_to(self, person: str) -> None:
        """End up with somebody: the id of a user, or a number."""
        self._expect(lambda: self._is_over, f"was never transferred to {person}")
        found = self.conversation.transferred_to
        if found != person:
            self._fail(f"was not transferred to {person}")
        self._expect_nothing_more()

    def comes_back_from(self, person: str) -> None:
        """Be transferred to somebody who does not take the call, and come back."""
        failed = self.conversation.effects.failed_transfers
        self._expect(
            lambda: len(failed) > self._next_failed_transfer,
            f"never came back from {person}",
        )
        found = failed[self._next_failed_transfer]
        if found != person:
            self._fail(f"came back from {found} instead of {person}")
        self._next_failed_transfer += 1
        self.conversation.wait(0.0)  # so that the bot knows

    def is_joined_by(self, person: str) -> None:
        """Find somebody in the call whom the bot invited."""
        invited = self.conversation.effects.invited
        self._expect(lambda: person in invited, f"was never joined by {person}")

    def is_hung_up(self) -> None:
        """Wait until the bot hangs up."""
        self._expect(lambda: self._is_over, "was never hung up")
        if self.conversation.ended_by != "bot":
            self._fail("was not hung up by the bot")
        self._expect_nothing_more()

    def is_answered(self) -> None:
        """Be answered."""
        self._wait_until_up()
        if not self._is_up:
            self._fail("was not answered")

    def is_rejected(self) -> None:
        """Be rejected instead of answered."""
        self._expect_turned_away(Outcome.REJECTED)

    def is_redirected_to(self, *people: str) -> None:
        """Be sent on to others before anybody answers."""
        self._expect_turned_away(Outcome.REDIRECTED)
        targets = self.conversation.controls[-1].body["targets"]
        found = [person_of(target) for target in targets]
        if found != [*people]:
            self._fail(f"was redirected to {found} instead of {[*people]}")

    # What there was.

    @property
    def heard(self) -> list[Heard]:
        """The prompts that were heard so far, silences included."""
        return self.conversation.heard

    @property
    def actions(self) -> list[CallRequest]:
        """What the bot asked for and Graph carried out, in order."""
        return self.conversation.controls

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log lines about this call."""
        return self._lines_of(self.conversation.call.call_id)

    def problems(self) -> list[str]:
        """Return what nobody on the phone notices, in sentences."""
        found = []
        report = self.conversation.report
        if report and report.outcome in {Outcome.LOST, Outcome.REFUSED}:
            found.append(f"The call was {report.outcome}: {report.why}.")
        found += [
            f"{step.what} got {step.status or step.error} instead of 202."
            for step in self.conversation.steps.steps
            if step.status != 202
        ]
        found += [
            f"{line.get('bot_event')} ended {line['reason']}."
            for line in self.log
            if line.get("reason") == "bot-failed"
        ]
        return found

    def story(self) -> str:
        """Tell what was heard, pressed and done, and how it ended."""
        lines = [f"  heard {_told(heard)}" for heard in self.heard]
        if self.conversation.pressed:
            lines.append(f"  pressed {self.conversation.pressed}")
        names = [asked.control for asked in self.actions]
        lines.append(f"  actions: {', '.join(names) or 'none'}")
        lines.append(f"  {self.end()}")
        return "\n".join(lines)

    def end(self) -> str:
        """Tell how the call ended."""
        match self.conversation.ended_by:
            case None:
                return "the call goes on"
            case "transfer":
                return f"the call went to {self.conversation.transferred_to}"
            case "platform":
                report = self.conversation.report
                if report is None or report.outcome is Outcome.ANSWERED:
                    return "the platform ended it: nobody kept it alive"
                return f"the call was {report.outcome}"
            case somebody:
                return f"the {somebody} hung up"

    def wire(self) -> list[str]:
        """Tell of each notification what it became, and what the bot had done."""
        lines = []
        for line in self.log:
            if line.get("event") != "notification.handled":
                continue
            event = line.get("bot_event", "event")
            if event == "event":
                event = line.get("call_state") or event
            actions = ", ".join(action["name"] for action in line.get("actions", ()))
            lines.append(f"{event:<20} {line['reason']:<18} {actions}".rstrip())
        return lines

    @property
    def _media(self) -> Media:
        return self.conversation.effects.media

    @property
    def _is_up(self) -> bool:
        ended = self.conversation.ended_by
        return ended is None and self.conversation.effects.is_established

    @property
    def _is_over(self) -> bool:
        return self.conversation.ended_by is not None

    @property
    def _prompts(self) -> list[Heard]:
        """What the caller noticed; silences are no prompts."""
        return [
            heard
            for heard in self.heard
            if heard.is_audible and not heard.name.startswith("silence")
        ]

    @property
    def _bot_keys(self) -> str:
        tones = [a.body["tones"] for a in self.actions if a.control == "sendDtmfTones"]
        return "".join(map(keys_of, tones))

    def _wait_until_up(self) -> None:
        """Wait for the answer and the time that it takes to notice it."""
        if not self._is_up and not self._is_over:
            self._expect(lambda: self._is_up or self._is_over, "was never answered")
            self.conversation.wait(_NOTICE_SECONDS)

    def _expect_turned_away(self, outcome: Outcome) -> None:
        reported = self.conversation.run_until(
            lambda: self.conversation.report is not None
        )
        report = self.conversation.report
        if not reported or report is None or report.outcome is not outcome:
            self._fail(f"was not {outcome}")

    def _expect_nothing_more(self) -> None:
        if more := self._prompts[self._next_prompt :]:
            self._fail(f"also heard {', '.join(repr(heard.name) for heard in more)}")

    def _expect(self, is_reached: Callable[[], bool], complaint: str) -> None:
        """Let time pass until something is reached, or fail."""
        if not self.conversation.run_until(is_reached, _PATIENCE_SECONDS):
            self._fail(complaint)

    def _check_end(self) -> None:
        problems = self.problems()
        if problems and not self._may_fail:
            raise ScriptError(f"{' '.join(problems)}\n{self.story()}")

    def _fail(self, complaint: str) -> None:
        self._has_failed = True
        raise ScriptError(f"The caller {complaint}.\n{self.story()}")


def _told(heard: Heard) -> str:
    end = heard.ended_seconds
    to = "" if end is None else f" to {end:.1f}"
    cut = ", cut short" if heard.is_cut else ""
    return f"{heard.name} (from {heard.started_seconds:.1f}{to} s{cut})"
