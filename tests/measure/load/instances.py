"""How long others wait beside an instance that hangs.

Two deployments have two instances each. In one of them every place for deliveries to
the first instance is always taken, since it never replies in time. Calls are answered,
and notifications are delivered to the second instance, in one and in the other in turn,
so that whatever else the machine does affects both alike. They are placed by a process
of its own, because Graph and the instances are simulated in this one.
"""

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from threading import Event
from typing import Any, NamedTuple

from shared.edge.instances import PLACES
from tests.measure.instance import HANGS
from tests.measure.load.callers import Address, Caller, CallerFigures, post
from tests.measure.load.target import LoadTarget
from tests.measure.two_regions import WEBHOOK
from tests.simulator.platform.notifications import (
    Call,
    established,
    incoming,
    new_id,
)

HANGING, WORKING = INSTANCES = ("a", "b")
MAX_MULTIPLE = 1.2

# A delivery may take this long from its arrival, less what came before it.
_DELIVERY_MS = 3_500
_TURNS = 10
# Each has a token of its own until they are used up.
_TOKENS = 2_000


@dataclass(frozen=True, slots=True)
class InstanceFigures:
    """Answers and deliveries alone, and beside an instance that hangs.

    Attributes:
        hanging: the deliveries to the instance that hangs.
    """

    hanging: CallerFigures
    answers_alone: CallerFigures
    answers_beside: CallerFigures
    deliveries_alone: CallerFigures
    deliveries_beside: CallerFigures

    @property
    def is_right(self) -> bool:
        """Every reply was right, and the deliveries did hang."""
        seen = (
            self.hanging,
            self.answers_alone,
            self.answers_beside,
            self.deliveries_alone,
            self.deliveries_beside,
        )
        did_hang = self.hanging.median >= _DELIVERY_MS and self.hanging.calls >= PLACES
        return did_hang and not any(figures.wrong for figures in seen)


class _Plan(NamedTuple):
    """What the process of the callers needs to know of a deployment."""

    address: Address
    tenant_id: str
    tokens: Sequence[str]


def beside_hanging(
    alone: LoadTarget, beside: LoadTarget, *, seconds: float
) -> InstanceFigures:
    """Place calls to both in turn, ``seconds`` in all; both must have ``INSTANCES``."""
    beside.instances[HANGING].behave(HANGS)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        plans = (_plan(alone), _plan(beside))
        return pool.submit(_measure, *plans, seconds).result()


def _plan(target: LoadTarget) -> _Plan:
    world = target.world
    world.graph.takes_any_call = True
    tokens = [world.tokens.mint(x=new_id()) for _ in range(_TOKENS)]
    return _Plan(target.address, world.tenant_id, tokens)


def _measure(alone: _Plan, beside: _Plan, seconds: float) -> InstanceFigures:
    hanging = _caller(
        beside, _established, partition=HANGING, status=503, pause_seconds=0.0
    )
    callers = [
        *(_caller(plan, _incoming) for plan in (alone, beside)),
        *(_caller(plan, _established, partition=WORKING) for plan in (alone, beside)),
    ]
    with ExitStack() as stack:
        for _ in range(PLACES):
            stack.enter_context(hanging.calling())
        # This order cancels out a steady drift of the machine's speed.
        for turn in range(_TURNS):
            for caller in callers if turn % 2 else reversed(callers):
                with caller.calling():
                    Event().wait(seconds / _TURNS / len(callers))
    return InstanceFigures(hanging.figures(), *(caller.figures() for caller in callers))


def _caller(
    plan: _Plan,
    body_of: Callable[[Call], Any],
    *,
    partition: str = "",
    status: int = 202,
    pause_seconds: float = 0.01,
) -> Caller:
    """Return who posts a notification of one new call after another.

    With a partition it comes to that one's callbackUri, else to the calling webhook.
    """
    tokens = cycle(plan.tokens)
    path = f"/api/calls/{partition}".rstrip("/")

    def make() -> bytes:
        body = json.dumps(body_of(Call(tenant_id=plan.tenant_id)))
        return post(plan.address, next(tokens), body, path)

    return Caller(plan.address, make, status=status, pause_seconds=pause_seconds)


def _incoming(call: Call) -> Any:
    return incoming(call, WEBHOOK)


def _established(call: Call) -> Any:
    return established(call, is_audio_active=True)
