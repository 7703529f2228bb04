"""Two deployments under the same load, in turn: one alone, one beside what may hurt.

Whatever else the machine does affects both alike. Callers are a process of their own,
because Graph and the instances are simulated in this one.
"""

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle
from threading import Event
from typing import Any, NamedTuple

from tests.measure.load.callers import Address, Caller, post
from tests.measure.load.target import LoadTarget
from tests.measure.two_regions import WEBHOOK
from tests.simulator.platform.notifications import Call, incoming, new_id

_TURNS = 10
# Each has a token of its own until they are used up.
_TOKENS = 2_000


class Plan(NamedTuple):
    """What the process of the callers needs to know of a deployment."""

    address: Address
    tenant_id: str
    tokens: Sequence[str]


def measure_apart[F](
    measure: Callable[[Plan, Plan, float], F],
    alone: LoadTarget,
    beside: LoadTarget,
    *,
    seconds: float,
) -> F:
    """Let a process of its own ``measure`` both deployments, ``seconds`` in all."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(measure, _plan(alone), _plan(beside), seconds).result()


def _plan(target: LoadTarget) -> Plan:
    world = target.world
    world.graph.takes_any_call = True
    tokens = [world.tokens.mint(x=new_id()) for _ in range(_TOKENS)]
    return Plan(target.address, world.tenant_id, tokens)


def take_turns(callers: Sequence[Caller], *, seconds: float) -> None:
    """Let one caller after another call, ``seconds`` in all."""
    # This order cancels out a steady drift of the machine's speed.
    for turn in range(_TURNS):
        for caller in callers if turn % 2 else reversed(callers):
            with caller.calling():
                Event().wait(seconds / _TURNS / len(callers))


def caller_of(
    plan: Plan,
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


def incoming_call(call: Call) -> Any:
    """Return the body of an incoming call."""
    return incoming(call, WEBHOOK)
