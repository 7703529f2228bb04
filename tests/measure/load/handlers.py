"""How long callers wait beside handlers that wait or hang.

Two deployments run the same bot. In one of them 31 of the 32 threads of ``def``
handlers hang for ever, and an ``async def`` handler always waits. Calls are placed to
one and to the other in turn, so that whatever else the machine does affects both alike.
They are placed by a process of its own, because Graph is simulated in this one.
"""

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from shared.edge.handler_runs import THREADS
from tests.measure.load.callers import Address, Caller, CallerFigures, post
from tests.measure.load.target import LoadTarget
from tests.measure.load.waiting_bot import WAITING_SECONDS
from tests.measure.two_regions import WEBHOOK
from tests.simulator.platform.consequences import established, roster
from tests.simulator.platform.notifications import Call, incoming, new_id

BOT = Path(__file__).with_name("waiting_bot.py")
HUNG = THREADS - 1
MAX_MULTIPLE = 1.2

_TURNS = 10
# Each has a token of its own until they are used up.
_TOKENS = 2_000


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


class _Plan(NamedTuple):
    """What the process of the callers needs to know of a deployment."""

    address: Address
    tenant_id: str
    tokens: Sequence[str]


def beside_handlers(
    alone: LoadTarget, beside: LoadTarget, *, seconds: float
) -> HandlerFigures:
    """Place calls to both in turn, ``seconds`` in all; both must run ``BOT``."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        plans = (_plan(alone), _plan(beside))
        return pool.submit(_measure, *plans, seconds).result()


def _plan(target: LoadTarget) -> _Plan:
    world = target.world
    world.graph.takes_any_call = True
    tokens = [world.tokens.mint(x=new_id()) for _ in range(_TOKENS)]
    return _Plan(target.address, world.tenant_id, tokens)


def _measure(alone: _Plan, beside: _Plan, seconds: float) -> HandlerFigures:
    hung = _hang(beside)
    waiting = _caller(beside, _participants, pause_seconds=0.0)
    callers = [_caller(plan, _incoming) for plan in (alone, beside)]
    with waiting.calling():
        # This order cancels out a steady drift of the machine's speed.
        for turn in range(_TURNS):
            for caller in callers if turn % 2 else reversed(callers):
                with caller.calling():
                    Event().wait(seconds / _TURNS / 2)
    figures = [caller.figures() for caller in callers]
    return HandlerFigures(hung, waiting.figures(), *figures)


def _hang(plan: _Plan) -> CallerFigures:
    """Let handlers hang, one on each thread but one, until their time is up."""
    caller = _caller(plan, _established)
    with ExitStack() as stack:
        for _ in range(HUNG):
            stack.enter_context(caller.calling())
    return caller.figures()


def _caller(
    plan: _Plan, body_of: Callable[[Call], Any], *, pause_seconds: float = 0.01
) -> Caller:
    """Return who posts a notification of one new call after another."""
    tokens = cycle(plan.tokens)

    def make() -> bytes:
        body = body_of(Call(tenant_id=plan.tenant_id))
        return post(plan.address, next(tokens), json.dumps(body))

    return Caller(plan.address, make, status=202, pause_seconds=pause_seconds)


def _incoming(call: Call) -> Any:
    return incoming(call, WEBHOOK)


def _established(call: Call) -> Any:
    return established(call)[-1]


def _participants(call: Call) -> Any:
    return roster(call, [])
