"""Kinds of requests, each with the one right reply, and mixes of these kinds.

The app remembers 1,024 verified tokens. A file has more good tokens than that, so that
each one has been forgotten, and is verified again, when its turn comes again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import cycle, islice

from tests.measure.load.target import LoadTarget
from tests.measure.two_regions import WEBHOOK
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
# Tokens are valid for five minutes, and for five more by the leeway.
MAX_SECONDS = 300.0

# A tenant holds half of the places for answers at most, so there are several.
_TENANTS = cycle([new_id() for _ in range(4)])
_FORGER = SigningKey()
# The token stays under 16 KiB, beyond which its size alone would refuse it.
_COSTLY_MEMBERS = 2_900


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: how one is made, and the right reply.

    Attributes:
        make: returns a token and a body.
        status: the right status of the reply.
        status_if_taken_here: the right status while the other region is unhealthy, for
            a call that the rules give to it.
        path: where it comes.
    """

    make: Callable[[Neighbours], tuple[str, object]]
    status: int
    status_if_taken_here: int = 0
    path: str = "/api/calls"

    def line(self, target: LoadTarget) -> str:
        """Make a request with a new token, as a line of a traffic file."""
        token, body = self.make(target.world)
        location = "-"
        if self.status == HTTPStatus.FOUND:
            location = f"https://{target.other_region.host}/api/calls?hop=1"
        statuses = f"{self.status}\t{self.status_if_taken_here}"
        line = f"{self.path}\t{statuses}\t{location}\t{token}\t{json.dumps(body)}"
        return f"{line}\n"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Kinds of requests, and how often each one occurs in a round."""

    name: str
    kinds: tuple[tuple[Kind, int], ...]

    def write(self, target: LoadTarget, *, tokens: int = TOKENS) -> None:
        """Write the traffic file of ``target`` with new tokens."""
        with target.file.open("w", encoding="utf-8") as lines:
            for kind in islice(cycle(self._round()), tokens):
                lines.write(kind.line(target))

    def _round(self) -> list[Kind]:
        """Return one round, in which the kinds take turns."""
        most = max(times for _kind, times in self.kinds)
        return [
            kind
            for number in range(most)
            for kind, times in self.kinds
            if number < times
        ]


def _call(world: Neighbours, country: str = "DE") -> Call:
    return Call(call_id="@CALL@", tenant_id=world.tenant_id, country_code=country)


def _of_some_tenant(call: Call, world: Neighbours) -> tuple[str, Call]:
    """Return a new token and the call, of the next tenant in turn."""
    tenant_id = next(_TENANTS)
    token = world.tokens.mint(tid=tenant_id, x=new_id())
    return token, replace(call, tenant_id=tenant_id)


def _here(world: Neighbours) -> tuple[str, object]:
    token, call = _of_some_tenant(_call(world), world)
    return token, incoming(call, WEBHOOK)


def _elsewhere(world: Neighbours) -> tuple[str, object]:
    token, call = _of_some_tenant(_call(world, "SG"), world)
    return token, incoming(call, WEBHOOK)


def _legacy(world: Neighbours) -> tuple[str, object]:
    token, call = _of_some_tenant(_call(world), world)
    return token, legacy_incoming(call)


def _follow_up(world: Neighbours) -> tuple[str, object]:
    token, call = _of_some_tenant(_call(world), world)
    return token, established(call, is_audio_active=True)


def _forged(world: Neighbours) -> tuple[str, object]:
    """Sign with a foreign key under a known key id: the refusal that costs most."""
    token = world.tokens.mint(key=_FORGER, x=new_id())
    return token, incoming(_call(world), WEBHOOK)


def _costly(world: Neighbours) -> tuple[str, object]:
    """Have a header part of 12 KB: thousands of objects for whoever reads them."""
    members: list[dict[str, str]] = [{}] * _COSTLY_MEMBERS
    token = world.tokens.mint({"x": members}, _FORGER, x=new_id())
    return token, incoming(_call(world), WEBHOOK)


def _unknown_key(world: Neighbours) -> tuple[str, object]:
    """Name a key that does not exist, so that the deployment looks for new keys."""
    token = world.tokens.mint({"kid": new_id()}, _FORGER, x=new_id())
    return token, incoming(_call(world), WEBHOOK)


HONEST = Kind(_here, 202)
_ELSEWHERE = Kind(_elsewhere, 302, status_if_taken_here=202)
_OTHERS = (Kind(_legacy, 204), Kind(_follow_up, 202), Kind(_forged, 401))

ACCEPTED = Traffic("accepted", ((HONEST, 1),))
REDIRECTED = Traffic("redirected", ((_ELSEWHERE, 1),))
FORGED = Traffic("forged", ((Kind(_forged, 401), 1),))
COSTLY = Traffic("costly", ((Kind(_costly, 401), 1),))
MIXED = Traffic("mixed", tuple((kind, 1) for kind in (HONEST, _ELSEWHERE, *_OTHERS)))
ALL = (ACCEPTED, REDIRECTED, FORGED, MIXED)

# Few requests may wait for a failing neighbour, or nothing else would be sent.
_OFTEN, _RARELY = 12, 1
_REFUSED = ((Kind(_forged, 401), _OFTEN), (Kind(_unknown_key, 401), _RARELY))
_SOAKING = ((Kind(_legacy, 204), _OFTEN), *_REFUSED)
_FOLLOW_UPS = (Kind(_follow_up, 202), _OFTEN)
_CALLS = ((HONEST, _OFTEN), (_ELSEWHERE, _OFTEN))
SOAKING = Traffic("mixed", (*_CALLS, _FOLLOW_UPS, *_SOAKING))
SOAKING_WITHOUT_GRAPH = Traffic(
    "mixed",
    (
        (Kind(_here, 503), _RARELY),
        (Kind(_elsewhere, 302, status_if_taken_here=503), _OFTEN),
        _FOLLOW_UPS,
        *_SOAKING,
    ),
)


def delivered(partitions: Sequence[str]) -> Traffic:
    """Return notifications of calls that instances hold, for each in turn."""
    kinds = [(_delivery(name, 202), _RARELY) for name in partitions]
    return Traffic("delivered", tuple(kinds))


def soaking_with(
    partitions: Sequence[str], failing: str | None, status: int
) -> Traffic:
    """Return mixed traffic whose follow-ups go to instances.

    Few go to one that is ``failing``, and get ``status``.
    """
    share = _OFTEN // len(partitions)
    kinds = [(_delivery(name, 202), share) for name in partitions if name != failing]
    if failing is not None:
        kinds.append((_delivery(failing, status), _RARELY))
    return Traffic("mixed", (*_CALLS, *kinds, *_SOAKING))


def _delivery(partition: str, status: int) -> Kind:
    return Kind(_follow_up, status, path=f"/api/calls/{partition}")
