"""tests.simulator.services.blob_store: as strict as Azure Storage."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.simulator.services.authority import Authority
from tests.simulator.services.blob_store import BlobStorage
from tests.simulator.services.entra import STORAGE, Entra, IssuedToken, Registration
from tests.simulator.services.signing import APP_ID, TENANT_ID

BLOCK = {"x-ms-blob-type": "BlockBlob"}


@pytest.fixture(scope="module")
def started(authority: Authority) -> Iterator[BlobStorage]:
    entra = Entra(authority.certificate, Registration(APP_ID))
    for token, scope in (
        ("for-storage", f"{STORAGE}/.default"),
        ("for-graph", "https://graph.microsoft.com/.default"),
    ):
        entra.issued[token] = IssuedToken(TENANT_ID, APP_ID, scope, "the-identity")
    with ExitStack() as stack:
        yield stack.enter_context(BlobStorage(authority.certificate, entra))


@pytest.fixture
def storage(started: BlobStorage) -> BlobStorage:
    started.reset()
    return started


def put(
    storage: BlobStorage, authority: Authority, path: str = "", **headers: str
) -> tuple[int, str | None]:
    """Write a blob; return the status and the error's code."""
    reply = requests.put(
        path or f"{storage.container_url}/a/b",
        data=b"1",
        headers={
            "Authorization": "Bearer for-storage",
            "x-ms-version": "2021-12-02",
            **BLOCK,
            **headers,
        },
        verify=str(authority.bundle),
        timeout=10,
    )
    return reply.status_code, reply.headers.get("x-ms-error-code")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Authorization": "Bearer unknown"}, (401, "InvalidAuthenticationInfo")),
        ({"Authorization": "Bearer for-graph"}, (403, "AuthenticationFailed")),
        ({"x-ms-version": "2019-12-12"}, (400, "InvalidHeaderValue")),
        ({"x-ms-blob-type": ""}, (400, "MissingRequiredHeader")),
        ({"If-Match": '"0x8DD0"'}, (412, "ConditionNotMet")),
    ],
)
def test_a_write_that_azure_would_refuse_is_refused(
    storage: BlobStorage,
    authority: Authority,
    headers: dict[str, str],
    expected: tuple[int, str],
) -> None:
    assert put(storage, authority, **headers) == expected
    assert storage.blobs == {}


def test_there_is_one_container(storage: BlobStorage, authority: Authority) -> None:
    elsewhere = f"{storage.url}/elsewhere/a"

    assert put(storage, authority, elsewhere) == (404, "ContainerNotFound")


def test_a_first_write_finds_out_that_it_is_none(
    storage: BlobStorage, authority: Authority
) -> None:
    first = {"If-None-Match": "*"}

    assert put(storage, authority, **first) == (201, None)
    assert put(storage, authority, **first) == (409, "BlobAlreadyExists")
    assert put(storage, authority) == (201, None)
    assert [request.status for request in storage.requests] == [201, 409, 201]
