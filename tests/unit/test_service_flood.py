"""shared.service: forged tokens in floods, and the calls among them."""

import asyncio

import pytest

from shared.core.webhook import MAX_BODY_BYTES, WebhookRequest
from tests.support.service import Make, ScriptedNeighbours, receive

MANY = 64


@pytest.mark.parametrize("status", [401, 413])
def test_refusals_are_not_held_back(
    status: int, neighbours: ScriptedNeighbours, make: Make
) -> None:
    """Whatever a process has taken ends in the order in which it came."""
    service = make()
    assert receive(service, neighbours.follow_up()).status == 202
    refused = {
        401: neighbours.follow_up(token=neighbours.tokens.variant("forged")),
        413: neighbours.post(b"x" * (MAX_BODY_BYTES + 1)),
    }
    statuses: list[int] = []

    async def receive_all() -> None:
        async with asyncio.TaskGroup() as group:
            for request in [refused[status]] * MANY + [neighbours.follow_up()]:
                group.create_task(receive_one(request))

    async def receive_one(request: WebhookRequest) -> None:
        got = await service.receive(request)
        statuses.append(got.status)

    asyncio.run(receive_all())

    assert statuses == [status] * MANY + [202]
