"""Azure Blob Storage, as far as a state store needs it: one container of block blobs.

It checks what the real one checks of a request (token, version, type of the blob,
conditions), and answers with its status, ETag and error code:
https://learn.microsoft.com/rest/api/storageservices/put-blob
https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.simulator.services.entra import STORAGE, Entra
from tests.simulator.services.graph_api import Fault
from tests.simulator.services.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable

CONTAINER = "bot-state"
_FIRST_VERSION = "2021-12-02"


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob as it is now."""

    data: bytes
    etag: str
    content_type: str


@dataclass(frozen=True, slots=True)
class BlobRequest:
    """One request as it came; the status is 0 where its reply was lost."""

    method: str
    path: str
    status: int


class BlobStorage(WebServer):
    """Keeps the blobs of one container.

    Attributes:
        blobs: by path below the container.
        requests: every request, in order.
        faults: the faults of the next requests, in order.
        standing_fault: makes the fault of a request when ``faults`` is empty.
        before_writing: is called with the path before each write is looked at, and may
            change the blobs, as another process would.
    """

    def __init__(self, certificate: tuple[Path, Path], entra: Entra) -> None:
        """Trust the tokens of ``entra``."""
        route = Route("/{container}/{path:path}", self._take, methods=["GET", "PUT"])
        super().__init__(Starlette(routes=[route]), certificate)
        self._entra = entra
        self._etags = count(1)
        self.reset()

    @property
    def container_url(self) -> str:
        """The value of CALLING_STATE_URL."""
        return f"{self.url}/{CONTAINER}"

    def reset(self) -> None:
        """Forget everything and heal."""
        self.blobs: dict[str, StoredBlob] = {}
        self.requests: list[BlobRequest] = []
        self.faults: deque[Fault] = deque()
        self.standing_fault: Callable[[], Fault] = Fault
        self.before_writing: Callable[[str], None] = lambda _path: None

    def write(self, path: str, data: bytes, content_type: str = "") -> StoredBlob:
        """Write as another process would."""
        etag = f'"0x8DD{next(self._etags):012X}"'
        blob = self.blobs[path] = StoredBlob(data, etag, content_type)
        return blob

    async def _take(self, request: Request) -> Response:
        """Carry a request out, or let the next fault happen instead."""
        data = await request.body()
        fault = self.faults.popleft() if self.faults else self.standing_fault()
        await asyncio.sleep(fault.delay_seconds)
        reply = fault.reply() if fault.reply else self._carry_out(request, data)
        status = 0 if fault.loses_reply else reply.status_code
        path = request.path_params["path"]
        self.requests.append(BlobRequest(request.method, path, status))
        if fault.loses_reply:
            self.hang_up(request)
        return reply

    def _carry_out(self, request: Request, data: bytes) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        path = request.path_params["path"]
        if request.method == "GET":
            return self._get(path)
        self.before_writing(path)
        return self._put(request, path, data)

    def _refusal(self, request: Request) -> Response | None:
        """Return why a request is not carried out; ``None``: it is."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        issued = self._entra.issued.get(token)
        if issued is None:
            return storage_error(401, "InvalidAuthenticationInfo")
        if issued.scope != f"{STORAGE}/.default":
            return storage_error(403, "AuthenticationFailed")
        if request.headers.get("x-ms-version", "") < _FIRST_VERSION:
            return storage_error(400, "InvalidHeaderValue")
        if request.path_params["container"] != CONTAINER:
            return storage_error(404, "ContainerNotFound")
        return None

    def _get(self, path: str) -> Response:
        blob = self.blobs.get(path)
        if blob is None:
            return storage_error(404, "BlobNotFound")
        return Response(blob.data, 200, {"ETag": blob.etag}, blob.content_type)

    def _put(self, request: Request, path: str, data: bytes) -> Response:
        headers = request.headers
        if headers.get("x-ms-blob-type") != "BlockBlob":
            return storage_error(400, "MissingRequiredHeader")
        blob = self.blobs.get(path)
        if headers.get("if-none-match") == "*" and blob is not None:
            return storage_error(409, "BlobAlreadyExists")
        expected = headers.get("if-match")
        if expected is not None and (blob is None or blob.etag != expected):
            return storage_error(412, "ConditionNotMet")
        content_type = headers.get("content-type", "application/octet-stream")
        written = self.write(path, data, content_type)
        return Response(status_code=201, headers={"ETag": written.etag})


def storage_error(status: int, code: str) -> Response:
    """Return an error in the form of Azure Storage."""
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code></Error>'
    headers = {"x-ms-error-code": code}
    return Response(body, status, headers, "application/xml")
