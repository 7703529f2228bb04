"""How much longer honest calls take during a flood of forged tokens.

First the flood takes all that the process can give: each connection sends the next
forged token as soon as it has its reply. The rate of refusals is then at its highest.
So do tokens whose header part is large and costly to read, for whoever reads it.
After that, forged tokens arrive at random, as those of strangers do, at rising shares
of that rate. Before each flood the honest calls are placed alone, because a shared
machine is sometimes faster and sometimes slower.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from tests.measure.load import wrk
from tests.measure.load.callers import Address, Caller, CallerFigures, post
from tests.measure.load.target import LoadTarget
from tests.measure.load.traffic import COSTLY, FORGED, HONEST, Traffic
from tests.simulator.platform.notifications import new_id

CONNECTIONS = 64
SHARES = (0.5, 0.7, 0.8, 0.9, 0.95)
# How many connections send forged tokens without a pause. An instance made from the
# templates gets at most 16 requests at a time; further ones go to other instances.
AT_ONCE = (CONNECTIONS, 16, 4)

# What is wanted: the median and p99 of honest calls during a flood that never pauses,
# and their median beside costly headers, in units of that beside plain ones.
MAX_MEDIAN_MS = 50
MAX_P99_MS = 250
MAX_COSTLY_MULTIPLE = 1.3


@dataclass(frozen=True, slots=True)
class FloodFigures:
    """Honest calls, alone and during a flood.

    Attributes:
        has_costly_headers: whether the header part of the tokens is large and costly
            to read.
        connections: how many forged tokens can be under way at a time.
        share: rate as a share of the highest rate; ``None``: without a pause.
        rate: forged tokens refused a second.
        cores: as in ``wrk.Figures``.
        wrong: forged tokens that were not refused as they should be.
        alone: honest calls before the flood.
        beside: honest calls during the flood.
    """

    has_costly_headers: bool
    connections: int
    share: float | None
    rate: float
    cores: float
    wrong: int
    alone: CallerFigures
    beside: CallerFigures

    @property
    def multiple(self) -> float:
        """The median call during the flood, in units of the median call alone."""
        return self.beside.median / self.alone.median

    @property
    def is_right(self) -> bool:
        return not (self.wrong or self.alone.wrong or self.beside.wrong)


def honest_caller(target: LoadTarget, address: Address | None = None) -> Caller:
    """Return who places twenty calls a second at the most, each with a new token."""
    place = address or target.address

    def make() -> bytes:
        token, body = HONEST.make(target.world)
        return post(place, token, json.dumps(body).replace("@CALL@", new_id()))

    return Caller(place, make, status=HONEST.status)


def flood(target: LoadTarget, *, seconds: float) -> Iterator[FloodFigures]:
    """Place honest calls alone and then during each kind of flood."""
    highest = 0.0
    for connections in AT_ONCE:
        for traffic in (FORGED, COSTLY):
            saturated = _beside(target, seconds, traffic, connections=connections)
            yield saturated
            if traffic is FORGED:
                highest = max(highest, saturated.rate)
    for share in SHARES:
        yield _beside(
            target,
            seconds,
            FORGED,
            connections=CONNECTIONS,
            share=share,
            rate=share * highest,
        )


def _beside(
    target: LoadTarget,
    seconds: float,
    traffic: Traffic,
    *,
    connections: int,
    share: float | None = None,
    rate: float | None = None,
) -> FloodFigures:
    traffic.write(target)
    alone, beside = honest_caller(target), honest_caller(target)
    with alone.calling():
        threading.Event().wait(seconds / 3)
    with beside.calling():
        seen = wrk.run(
            target, connections=connections, seconds=seconds, threads=1, rate=rate
        )
    return FloodFigures(
        has_costly_headers=traffic is COSTLY,
        connections=connections,
        share=share,
        rate=seen.rate,
        cores=seen.cores,
        wrong=seen.wrong + seen.errors + seen.tracebacks,
        alone=alone.figures(),
        beside=beside.figures(),
    )
