"""Kinds of requests, each with the one reply that is right, and mixes of them.

The app remembers 1,024 verified tokens; a file has more good ones, so that each one is
verified whenever it comes round again.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle, islice

from tests.measure.load.site import OWN_HOST, Site
from tests.simulator.platform.notifications import (
    Call,
    established,
    incoming,
    legacy_incoming,
    new_id,
)
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.signing import SigningKey

TOKENS = 2440
# Tokens live five minutes, and as long again by leeway.
MAX_SECONDS = 300.0

_WEBHOOK = f"https://{OWN_HOST}/api/calls"
_FORGER = SigningKey()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: how one is made, and the right reply.

    Attributes:
        make: returns a token and a body.
        status: of the reply.
        status_if_it_stays: of the reply to a call whose own region is sick.
    """

    make: Callable[[Neighbours], tuple[str, object]]
    status: int
    status_if_it_stays: int = 0

    def line(self, site: Site) -> str:
        """Make a request, with a token of its own, as a line of a traffic file."""
        token, body = self.make(site.world)
        location = "-"
        if self.status == HTTPStatus.FOUND:
            location = f"https://{site.other_region.host}/api/calls?hop=1"
        statuses = f"{self.status}\t{self.status_if_it_stays}"
        return f"{statuses}\t{location}\t{token}\t{json.dumps(body)}\n"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Kinds of requests, each so many times in a round."""

    name: str
    kinds: tuple[tuple[Kind, int], ...]

    def write(self, site: Site, *, tokens: int = TOKENS) -> None:
        """Write the traffic file of ``site``, with fresh tokens."""
        with site.file.open("w", encoding="utf-8") as lines:
            for kind in islice(cycle(self._round()), tokens):
                lines.write(kind.line(site))

    def _round(self) -> list[Kind]:
        """Return one round, the kinds by turns."""
        most = max(times for _kind, times in self.kinds)
        return [
            kind
            for number in range(most)
            for kind, times in self.kinds
            if number < times
        ]


def _call(world: Neighbours, country: str = "DE") -> Call:
    return Call(
        call_id="@CALL@",
        tenant_id=world.tenant_id,
        country_code=country,
    )


def _here(world: Neighbours) -> tuple[str, object]:
    return world.tokens.mint(x=new_id()), incoming(_call(world), _WEBHOOK)


def _elsewhere(world: Neighbours) -> tuple[str, object]:
    return world.tokens.mint(x=new_id()), incoming(_call(world, "SG"), _WEBHOOK)


def _legacy(world: Neighbours) -> tuple[str, object]:
    return world.tokens.mint(x=new_id()), legacy_incoming(_call(world))


def _follow_up(world: Neighbours) -> tuple[str, object]:
    return world.tokens.mint(x=new_id()), established(
        _call(world), is_audio_active=True
    )


def _forged(world: Neighbours) -> tuple[str, object]:
    """Sign with a foreign key under the id of a real one: the dearest refusal."""
    token = world.tokens.mint(key=_FORGER, x=new_id())
    return token, incoming(_call(world), _WEBHOOK)


def _unknown_key(world: Neighbours) -> tuple[str, object]:
    """Name a key that nobody has: the deployment looks for new ones."""
    token = world.tokens.mint({"kid": new_id()}, _FORGER, x=new_id())
    return token, incoming(_call(world), _WEBHOOK)


HONEST = Kind(_here, 202)
_ELSEWHERE = Kind(_elsewhere, 302, status_if_it_stays=202)
_OTHERS = (
    Kind(_legacy, 204),
    Kind(_follow_up, 202),
    Kind(_forged, 401),
)

ACCEPTED = Traffic("accepted", ((HONEST, 1),))
REDIRECTED = Traffic("redirected", ((_ELSEWHERE, 1),))
FORGED = Traffic("forged", ((Kind(_forged, 401), 1),))
MIXED = Traffic("mixed", tuple((kind, 1) for kind in (HONEST, _ELSEWHERE, *_OTHERS)))
ALL = (ACCEPTED, REDIRECTED, FORGED, MIXED)

# Requests that wait for a failing neighbour are few, or nothing else would be sent.
_SOAKING = (*((kind, 12) for kind in _OTHERS), (Kind(_unknown_key, 401), 1))
SOAKING = Traffic("mixed", ((HONEST, 12), (_ELSEWHERE, 12), *_SOAKING))
SOAKING_WITHOUT_GRAPH = Traffic(
    "mixed",
    (
        (Kind(_here, 503), 1),
        (Kind(_elsewhere, 302, status_if_it_stays=503), 12),
        *_SOAKING,
    ),
)
