"""shared.service: forged tokens in floods, and the calls among them."""

import asyncio
import time

import pytest

from shared.core.webhook import MAX_BODY_BYTES, WebhookRequest
from shared.edge.refusals import LOOK_EVERY
from shared.service import Service
from tests.support.service import Make, ScriptedNeighbours, receive

MANY = 64


@pytest.fixture
def service(neighbours: ScriptedNeighbours, make: Make) -> Service:
    """Return a service that holds its keys."""
    service = make()
    assert receive(service, neighbours.follow_up()).status == 202
    return service


def statuses_as_they_come(
    service: Service, requests: list[WebhookRequest]
) -> list[int]:
    """Let all arrive at once; return the statuses in the order of the replies."""
    statuses: list[int] = []

    async def receive_one(request: WebhookRequest) -> None:
        reply = await service.receive(request, received_at=time.monotonic())
        statuses.append(reply.status)

    async def receive_all() -> None:
        await asyncio.gather(*map(receive_one, requests))

    asyncio.run(receive_all())
    return statuses


@pytest.mark.parametrize("status", [401, 413])
def test_a_call_passes_the_refusals_that_came_before_it(
    status: int, neighbours: ScriptedNeighbours, service: Service
) -> None:
    """Anybody can send forged tokens and bodies that are too large.

    The first few leave before the call: it takes some to notice a flood.
    """
    refused = {
        401: neighbours.follow_up(token=neighbours.tokens.variant("forged")),
        413: neighbours.post(b"x" * (MAX_BODY_BYTES + 1)),
    }

    statuses = statuses_as_they_come(
        service, [refused[status]] * MANY + [neighbours.follow_up()]
    )

    assert statuses.index(202) == LOOK_EVERY
    assert statuses.count(status) == MANY


def test_refusals_of_the_platform_itself_do_not_wait(
    neighbours: ScriptedNeighbours, service: Service
) -> None:
    """A sender with a good token is the platform."""
    odd = neighbours.post(b"no JSON")

    statuses = statuses_as_they_come(service, [odd] * MANY + [neighbours.follow_up()])

    assert statuses == [400] * MANY + [202]
