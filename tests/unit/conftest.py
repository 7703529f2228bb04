"""What several unit tests share: servers over TLS, keys, and a service's neighbours."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
import requests

from shared.core.bot import Bot
from shared.edge.call_memory import CallMemory
from shared.edge.health_check import HealthCheck
from shared.edge.outbound import open_session
from shared.service import Service, UsableService
from tests.simulator.services.authority import Authority
from tests.support.answering import AnsweringHarness
from tests.support.bot_calls import BotCall, PlaceCall
from tests.support.clock import FakeClock
from tests.support.entra import TokenServers
from tests.support.instance import Instance
from tests.support.keys import Keys, settle
from tests.support.servers import Script, ScriptedServer, healthy, status
from tests.support.service import Make, ScriptedNeighbours
from tests.support.stores import DirectedStore

type Serve = Callable[[Script], ScriptedServer]


@pytest.fixture(scope="session")
def tls(authority: Authority) -> ssl.SSLContext:
    """TLS for servers on loopback."""
    return authority.server_context()


@pytest.fixture
def serve(tls: ssl.SSLContext) -> Iterator[Serve]:
    """Start servers that follow a script, over TLS; they end with the test."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(ScriptedServer(script, tls))


@pytest.fixture
def session(authority: Authority) -> Iterator[requests.Session]:
    """A session that trusts the authority of the tests."""
    with open_session(str(authority.bundle), connections=4) as opened:
        yield opened


@pytest.fixture
def region(serve: Serve) -> ScriptedServer:
    """Region sea, which is healthy unless scripted."""
    return serve(healthy("sea"))


@pytest.fixture
def check(region: ScriptedServer, authority: Authority) -> Iterator[HealthCheck]:
    """The check of region sea by region weu."""
    with closing(check_of(region.host, str(authority.bundle))) as check:
        yield check


def check_of(host: str, ca_bundle: str) -> HealthCheck:
    """Return the check of region sea by region weu."""
    return HealthCheck(host, region="sea", own_region="weu", ca_bundle=ca_bundle)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that a test moves."""
    return FakeClock()


@pytest.fixture
def state_store() -> DirectedStore:
    """What the memories of all processes share."""
    return DirectedStore()


@pytest.fixture
def memory(state_store: DirectedStore) -> CallMemory:
    """The memory of this process."""
    return CallMemory(state_store)


@pytest.fixture
def other_memory(state_store: DirectedStore) -> CallMemory:
    """The memory of another process."""
    return CallMemory(state_store)


@pytest.fixture
def unresolved(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let name resolution hang until the event is set."""
    real, resolved = socket.getaddrinfo, threading.Event()

    def resolve(*args: object, **kwargs: object) -> object:
        resolved.wait(10)
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield resolved
    resolved.set()


@pytest.fixture
def cold() -> Keys:
    """Signing keys that were not fetched yet."""
    return Keys()


@pytest.fixture
def loaded(cold: Keys) -> Keys:
    """Signing keys that hold the first key set."""
    cold.ids_found("old")
    settle(cold)
    return cold


@pytest.fixture
def harness(authority: Authority) -> Iterator[AnsweringHarness]:
    """Answering, with a Graph that accepts every answer unless scripted."""
    with AnsweringHarness(authority) as harness:
        yield harness


@pytest.fixture(scope="module")
def started_neighbours(authority: Authority) -> Iterator[ScriptedNeighbours]:
    """The neighbours of a service, started once a file."""
    with ScriptedNeighbours(authority) as neighbours:
        yield neighbours


@pytest.fixture
def neighbours(started_neighbours: ScriptedNeighbours) -> ScriptedNeighbours:
    """The neighbours of a service, healthy and without a past."""
    started_neighbours.reset()
    return started_neighbours


@pytest.fixture
def make(neighbours: ScriptedNeighbours) -> Iterator[Make]:
    """Makes services, and closes them at the end."""
    with ExitStack() as stack:

        def make_one(bot: Bot | None = None, **changes: str) -> Service:
            service = neighbours.service(bot, **changes)
            stack.callback(service.close)
            return service

        yield make_one


@pytest.fixture
def service(make: Make) -> UsableService:
    """A service that answers calls."""
    service = make()
    assert isinstance(service, UsableService)
    return service


@pytest.fixture(scope="module")
def started_token_servers(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TokenServers]:
    """Entra and the managed identity endpoint, started once a file."""
    with TokenServers(authority, tmp_path_factory.mktemp("bot")) as servers:
        yield servers


@pytest.fixture
def servers(
    started_token_servers: TokenServers, monkeypatch: pytest.MonkeyPatch
) -> TokenServers:
    """Healthy token servers without a past, and the environment of a function app."""
    started_token_servers.reset()
    monkeypatch.setenv("IDENTITY_ENDPOINT", started_token_servers.identity.endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", started_token_servers.identity.header)
    return started_token_servers


@pytest.fixture
def place_call(
    neighbours: ScriptedNeighbours, make: Make, caplog: pytest.LogCaptureFixture
) -> PlaceCall:
    """Places calls of a bot with a service of its own, or of a given one."""

    def place(
        bot: Bot | None = None,
        service: Service | None = None,
        *,
        is_policy_recording: bool = False,
        **settings: str,
    ) -> BotCall:
        return BotCall(
            neighbours,
            service or make(bot, **settings),
            caplog,
            is_policy_recording=is_policy_recording,
        )

    return place


@pytest.fixture
def instance(authority: Authority, place_call: PlaceCall) -> Iterator[Instance]:
    """An instance, which accepts everything unless scripted."""
    with ExitStack() as stack:
        server = ScriptedServer(status(202), authority.server_context())
        yield Instance(stack.enter_context(server), place_call)
