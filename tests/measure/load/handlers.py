"""How long callers wait beside handlers that wait or hang.

Two deployments run the same bot. In one of them 31 of the 32 threads of ``def``
handlers hang for ever, and an ``async def`` handler always waits. Calls are placed to
one and to the other in turn.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.edge.handler_runs import THREADS
from tests.measure.load.callers import CallerFigures
from tests.measure.load.in_turn import (
    Plan,
    caller_of,
    incoming_call,
    measure_apart,
    take_turns,
)
from tests.measure.load.target import LoadTarget
from tests.measure.load.waiting_bot import WAITING_SECONDS
from tests.simulator.platform.consequences import established, roster
from tests.simulator.platform.notifications import Call

BOT = Path(__file__).with_name("waiting_bot.py")
HUNG = THREADS - 1
MAX_MULTIPLE = 1.2


@dataclass(frozen=True, slots=True)
class HandlerFigures:
    """Calls alone, and beside handlers that wait or hang.

    Attributes:
        hung: the events whose handlers hang.
        waiting: the events whose handler waits, one after the other.
    """

    hung: CallerFigures
    waiting: CallerFigures
    alone: CallerFigures
    beside: CallerFigures

    @property
    def is_right(self) -> bool:
        """Every reply was right, and the handlers did hang and wait."""
        seen = (self.hung, self.waiting, self.alone, self.beside)
        is_slow = min(self.hung.median, self.waiting.median) >= WAITING_SECONDS * 1000
        return self.hung.calls == HUNG and is_slow and not any(f.wrong for f in seen)


def beside_handlers(
    alone: LoadTarget, beside: LoadTarget, *, seconds: float
) -> HandlerFigures:
    """Place calls to both in turn, ``seconds`` in all; both must run ``BOT``."""
    return measure_apart(_measure, alone, beside, seconds=seconds)


def _measure(alone: Plan, beside: Plan, seconds: float) -> HandlerFigures:
    hung = _hang(beside)
    waiting = caller_of(beside, _participants, pause_seconds=0.0)
    callers = [caller_of(plan, incoming_call) for plan in (alone, beside)]
    with waiting.calling():
        take_turns(callers, seconds=seconds)
    figures = [caller.figures() for caller in callers]
    return HandlerFigures(hung, waiting.figures(), *figures)


def _hang(plan: Plan) -> CallerFigures:
    """Let handlers hang, one on each thread but one, until their time is up."""
    caller = caller_of(plan, _established)
    with ExitStack() as stack:
        for _ in range(HUNG):
            stack.enter_context(caller.calling())
    return caller.figures()


def _established(call: Call) -> Any:
    return established(call)[-1]


def _participants(call: Call) -> Any:
    return roster(call, [])
