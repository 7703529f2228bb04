"""Load at half of the highest rate for a long time, while neighbours fail and recover.

First the deployment is warmed up with as many answers under way as it can have. After
that it has all its threads and connections, and remembers as many calls as it ever
will. Calls are answered through the simulated Graph. ``ROUND`` lists what goes wrong.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice, repeat
from threading import Event
from typing import NamedTuple

import requests

from tests.measure.instance import WORKS
from tests.measure.load import wrk
from tests.measure.load.target import LoadTarget
from tests.measure.load.traffic import ACCEPTED, SOAKING, SOAKING_WITHOUT_GRAPH, Traffic
from tests.measure.load.wrk import Figures
from tests.measure.two_regions import HEALTHY
from tests.simulator.services.graph_api import Fault, error_reply
from tests.support.servers import status

CONNECTIONS = 64
# More than the deployment has threads for answers (128).
WARMING_CONNECTIONS = 160
MAX_GROWTH = 1.05

_WARMING_DELAY_SECONDS = 0.5
_FAULTS_AT_FIRST = 200
_MORE_THAN_ARE_ASKED_FOR = 50_000
_HEALTH_TIMEOUT_SECONDS = 10
# A delivery ends so long after its arrival, whoever waits for the reply.
_DELIVERY_SECONDS = 4.5


@dataclass(frozen=True, slots=True)
class Situation:
    """How the neighbours behave, and the traffic to send, with the right replies."""

    name: str
    begin: Callable[[LoadTarget], None] = lambda _target: None
    traffic: Traffic = SOAKING


class Segment(NamedTuple):
    """One minute of the soak; ``health`` is the status of /api/health at its end."""

    situation: str
    figures: Figures
    health: int

    @property
    def is_right(self) -> bool:
        return self.figures.is_right and self.health == 200


def warm_up(target: LoadTarget, *, seconds: float) -> Figures:
    """Have as many answers under way as the deployment can have."""
    heal(target)
    target.world.graph.delay_seconds = _WARMING_DELAY_SECONDS
    ACCEPTED.write(target)
    return wrk.run(target, connections=WARMING_CONNECTIONS, seconds=seconds)


def highest_rate(target: LoadTarget, traffic: Traffic, *, seconds: float) -> Figures:
    """Send as much as the deployment can take while all neighbours work."""
    heal(target)
    traffic.write(target)
    return wrk.run(target, connections=CONNECTIONS, seconds=seconds)


def soak(
    target: LoadTarget, situations: Sequence[Situation], *, rate: float, minutes: float
) -> Iterator[Segment]:
    """Send ``rate`` requests a second in every situation, a minute each."""
    count = max(len(situations), round(minutes))
    seconds = minutes * 60 / count
    for situation in islice(cycle(situations), count):
        heal(target)
        situation.begin(target)
        situation.traffic.write(target)
        figures = wrk.run(target, connections=CONNECTIONS, seconds=seconds, rate=rate)
        heal(target)
        if target.instances:
            # What is under way holds places, for want of which others would fail.
            Event().wait(_DELIVERY_SECONDS)
        yield Segment(situation.name, figures, ask_health(target))


def growth(memory: list[float]) -> float:
    """Return the most memory of the last round, in units of that of the first.

    ``memory`` was read at the end of each segment.
    """
    return max(memory[-len(ROUND) :]) / max(memory[: len(ROUND)])


def ask_health(target: LoadTarget) -> int:
    url = f"{target.deployment.base_url}/api/health"
    return requests.get(url, timeout=_HEALTH_TIMEOUT_SECONDS).status_code


def heal(target: LoadTarget) -> None:
    """Make every neighbour healthy, and let Graph forget what it was asked."""
    target.other_region.script = HEALTHY
    target.world.provider.heal()
    target.world.graph.takes_any_call = True
    target.world.graph.delay_seconds = 0.0
    target.world.graph.faults.clear()
    target.world.graph.answers.clear()
    for instance in target.instances.values():
        instance.behave(WORKS)


def _other_region_is_unhealthy(target: LoadTarget) -> None:
    target.other_region.script = status(503)


def _graph_fails_at_first(target: LoadTarget) -> None:
    reply = partial(error_reply, 429, "4290", "too many", {"Retry-After": "1"})
    faults = (_GRAPH_IS_DOWN, Fault(reply=reply), Fault(loses_reply=True))
    target.world.graph.faults.extend(islice(cycle(faults), _FAULTS_AT_FIRST))


def _graph_is_down(target: LoadTarget) -> None:
    target.world.graph.faults.extend(repeat(_GRAPH_IS_DOWN, _MORE_THAN_ARE_ASKED_FOR))


_GRAPH_IS_DOWN = Fault(reply=lambda: error_reply(503, "5030", "out of order"))

ROUND = (
    Situation("all work"),
    Situation("provider answers 500", lambda at: at.world.provider.follow(status(500))),
    Situation("Graph fails at first", _graph_fails_at_first),
    Situation("provider hangs", lambda at: at.world.provider.is_hanging.set()),
    Situation("other region is unhealthy", _other_region_is_unhealthy),
    Situation("Graph is down", _graph_is_down, SOAKING_WITHOUT_GRAPH),
)
