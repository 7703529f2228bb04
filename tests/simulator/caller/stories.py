"""Calls to the example bots: who calls, what is heard, and how it must end.

Each story holds on any wire: with notifications repeated and out of order, with two
processes, and with a Graph that throttles. The demo shows the first, tests play all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulator.caller.call import BotCall
from tests.simulator.caller.script import Script
from tests.support.checkout import CHECKOUT

BOTS = CHECKOUT / "tests" / "simulator" / "bots"
FIRST, SECOND, THIRD = (
    "550fae72-d251-43ec-868c-373732c2704f",
    "0c8a1d2e-6f0b-4b5e-9f57-2d1c7a90e4b3",
    "a6c1f0d4-3e52-4b7d-8d0e-91b0c5d7f2a8",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotStory:
    """One call to one bot.

    Attributes:
        bot: file in ``BOTS``, without its extension.
        lines: of ``script.Script``.
        changes: texts in the bot's file, and what stands there instead while it is
            tried, such as the time of day.
    """

    title: str
    bot: str
    lines: str
    changes: Mapping[str, str] = field(default_factory=dict)

    @property
    def script(self) -> Script:
        """The lines as a script."""
        return Script.parse(self.lines.splitlines())

    def play(self, call: BotCall) -> None:
        """Follow the script."""
        for step in self.script.steps:
            step.play(call)


_NOW = 'datetime.now(ZoneInfo("Europe/Berlin"))'
AT_NIGHT = {_NOW: "datetime(2026, 1, 5, 22)"}
BY_DAY = {_NOW: "datetime(2026, 1, 5, 12)"}

STORIES = (
    BotStory(
        title="a menu of two levels, with a wrong key",
        bot="menu",
        lines=f"""
            hears main
            presses 1
            hears orders
            presses 9
            hears orders-again
            presses 1
            is transferred to {SECOND}
        """,
    ),
    BotStory(
        title="a menu: repeated, and left by its first level",
        bot="menu",
        lines=f"""
            hears main
            presses *
            starts to hear main
            presses 1
            hears orders
            presses #
            hears main
            presses 2
            is transferred to {FIRST}
        """,
    ),
    BotStory(
        title="a menu to which nobody answers, and nobody is there to help",
        bot="menu",
        lines=f"""
            person {FIRST} does not answer
            hears main main-again main-again
            comes back from {FIRST}
            hears goodbye
            is hung up
        """,
    ),
    BotStory(
        title="agents: two of them are busy, the third takes the call",
        bot="agents",
        lines=f"""
            person {FIRST} refuses
            person {SECOND} does not answer
            hears please-hold
            comes back from {FIRST}
            hears please-hold
            comes back from {SECOND}
            hears please-hold
            is transferred to {THIRD}
        """,
    ),
    BotStory(
        title="agents: all of them are busy, so the caller leaves a message",
        bot="agents",
        lines=f"""
            person {FIRST} refuses
            person {SECOND} refuses
            person {THIRD} does not answer
            hears please-hold please-hold please-hold
            comes back from {FIRST}
            comes back from {SECOND}
            comes back from {THIRD}
            hears leave-a-message
            says 10
            is hung up
        """,
    ),
    BotStory(
        title="voice mail by day: the queue gets the call",
        bot="voice_mail",
        lines=f"is redirected to {FIRST}",
        changes=BY_DAY,
    ),
    BotStory(
        title="voice mail at night: a message",
        bot="voice_mail",
        lines="""
            hears greeting
            says 20
            is hung up
        """,
        changes=AT_NIGHT,
    ),
    BotStory(
        title="voice mail at night: the caller just hangs up",
        bot="voice_mail",
        lines="""
            hears greeting
            says 5
            hangs up
        """,
        changes=AT_NIGHT,
    ),
    BotStory(
        title="a PIN that the service knows",
        bot="pin",
        lines=f"""
            caller is 7f3c2f0e-5f2b-4c7d-9f0a-2b8d6c1e4a95
            hears welcome
            presses 4711
            is transferred to {SECOND}
        """,
    ),
    BotStory(
        title="a PIN: wrong, then too slow, then wrong",
        bot="pin",
        lines="""
            hears welcome
            presses 1234
            hears wrong
            presses 47
            hears again
            presses 0000
            hears goodbye
            is hung up
        """,
    ),
    BotStory(
        title="languages: a key interrupts what plays",
        bot="languages",
        lines="""
            starts to hear choose
            presses 2
            starts to hear german
            presses 3
            hears french
            is hung up
        """,
    ),
    BotStory(
        title="languages: nobody chooses",
        bot="languages",
        lines="""
            hears choose english
            is hung up
        """,
    ),
)
