"""What goes wrong in the soak with instances: three of them fail in turn.

The other two take their notifications all the time. A failing one gets few, since each
may wait for four seconds and holds one of the instance's places; without a place it
gets 503 at once, which is the reply that it would get later.
"""

from functools import partial

from tests.measure.instance import HANGS, Behaviour
from tests.measure.load import wrk
from tests.measure.load.soak import Situation, heal
from tests.measure.load.target import LoadTarget
from tests.measure.load.traffic import Traffic, delivered, soaking_with
from tests.measure.load.wrk import Figures

INSTANCES = ("a", "b", "c")

_WARMING_DELAY_SECONDS = 0.5
# Thirty for each instance, which has places for 32. As these are a multiple of the
# instances, each connection keeps to one.
_WARMING_CONNECTIONS = 90


def warm_up_deliveries(target: LoadTarget, *, seconds: float) -> Figures:
    """Have almost as many deliveries under way as each instance can have."""
    heal(target)
    for instance in target.instances.values():
        instance.behave(Behaviour(delay_seconds=_WARMING_DELAY_SECONDS))
    delivered(INSTANCES).write(target)
    figures = wrk.run(target, connections=_WARMING_CONNECTIONS, seconds=seconds)
    heal(target)
    return figures


def _fails(name: str, what: str, behaviour: Behaviour, status: int) -> Situation:
    """Return a situation in which an instance fails, and the platform gets a status."""
    return Situation(
        f"an instance {what}",
        partial(_let_behave, name=name, behaviour=behaviour),
        _traffic(name, status),
    )


def _let_behave(target: LoadTarget, *, name: str, behaviour: Behaviour) -> None:
    target.instances[name].behave(behaviour)


def _traffic(failing: str | None = None, status: int = 202) -> Traffic:
    return soaking_with(INSTANCES, failing, status)


_BUSY = Behaviour(status=503, headers={"Retry-After": "1"})

ROUND = (
    Situation("all work", traffic=_traffic()),
    _fails("a", "is down", Behaviour(is_up=False), 503),
    _fails("b", "hangs", HANGS, 503),
    _fails("c", "is busy", _BUSY, 503),
    _fails("a", "hangs up", Behaviour(hangs_up=True), 503),
    _fails("b", "has lost its calls", Behaviour(status=404), 202),
)
