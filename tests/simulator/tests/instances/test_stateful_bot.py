"""The simulated instances: they trust nobody, and know their own calls only."""

from collections.abc import Iterator

import pytest
import requests

from tests.simulator.instances.instance import Instance
from tests.simulator.instances.own_graph import OwnGraph
from tests.simulator.instances.platform_tokens import PlatformTokens
from tests.simulator.instances.stateful_bot import PATH, StatefulBot
from tests.simulator.platform.notifications import (
    Call,
    established,
    establishing,
    incoming,
    terminated,
)
from tests.simulator.services.neighbours import Neighbours
from tests.simulator.services.ports import free_port
from tests.simulator.services.signing import VARIANTS, SigningKey

ELSEWHERE = "127.0.1.4"


class Place:
    """An instance, and what the platform posts to it."""

    def __init__(self, neighbours: Neighbours, *, answers: bool) -> None:
        self.neighbours = neighbours
        port = free_port("127.0.0.1", ELSEWHERE)
        bundle = neighbours.authority.bundle
        graph = OwnGraph(
            login_url=neighbours.entra.url,
            graph_url=neighbours.graph.graph_url,
            client=(neighbours.app_id, neighbours.registration.secret),
            bundle=bundle,
        )
        tokens = PlatformTokens(
            neighbours.provider.configuration_url,
            audience=neighbours.app_id,
            bundle=bundle,
        )
        self.bot = StatefulBot(
            url=f"https://127.0.0.1:{port}{PATH}",
            tokens=tokens,
            graph=graph if answers else None,
            clock=lambda: 0.0,
        )
        self.instance = Instance(
            "a",
            self.bot,
            certificate=neighbours.authority.certificate,
            address="127.0.0.1",
            port=port,
        )
        self.call = Call(tenant_id=neighbours.tenant_id)

    def post(self, body: object, variant: str = "good", **headers: str) -> int:
        """Post as the platform does; return the status."""
        token = self.neighbours.tokens.variant(variant)
        url = self.bot.url.replace("127.0.0.1", self.instance.address)
        reply = requests.post(
            url,
            json=body,
            headers={"Authorization": f"Bearer {token}", **headers},
            verify=str(self.neighbours.authority.bundle),
            timeout=10,
        )
        return reply.status_code


@pytest.fixture
def place(neighbours: Neighbours) -> Iterator[Place]:
    """Return an instance whose calls others answer."""
    place = Place(neighbours, answers=False)
    with place.instance:
        yield place


@pytest.fixture
def own(neighbours: Neighbours) -> Iterator[Place]:
    """Return an instance that answers its calls."""
    place = Place(neighbours, answers=True)
    with place.instance:
        yield place


@pytest.fixture
def neighbours() -> Iterator[Neighbours]:
    with Neighbours() as neighbours:
        yield neighbours


@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"no-tenant", "good"}))
def test_a_bad_token_is_refused(place: Place, variant: str) -> None:
    assert place.post(establishing(place.call), variant) == 401
    assert place.bot.calls == set()


def test_a_new_signing_key_is_fetched(place: Place) -> None:
    assert place.post(establishing(place.call)) == 202
    key = SigningKey()
    place.neighbours.provider.keys = [key]
    place.neighbours.tokens.key = key
    assert place.post(terminated(place.call)) == 202


def test_only_calls_that_it_holds_are_its_calls(place: Place) -> None:
    active = established(place.call, is_audio_active=True)
    assert place.post(active) == 404
    assert place.post(establishing(place.call)) == 202
    assert place.post(active) == 202
    assert place.post(terminated(place.call)) == 202
    assert place.post(active) == 404


def test_a_restart_forgets_and_a_move_does_not(place: Place) -> None:
    place.post(establishing(place.call))
    place.instance.move(ELSEWHERE)
    assert place.post(established(place.call, is_audio_active=True)) == 202
    place.instance.restart()
    assert place.post(terminated(place.call)) == 404


def test_a_stopped_machine_refuses_connections(place: Place) -> None:
    place.instance.stop_machine()
    with pytest.raises(requests.ConnectionError):
        place.post(establishing(place.call))


def test_what_rings_is_answered_once_with_its_own_callback(own: Place) -> None:
    graph, call = own.neighbours.graph, own.call
    graph.ring(call.call_id, call.tenant_id)
    body = incoming(call, "https://calls.example.org/api/calls")

    assert [own.post(body), own.post(body)] == [202, 202]
    assert [answer.status for answer in graph.answers] == [202]
    assert graph.calls[call.call_id].callback_uri == own.bot.url
    assert own.post(establishing(call)) == 202


def test_what_it_got_is_kept_and_who_sent_it(place: Place) -> None:
    place.post(establishing(place.call))
    place.post(terminated(place.call), **{"ce-id": "x"})

    first, second = place.bot.received
    assert first.call_ids == (place.call.call_id,)
    assert (first.is_forwarded, second.is_forwarded) == (False, True)
