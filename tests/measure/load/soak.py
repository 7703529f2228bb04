"""Half of the highest rate for a long time, with neighbours that fail and heal.

First the deployment is warmed up: with as many answers under way as it can have, it has
all its threads and connections, and remembers as many calls as it ever will. Calls are
answered here, through the simulated Graph. ``ROUND`` says how neighbours behave.
"""

import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice, repeat
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

from tests.measure.load import wrk
from tests.measure.load.site import Site
from tests.measure.load.traffic import ACCEPTED, SOAKING, SOAKING_WITHOUT_GRAPH, Traffic
from tests.measure.load.wrk import Figures
from tests.simulator.services.graph_api import Fault, error_reply

CONNECTIONS = 64
# More than the deployment has threads for answers (128).
WARMING_CONNECTIONS = 160
MAX_GROWTH = 1.05

_WARMING_DELAY_SECONDS = 0.5
_FAULTS_AT_FIRST = 200
_MORE_THAN_ARE_ASKED_FOR = 50_000
_HEALTH_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Weather:
    """How the neighbours behave, and the traffic with its right replies then."""

    name: str
    begin: Callable[[Site], None] = lambda _site: None
    traffic: Traffic = SOAKING


class Segment(NamedTuple):
    """What one minute of the soak saw; ``health``: what /api/health said at its end."""

    weather: str
    figures: Figures
    health: int

    @property
    def is_right(self) -> bool:
        """Tell whether every reply was right and the deployment called itself well."""
        return self.figures.is_right and self.health == http.client.OK


def warm_up(site: Site, *, seconds: float) -> Figures:
    """Have as many answers under way as the deployment can have."""
    heal(site)
    site.world.graph.delay_seconds = _WARMING_DELAY_SECONDS
    ACCEPTED.write(site)
    return wrk.run(site, connections=WARMING_CONNECTIONS, seconds=seconds)


def highest_rate(site: Site, *, seconds: float) -> Figures:
    """Send as much as the deployment can take, in good weather."""
    heal(site)
    SOAKING.write(site)
    return wrk.run(site, connections=CONNECTIONS, seconds=seconds)


def soak(site: Site, *, rate: float, minutes: float) -> Iterator[Segment]:
    """Send ``rate`` requests a second through every weather, a minute each."""
    count = max(len(ROUND), round(minutes))
    seconds = minutes * 60 / count
    for weather in islice(cycle(ROUND), count):
        heal(site)
        weather.begin(site)
        weather.traffic.write(site)
        figures = wrk.run(site, connections=CONNECTIONS, seconds=seconds, rate=rate)
        heal(site)
        yield Segment(weather.name, figures, ask_health(site))


def growth(segments: list[Segment]) -> float:
    """Return memory at its highest in the last round, in units of the first round."""
    memory = [segment.figures.memory_after for segment in segments]
    return max(memory[-len(ROUND) :]) / max(memory[: len(ROUND)])


def ask_health(site: Site) -> int:
    """Return the status of the deployment's health report."""
    address = urlsplit(site.deployment.base_url).netloc
    connection = http.client.HTTPConnection(address, timeout=_HEALTH_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status
    finally:
        connection.close()


def heal(site: Site) -> None:
    """Make every neighbour well, and let Graph forget what it was asked."""
    site.other_region.is_healthy.set()
    site.world.provider.is_hanging.clear()
    site.world.provider.configuration_fault = None
    site.world.graph.takes_any_call = True
    site.world.graph.delay_seconds = 0.0
    site.world.graph.faults.clear()
    site.world.graph.answers.clear()


def _provider_answers_500(site: Site) -> None:
    site.world.provider.configuration_fault = lambda: JSONResponse({}, 500)


def _provider_hangs(site: Site) -> None:
    site.world.provider.is_hanging.set()


def _other_region_is_sick(site: Site) -> None:
    site.other_region.is_healthy.clear()


def _graph_fails_at_first(site: Site) -> None:
    reply = partial(error_reply, 429, "4290", "too many", {"Retry-After": "1"})
    faults = (_GRAPH_IS_DOWN, Fault(reply=reply), Fault(loses_reply=True))
    site.world.graph.faults.extend(islice(cycle(faults), _FAULTS_AT_FIRST))


def _graph_is_down(site: Site) -> None:
    site.world.graph.faults.extend(repeat(_GRAPH_IS_DOWN, _MORE_THAN_ARE_ASKED_FOR))


_GRAPH_IS_DOWN = Fault(reply=lambda: error_reply(503, "5030", "out of order"))

ROUND = (
    Weather("all is well"),
    Weather("provider answers 500", _provider_answers_500),
    Weather("Graph fails at first", _graph_fails_at_first),
    Weather("provider hangs", _provider_hangs),
    Weather("other region is sick", _other_region_is_sick),
    Weather("Graph is down", _graph_is_down, SOAKING_WITHOUT_GRAPH),
)
