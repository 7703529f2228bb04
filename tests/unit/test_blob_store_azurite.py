"""shared.edge.blob_store with Azurite, Microsoft's emulator of Azure Storage.

CONTRIBUTING.md says how to get it.
"""

import asyncio
import time
from collections.abc import Iterator

import pytest
from starlette.responses import JSONResponse, Response

from shared.core.call_records import MAX_RECORD_BYTES, CallRecord
from shared.edge import blob_store as blob_store_module
from shared.edge.call_memory import CallMemory
from shared.edge.state_store import ChangedMeanwhileError, StateUnavailableError
from tests.simulator.services.authority import Authority
from tests.simulator.services.signing import APP_ID, SigningKey, TokenFactory
from tests.support.azurite import Azurite, find_azurite
from tests.support.blobs import blob_store
from tests.support.entra import TokenServers
from tests.support.stores import CALL, count_events

ENOUGH_SECONDS = 30.0


@pytest.fixture(scope="module")
def azurite(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Azurite]:
    """Azurite with an empty container, started once."""
    command = find_azurite()
    if command is None:
        pytest.skip("azurite-blob is not on PATH, and AZURITE does not say where it is")
    tokens = TokenFactory(SigningKey(), audience=APP_ID)
    folder = tmp_path_factory.mktemp("azurite")
    with Azurite(command, authority, tokens, folder) as running:
        yield running


@pytest.fixture
def servers(servers: TokenServers, azurite: Azurite) -> TokenServers:
    """A managed identity endpoint that hands out tokens as Entra's are."""
    expires_on = str(int(time.time()) + 3600)
    servers.identity.fault = lambda: JSONResponse(
        {"access_token": azurite.token, "expires_on": expires_on}
    )
    return servers


def test_reading_writing_and_conflicts_are_as_in_azure(
    azurite: Azurite, servers: TokenServers, authority: Authority
) -> None:
    async def story() -> None:
        with blob_store(azurite.container_url, authority) as store:
            path, seconds = f"{CALL.path}-alone", ENOUGH_SECONDS
            assert await store.read(path, timeout_seconds=seconds) is None
            with pytest.raises(ChangedMeanwhileError):
                await store.write(path, b"0", etag='"0x8DD0"', timeout_seconds=seconds)
            first = await store.write(path, b"1", etag=None, timeout_seconds=seconds)
            with pytest.raises(ChangedMeanwhileError):
                await store.write(path, b"2", etag=None, timeout_seconds=seconds)
            data = bytes(MAX_RECORD_BYTES)
            second = await store.write(path, data, etag=first, timeout_seconds=seconds)
            with pytest.raises(ChangedMeanwhileError):
                await store.write(path, b"3", etag=first, timeout_seconds=seconds)
            assert await store.read(path, timeout_seconds=seconds) == (data, second)

    asyncio.run(story())


def test_two_processes_with_200_calls_at_once_lose_no_update(
    azurite: Azurite,
    servers: TokenServers,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over few connections: it takes seconds to set up a hundred with Azurite."""
    monkeypatch.setattr(blob_store_module, "_PLACES", 16)

    async def story() -> None:
        with (
            blob_store(azurite.container_url, authority) as store,
            blob_store(azurite.container_url, authority) as other,
        ):
            memories = [CallMemory(store), CallMemory(other)]
            handled, calls = await count_events(memories, calls=200, events=2)
            assert len(handled) == len(set(handled)) == 2 * len(calls)
            for key in calls:
                blob = await store.read(key.path, timeout_seconds=ENOUGH_SECONDS)
                assert blob is not None
                assert CallRecord.decode(blob.data).state == b'{"count":2}'

    asyncio.run(story())


def test_a_token_that_is_none_is_refused(
    azurite: Azurite, servers: TokenServers, authority: Authority
) -> None:
    def none() -> Response:
        expires_on = str(int(time.time()) + 3600)
        return JSONResponse({"access_token": "none", "expires_on": expires_on})

    servers.identity.fault = none
    with (
        blob_store(azurite.container_url, authority) as store,
        pytest.raises(StateUnavailableError, match="the store said"),
    ):
        asyncio.run(store.read(CALL.path, timeout_seconds=ENOUGH_SECONDS))
