"""The records of calls as block blobs in one container of Azure Storage.

https://learn.microsoft.com/rest/api/storageservices/get-blob and
https://learn.microsoft.com/rest/api/storageservices/put-blob, as the managed identity:
https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import quote

from shared.core.call_records import MAX_RECORD_BYTES
from shared.edge.outbound import OutboundError, SharedSession, exchange
from shared.edge.outbound import send as send_bytes
from shared.edge.state_store import Blob, ChangedMeanwhileError, StateUnavailableError
from shared.edge.threads import DaemonThreads
from shared.edge.tls import Transfer
from shared.edge.token_client import CredentialError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.edge.identity_tokens import IdentityTokens
    from shared.edge.outbound import OutboundReply

SCOPE = "https://storage.azure.com/.default"
_API_VERSION = "2021-12-02"
# So many requests at a time. Those that hang, in name resolution say, keep their
# threads and not their places.
_PLACES = 32
_THREADS = 2 * _PLACES
# https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
_ERROR_CODE = re.compile(r"[A-Za-z]{1,64}")


class BlobStore:
    """Keeps records below the URL of a container. For one event loop."""

    def __init__(
        self, container_url: str, *, tokens: IdentityTokens, ca_bundle: str
    ) -> None:
        """Keep them below ``container_url``, which is https and has no query."""
        self._url = container_url.rstrip("/")
        self._tokens = tokens
        self._session = SharedSession(ca_bundle, connections=_PLACES)
        self._places = asyncio.Semaphore(_PLACES)
        self._threads = DaemonThreads("state", at_most=_THREADS)

    def load(self) -> None:
        """Open the session before the first call needs it. Blocking, for threads."""
        self._session.open()

    def close(self) -> None:
        """Close the session and its connections."""
        self._session.close()

    async def read(self, path: str, *, timeout_seconds: float) -> Blob | None:
        """Return what is kept under ``path``, if anything is.

        Raises:
            StateUnavailableError: the store did not tell in time.
        """
        url = self._url_of(path)

        def get(headers: Mapping[str, str], transfer: Transfer) -> OutboundReply:
            session = self._session.open()
            return exchange(session, "GET", url, transfer=transfer, headers=headers)

        reply = await self._ask(get, timeout_seconds, is_read=True)
        if reply.status == HTTPStatus.NOT_FOUND:
            return None
        if reply.status != HTTPStatus.OK:
            raise _refused(reply)
        if reply.is_cut:
            message = "the blob is larger than any record"
            raise StateUnavailableError(message)
        return Blob(reply.body, _etag(reply))

    async def write(
        self, path: str, data: bytes, *, etag: str | None, timeout_seconds: float
    ) -> str:
        """Write over version ``etag``, or ``None``: for the first time.

        Returns:
            the ETag of what was written.

        Raises:
            ChangedMeanwhileError: that is no longer what is kept under ``path``.
            StateUnavailableError: the store did not tell in time. It may have written.
        """
        url = self._url_of(path)
        condition = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
        further = {
            **condition,
            "Content-Type": "application/json",
            "x-ms-blob-type": "BlockBlob",
        }

        def send(headers: Mapping[str, str], transfer: Transfer) -> OutboundReply:
            return send_bytes(
                self._session.open(),
                "PUT",
                url,
                data,
                transfer=transfer,
                headers={**headers, **further},
            )

        reply = await self._ask(send, timeout_seconds, is_read=False)
        if reply.status in {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}:
            raise ChangedMeanwhileError
        if reply.status != HTTPStatus.CREATED:
            raise _refused(reply)
        return _etag(reply)

    async def _ask(
        self,
        send: Callable[[Mapping[str, str], Transfer], OutboundReply],
        timeout_seconds: float,
        *,
        is_read: bool,
    ) -> OutboundReply:
        """Ask on a thread, and once more where the connection is lost.

        A write is repeated only if it surely was not sent: the repeat could meet our
        own first write, and take it for another process's.
        """
        ends_at = monotonic() + timeout_seconds
        try:
            async with asyncio.timeout(timeout_seconds), self._places:
                try:
                    return await self._ask_once(send, ends_at)
                except OutboundError as error:
                    if error.is_late or (error.was_sent and not is_read):
                        raise
                return await self._ask_once(send, ends_at)
        except TimeoutError as error:
            message = "the store was not reached in time"
            raise StateUnavailableError(message) from error
        except CredentialError as error:
            message = f"no token for the store: {error}"
            raise StateUnavailableError(message) from error
        except OutboundError as error:
            message = "the store was late" if error.is_late else "no reply of the store"
            raise StateUnavailableError(message) from error
        except RuntimeError as error:
            message = "no thread for the store"
            raise StateUnavailableError(message) from error

    async def _ask_once(
        self,
        send: Callable[[Mapping[str, str], Transfer], OutboundReply],
        ends_at: float,
    ) -> OutboundReply:
        """Ask as the identity. What was not sent in time is never sent."""
        transfer = Transfer(ends_at=ends_at, max_bytes=MAX_RECORD_BYTES)
        seconds = transfer.seconds_left()
        token = await self._tokens.token(SCOPE, timeout_seconds=seconds)
        headers = {"Authorization": f"Bearer {token}", "x-ms-version": _API_VERSION}
        try:
            reply = await self._threads.run(partial(send, headers, transfer))
        finally:
            transfer.give_up()
        if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            self._tokens.forget(SCOPE, token)
        return reply

    def _url_of(self, path: str) -> str:
        segments = [quote(segment, safe="") for segment in path.split("/")]
        return "/".join([self._url, *segments])


def _etag(reply: OutboundReply) -> str:
    etag = reply.headers.get("ETag")
    if not etag:
        message = "the store's reply has no ETag"
        raise StateUnavailableError(message)
    return etag


def _refused(reply: OutboundReply) -> StateUnavailableError:
    code = reply.headers.get("x-ms-error-code", "")
    known = f" {code}" if _ERROR_CODE.fullmatch(code) else ""
    return StateUnavailableError(f"the store said {reply.status}{known}")
