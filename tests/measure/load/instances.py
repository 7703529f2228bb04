"""How long others wait beside an instance that hangs.

Two deployments have two instances each. In one of them every place for deliveries to
the first instance is always taken, since it never replies in time. Calls are answered,
and notifications are delivered to the second instance, in one and in the other in turn.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from shared.edge.instances import PLACES
from tests.measure.instance import HANGS
from tests.measure.load.callers import CallerFigures
from tests.measure.load.in_turn import (
    Plan,
    caller_of,
    incoming_call,
    measure_apart,
    take_turns,
)
from tests.measure.load.target import LoadTarget
from tests.simulator.platform.notifications import Call, established

HANGING, WORKING = INSTANCES = ("a", "b")
MAX_MULTIPLE = 1.2

# A delivery may take this long from its arrival, less what came before it.
_DELIVERY_MS = 3_500


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


def beside_hanging(
    alone: LoadTarget, beside: LoadTarget, *, seconds: float
) -> InstanceFigures:
    """Place calls to both in turn, ``seconds`` in all; both must have ``INSTANCES``."""
    beside.instances[HANGING].behave(HANGS)
    return measure_apart(_measure, alone, beside, seconds=seconds)


def _measure(alone: Plan, beside: Plan, seconds: float) -> InstanceFigures:
    hanging = caller_of(
        beside, _established, partition=HANGING, status=503, pause_seconds=0.0
    )
    both = (alone, beside)
    callers = [
        *(caller_of(plan, incoming_call) for plan in both),
        *(caller_of(plan, _established, partition=WORKING) for plan in both),
    ]
    with ExitStack() as stack:
        for _ in range(PLACES):
            stack.enter_context(hanging.calling())
        take_turns(callers, seconds=seconds)
    return InstanceFigures(hanging.figures(), *(caller.figures() for caller in callers))


def _established(call: Call) -> Any:
    return established(call, is_audio_active=True)
