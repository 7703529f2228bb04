"""shared.service: forged tokens in floods, and the calls among them."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from shared.core.transport import MAX_BODY_BYTES, WebhookRequest
from shared.edge.refusals import LOOK_EVERY
from shared.service import Service
from tests.service_world import ServiceWorld, close, receive

MANY = 64


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceWorld]:
    """Start the neighbours once."""
    with ServiceWorld(tmp_path_factory.mktemp("flood")) as world:
        yield world


@pytest.fixture
def service(world: ServiceWorld) -> Iterator[Service]:
    """Return a service that holds its keys."""
    service = world.service(CALLING_ANSWER="false")
    assert receive(service, world.follow_up()).status == 202
    yield service
    close(service)


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


def test_a_call_passes_the_forged_tokens_that_came_before_it(
    world: ServiceWorld, service: Service
) -> None:
    """Only those leave before it that came before it was seen that there are many."""
    forged = world.follow_up(token=world.tokens.variant("forged"))

    statuses = statuses_as_they_come(service, [forged] * MANY + [world.follow_up()])

    assert statuses.index(202) == LOOK_EVERY
    assert statuses.count(401) == MANY


def test_a_call_passes_the_bodies_too_large_that_came_before_it(
    world: ServiceWorld, service: Service
) -> None:
    """They need no token, so that anybody can send them."""
    large = world.post(b"x" * (MAX_BODY_BYTES + 1))

    statuses = statuses_as_they_come(service, [large] * MANY + [world.follow_up()])

    assert statuses.index(202) == LOOK_EVERY
    assert statuses.count(413) == MANY


def test_refusals_of_the_platform_itself_do_not_wait(
    world: ServiceWorld, service: Service
) -> None:
    """Whoever has a good token is no stranger."""
    odd = world.post(b"no JSON")

    statuses = statuses_as_they_come(service, [odd] * MANY + [world.follow_up()])

    assert statuses == [400] * MANY + [202]
