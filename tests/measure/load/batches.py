"""How long other callers wait beside the batches of one tenant.

One batch of as many calls as a POST may have is always under way, while Graph takes
200 ms for each answer. Beside it, another tenant places calls and somebody asks for the
health report. All of them are a process of their own, because Graph is simulated in
this one and keeps it busy.
"""

import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from threading import Event
from typing import NamedTuple

from tests.measure.load.callers import Address, Caller, CallerFigures, post
from tests.measure.load.target import LoadTarget
from tests.measure.two_regions import WEBHOOK
from tests.simulator.platform.notifications import Call, batch, incoming, new_id

ITEMS = 100
MAX_MULTIPLE = 3.0

_GRAPH_SECONDS = 0.2
_BATCH_TENANT = "7b1e4c90-52d8-4f36-9a0b-c3d4e5f60718"
# More than are placed in five minutes, so that each has a token of its own.
_TOKENS = 2_000
_SHARE_ALONE = 1 / 3


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """Calls and questions for health, alone and beside batches.

    Attributes:
        batches: what the sender of the batches saw.
    """

    batches: CallerFigures
    calls_alone: CallerFigures
    calls_beside: CallerFigures
    health_alone: CallerFigures
    health_beside: CallerFigures

    @property
    def is_right(self) -> bool:
        seen = (
            self.batches,
            self.calls_alone,
            self.calls_beside,
            self.health_alone,
            self.health_beside,
        )
        return not any(figures.wrong for figures in seen)


class _Plan(NamedTuple):
    """What the process of the callers needs: ``tokens`` and ids of both tenants."""

    address: Address
    seconds: float
    tenant_id: str
    tokens: Sequence[str]
    batch_tokens: Sequence[str]


def beside_batches(target: LoadTarget, *, seconds: float) -> BatchFigures:
    """Place calls alone and then beside batches; the deployment must answer calls."""
    world = target.world
    world.graph.takes_any_call = True
    world.graph.delay_seconds = _GRAPH_SECONDS
    plan = _Plan(
        address=target.address,
        seconds=seconds,
        tenant_id=world.tenant_id,
        tokens=[world.tokens.mint(x=new_id()) for _ in range(_TOKENS)],
        batch_tokens=[
            world.tokens.mint(tid=_BATCH_TENANT, x=new_id()) for _ in range(_TOKENS)
        ],
    )
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(_measure, plan).result()


def _measure(plan: _Plan) -> BatchFigures:
    alone = _watch(plan, plan.seconds * _SHARE_ALONE)
    batches = _sender(plan, _BATCH_TENANT, plan.batch_tokens, items=ITEMS, pause=0.0)
    with batches.calling():
        beside = _watch(plan, plan.seconds)
    return BatchFigures(
        batches=batches.figures(),
        calls_alone=alone[0],
        calls_beside=beside[0],
        health_alone=alone[1],
        health_beside=beside[1],
    )


def _watch(plan: _Plan, seconds: float) -> tuple[CallerFigures, CallerFigures]:
    """Place calls, and ask for health, for some seconds."""
    calls = _sender(plan, plan.tenant_id, plan.tokens, items=1, pause=0.05)
    host = f"{plan.address.host}:{plan.address.port}"
    question = f"GET /api/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    health = Caller(plan.address, question.encode, status=200)
    with ExitStack() as stack:
        stack.enter_context(calls.calling())
        stack.enter_context(health.calling())
        Event().wait(seconds)
    return calls.figures(), health.figures()


def _sender(
    plan: _Plan, tenant_id: str, tokens: Sequence[str], *, items: int, pause: float
) -> Caller:
    """Return who posts ``items`` new calls of a tenant at a time."""
    turn = cycle(tokens)

    def make() -> bytes:
        calls = (Call(tenant_id=tenant_id) for _ in range(items))
        body = batch(*(incoming(call, WEBHOOK)["value"][0] for call in calls))
        return post(plan.address, next(turn), json.dumps(body))

    return Caller(plan.address, make, status=202, pause_seconds=pause)
