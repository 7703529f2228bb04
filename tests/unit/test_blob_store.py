"""shared.edge.blob_store: records as blobs, in time or not at all."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from starlette.responses import RedirectResponse, Response

from shared.core.call_records import MAX_RECORD_BYTES, CallRecord
from shared.edge import blob_store as blob_store_module
from shared.edge.blob_store import BlobStore
from shared.edge.call_memory import CallMemory
from shared.edge.state_store import Blob, ChangedMeanwhileError, StateUnavailableError
from tests.simulator.services.authority import Authority
from tests.simulator.services.blob_store import BlobStorage, storage_error
from tests.simulator.services.graph_api import Fault
from tests.simulator.services.ports import free_port
from tests.support.blobs import blob_store
from tests.support.clock import at_most, wait_until
from tests.support.entra import TokenServers
from tests.support.relay import Relay
from tests.support.stores import CALL, count_events, open_call
from tests.support.threads import let_no_thread_start

PATH = CALL.path
ENOUGH_SECONDS = 30.0
SHORT_SECONDS = 0.5
# The deadlines of the exchange and of the wait for it end at the same time.
LATE = ("the store was late", "the store was not reached in time")


@pytest.fixture
def storage(authority: Authority, servers: TokenServers) -> Iterator[BlobStorage]:
    """Storage that is healthy and empty."""
    with BlobStorage(authority.certificate, servers.entra) as storage:
        yield storage


@pytest.fixture
def store(storage: BlobStorage, authority: Authority) -> Iterator[BlobStore]:
    """The store of this process."""
    with blob_store(storage.container_url, authority) as store:
        yield store


async def read(store: BlobStore, seconds: float = ENOUGH_SECONDS) -> Blob | None:
    return await store.read(PATH, timeout_seconds=seconds)


async def write(
    store: BlobStore, data: bytes, etag: str | None, seconds: float = ENOUGH_SECONDS
) -> str:
    return await store.write(PATH, data, etag=etag, timeout_seconds=seconds)


def fail(store: BlobStore, seconds: float = ENOUGH_SECONDS) -> str:
    """Read, which must fail; return why."""
    with pytest.raises(StateUnavailableError) as failed:
        asyncio.run(read(store, seconds))
    return str(failed.value)


def test_what_is_written_is_read_by_another_process(
    storage: BlobStorage, store: BlobStore, authority: Authority
) -> None:
    async def story() -> tuple[Blob | None, str]:
        etag = await write(store, b"{}", None)
        etag = await write(store, b'{"a": 1}', etag)
        with blob_store(storage.container_url + "/", authority) as other:
            return await read(other), etag

    blob, etag = asyncio.run(story())
    assert blob == Blob(b'{"a": 1}', etag)
    assert storage.blobs.keys() == {PATH}
    assert storage.blobs[PATH].content_type == "application/json"


def test_a_call_that_was_never_kept_is_no_failure(store: BlobStore) -> None:
    assert asyncio.run(read(store)) is None


def test_each_process_but_the_first_finds_the_blob_changed(store: BlobStore) -> None:
    async def story() -> None:
        first = await write(store, b"1", None)
        with pytest.raises(ChangedMeanwhileError):
            await write(store, b"2", None)
        await write(store, b"3", first)
        with pytest.raises(ChangedMeanwhileError):
            await write(store, b"4", first)

    asyncio.run(story())


@pytest.mark.parametrize("status", [409, 412])
def test_both_words_for_a_conflict_are_understood(
    storage: BlobStorage, store: BlobStore, status: int
) -> None:
    storage.standing_fault = lambda: Fault(reply=lambda: storage_error(status, "Any"))

    with pytest.raises(ChangedMeanwhileError):
        asyncio.run(write(store, b"1", None))


def test_a_store_that_is_slow_is_not_waited_for(
    storage: BlobStorage, store: BlobStore
) -> None:
    storage.standing_fault = lambda: Fault(delay_seconds=5)

    with at_most(3 * SHORT_SECONDS):
        assert fail(store, SHORT_SECONDS) in LATE


def test_a_store_that_is_down_is_told_at_once(
    servers: TokenServers, authority: Authority
) -> None:
    url = f"https://127.0.0.1:{free_port()}/bot-state"
    with blob_store(url, authority) as store, at_most(5):
        assert fail(store) == "no reply of the store"


def forget_the_address(store: BlobStore, unresolved: threading.Event) -> None:
    """Get a token, then let the name of storage no longer resolve."""
    unresolved.set()
    asyncio.run(read(store))
    store._session.close()
    unresolved.clear()


def test_a_name_that_does_not_resolve_holds_nobody(
    storage: BlobStorage, store: BlobStore, unresolved: threading.Event
) -> None:
    forget_the_address(store, unresolved)

    with at_most(3 * SHORT_SECONDS):
        assert fail(store, SHORT_SECONDS) in LATE
    unresolved.set()
    asyncio.run(read(store))
    assert len(storage.requests) == 2


def test_what_nobody_waits_for_any_more_is_never_sent(
    storage: BlobStorage, store: BlobStore, unresolved: threading.Event
) -> None:
    """An event that was given up must not be claimed later."""
    forget_the_address(store, unresolved)

    async def story() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SHORT_SECONDS):
                await write(store, b"1", None)
        [sender] = [each for each in threading.enumerate() if each.name == "state"]
        unresolved.set()
        await asyncio.to_thread(sender.join, ENOUGH_SECONDS)

    asyncio.run(story())
    assert storage.blobs == {}


def test_without_time_nobody_is_asked(storage: BlobStorage, store: BlobStore) -> None:
    for seconds in (0, -1):
        fail(store, seconds)
    assert storage.requests == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_is_not_used_again(
    storage: BlobStorage, store: BlobStore, servers: TokenServers, status: int
) -> None:
    storage.faults.append(Fault(reply=lambda: storage_error(status, "Refused")))

    assert fail(store) == f"the store said {status} Refused"
    assert asyncio.run(read(store)) is None
    assert len(servers.identity.requests) == 2


def test_one_token_serves_all_requests(store: BlobStore, servers: TokenServers) -> None:
    async def story() -> None:
        await asyncio.gather(*(read(store) for _ in range(10)))

    asyncio.run(story())
    assert len(servers.identity.requests) == 1


def test_without_a_token_storage_is_not_asked(
    storage: BlobStorage, store: BlobStore, servers: TokenServers
) -> None:
    servers.identity.fault = lambda: Response(status_code=500)

    assert fail(store).startswith("no token for the store: ")
    assert storage.requests == []


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (lambda: storage_error(500, "InternalError"), "500 InternalError"),
        (lambda: storage_error(503, "Server\tBusy!"), "503"),
        (lambda: Response(status_code=200), "no ETag"),
        (lambda: Response(status_code=206, headers={"ETag": '"1"'}), "206"),
        (lambda: RedirectResponse("/bot-state/elsewhere"), "307"),
        (
            lambda: Response(bytes(MAX_RECORD_BYTES + 1), 200, {"ETag": '"1"'}),
            "larger than any record",
        ),
    ],
)
def test_whatever_else_storage_says_is_no_record(
    storage: BlobStorage, store: BlobStore, reply: object, why: str
) -> None:
    storage.standing_fault = lambda: Fault(reply=reply)  # type: ignore[arg-type]

    assert why in fail(store)
    assert len(storage.requests) == 1


def test_the_largest_record_is_read_whole(
    storage: BlobStorage, store: BlobStore
) -> None:
    async def story() -> Blob | None:
        await write(store, bytes(MAX_RECORD_BYTES), None)
        return await read(store)

    blob = asyncio.run(story())
    assert blob is not None
    assert len(blob.data) == MAX_RECORD_BYTES


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_write_that_is_refused_is_told(
    storage: BlobStorage, store: BlobStore, status: int
) -> None:
    """404 says that there is no such container."""
    storage.standing_fault = lambda: Fault(reply=lambda: storage_error(status, "Any"))

    with pytest.raises(StateUnavailableError, match=f"{status} Any"):
        asyncio.run(write(store, b"1", None))


def test_a_write_whose_reply_is_lost_is_sent_once(
    storage: BlobStorage, store: BlobStore
) -> None:
    """A second one would meet the first, and look like another process's."""
    storage.faults.append(Fault(loses_reply=True))

    with pytest.raises(StateUnavailableError):
        asyncio.run(write(store, b"1", None))
    wait_until(lambda: bool(storage.requests))
    assert [request.method for request in storage.requests] == ["PUT"]
    assert storage.blobs[PATH].data == b"1"


def test_a_read_whose_reply_is_lost_is_repeated_once(
    storage: BlobStorage, store: BlobStore
) -> None:
    storage.faults.append(Fault(loses_reply=True))
    assert asyncio.run(read(store)) is None

    storage.faults += [Fault(loses_reply=True)] * 2
    assert fail(store) == "no reply of the store"


def test_a_write_that_was_never_sent_is_repeated_once(
    storage: BlobStorage, authority: Authority
) -> None:
    """A claim that is lost would let another process handle the event again."""
    with Relay(storage.url.removeprefix("https://")) as relay:
        relay.to_refuse = 1
        with blob_store(f"{relay.url}/bot-state", authority) as store:
            asyncio.run(write(store, b"1", None))
        relay.to_refuse = 2
        with blob_store(f"{relay.url}/bot-state", authority) as store:
            assert fail(store) == "no reply of the store"
    assert storage.blobs[PATH].data == b"1"
    assert [request.method for request in storage.requests] == ["PUT"]


def test_without_a_thread_the_store_is_unavailable(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        await read(store)
        let_no_thread_start(monkeypatch)
        with pytest.raises(StateUnavailableError):
            await read(store)

    asyncio.run(story())


def test_a_crowd_waits_for_its_turn(
    storage: BlobStorage, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than there are places, as in a burst of events."""
    monkeypatch.setattr(blob_store_module, "_PLACES", 8)

    async def story() -> list[Blob | None]:
        with blob_store(storage.container_url, authority) as store:
            return await asyncio.gather(*(read(store) for _ in range(200)))

    assert asyncio.run(story()) == [None] * 200


def test_two_processes_with_200_calls_at_once_lose_no_update(
    storage: BlobStorage, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over few connections: a hundred at once take a busy machine seconds to set up."""
    monkeypatch.setattr(blob_store_module, "_PLACES", 16)
    url = storage.container_url
    with blob_store(url, authority) as store, blob_store(url, authority) as other:
        memories = [CallMemory(store), CallMemory(other)]
        handled, calls = asyncio.run(count_events(memories, calls=200, events=2))

    assert len(handled) == len(set(handled)) == 2 * len(calls)
    statuses = {request.status for request in storage.requests}
    assert statuses >= {200, 201, 409, 412}
    for key in calls:
        record = CallRecord.decode(storage.blobs[key.path].data)
        assert record.state == b'{"count":2}'


def test_a_process_that_writes_in_between_is_met_by_a_second_look(
    storage: BlobStorage, store: BlobStore
) -> None:
    """It claims the very event that is being claimed here."""
    record = CallRecord(claims=("established",))

    def overtake(path: str) -> None:
        storage.before_writing = lambda _path: None
        storage.write(path, record.encode())

    storage.before_writing = overtake
    assert asyncio.run(open_call(CallMemory(store), "established")) is None
