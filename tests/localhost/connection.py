"""One HTTP/1.1 connection as Kestrel treats it; h11 does the protocol.

The head of a request is read whole before h11 sees it, because Kestrel refuses more
than h11 does: sizes, folding, a second Content-Length, bytes that are no UTF-8.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from email.utils import formatdate

import h11

from tests.localhost.host import HostRequest, HostResponse

_MAX_REQUEST_LINE = 8 * 1024
_MAX_HEADER_BYTES = 32 * 1024
_MAX_HEADERS = 100
_READ_BYTES = 64 * 1024
_HEAD_SECONDS = 30.0
_IDLE_SECONDS = 130.0
_BODY_SECONDS = 60.0
_HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOST = re.compile(rb"[A-Za-z0-9.:\[\]_-]+")

type Handler = Callable[[HostRequest], Awaitable[HostResponse]]


class _RefusedError(Exception):
    """The request is answered without the app, and the connection is closed."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Connection:
    """Serves the requests of one connection, one after another.

    Attributes:
        is_idle: no request has begun since the reply to the last one.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handler: Handler,
        *,
        max_body_bytes: int,
    ) -> None:
        """Serve ``handler`` on an accepted connection; larger bodies get a 500."""
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._max_body_bytes = max_body_bytes
        self.is_idle = False
        self._buffer = b""
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=_READ_BYTES)
        is_tls = writer.get_extra_info("ssl_object") is not None
        self._scheme = "https" if is_tls else "http"

    async def serve(self) -> None:
        """Serve until the client or the protocol ends the connection."""
        seconds = _HEAD_SECONDS
        while await self._serve_one(seconds):
            self._h11.start_next_cycle()
            self.is_idle = not self._buffer
            seconds = _IDLE_SECONDS

    async def _serve_one(self, seconds: float) -> bool:
        """Serve one request; tell whether another one may follow."""
        try:
            async with asyncio.timeout(seconds):
                head = await self._read_head()
            if head is None:
                return False
            request = await self._read_request(head)
        except _RefusedError as error:
            await self._send(HostResponse(error.status), is_last=True)
            return False
        except h11.RemoteProtocolError:
            await self._send(HostResponse(400), is_last=True)
            return False
        # The handler runs to its end, also when the client is gone.
        response = await asyncio.shield(asyncio.ensure_future(self._handler(request)))
        await self._send(response, is_last=False)
        return self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE

    async def _read_head(self) -> bytes | None:
        """Read up to the empty line; ``None`` where the client has ended."""
        data = self._buffer.lstrip(b"\r\n")
        while (end := data.find(b"\r\n\r\n")) < 0:
            _require_sizes(data)
            more = await self._reader.read(_READ_BYTES)
            self.is_idle = False
            if not more:
                return None
            data = (data + more).lstrip(b"\r\n")
        head, self._buffer = data[: end + 4], data[end + 4 :]
        _require_sizes(head)
        _require_legal_lines(head)
        return head

    async def _read_request(self, head: bytes) -> HostRequest:
        self._h11.receive_data(head)
        event = self._h11.next_event()
        if not isinstance(event, h11.Request):
            raise _RefusedError(400)
        headers = _join_headers(event)
        body = await self._read_body(headers)
        return HostRequest(
            method=event.method.decode("ascii"),
            target=_read_target(event.target),
            headers=headers,
            body=b"" if "transfer-encoding" in headers else body,
            scheme=self._scheme,
        )

    async def _read_body(self, headers: dict[str, str]) -> bytes:
        if int(headers.get("content-length", "0")) > self._max_body_bytes:
            raise _RefusedError(500)
        if self._h11.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await self._write(self._h11.send(go_on))
        chunks = []
        async with asyncio.timeout(_BODY_SECONDS):
            while not isinstance(event := await self._next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    chunks.append(bytes(event.data))
        self._buffer = self._h11.trailing_data[0] + self._buffer
        return b"".join(chunks)

    async def _next_event(self) -> object:
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            data, self._buffer = self._buffer, b""
            data = data or await self._reader.read(_READ_BYTES)
            self._h11.receive_data(data)
        if isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError
        return event

    async def _send(self, response: HostResponse, *, is_last: bool) -> None:
        if self._h11.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        headers = _headers_of(response, is_last=is_last)
        body = b"" if response.status == 204 else response.body
        start = h11.Response(status_code=response.status, headers=headers)
        data = self._h11.send(start) or b""
        if body:
            data += self._h11.send(h11.Data(data=body)) or b""
        data += self._h11.send(h11.EndOfMessage()) or b""
        await self._write(data)

    async def _write(self, data: bytes | None) -> None:
        self._writer.write(data or b"")
        async with asyncio.timeout(_BODY_SECONDS):
            await self._writer.drain()


def _require_sizes(head: bytes) -> None:
    line_end = head.find(b"\r\n")
    line = len(head) if line_end < 0 else line_end
    if line > _MAX_REQUEST_LINE:
        raise _RefusedError(414)
    if len(head) - line >= _MAX_HEADER_BYTES or head.count(b"\r\n") > _MAX_HEADERS + 2:
        raise _RefusedError(431)


def _require_legal_lines(head: bytes) -> None:
    """Refuse what Kestrel refuses and h11 might mend."""
    names = []
    for line in head.split(b"\r\n")[1:-2]:
        name, colon, value = line.partition(b":")
        if not colon or not _HEADER_NAME.fullmatch(name) or b"\0" in value:
            raise _RefusedError(400)
        names.append(name.lower())
        if names[-1] == b"host" and not _HOST.fullmatch(value.strip()):
            raise _RefusedError(400)
    if names.count(b"host") != 1 or names.count(b"content-length") > 1:
        raise _RefusedError(400)


def _join_headers(request: h11.Request) -> dict[str, str]:
    """Join repeated headers by a bare comma, as the host does for the worker."""
    headers: dict[str, str] = {}
    try:
        for raw_name, raw_value in request.headers:
            name, value = raw_name.decode("ascii"), raw_value.decode("utf-8")
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    except UnicodeDecodeError as error:
        raise _RefusedError(400) from error
    return headers


def _read_target(target: bytes) -> str:
    text = target.decode("latin-1")
    if text.startswith(("http://", "https://")):
        text = "/" + text.split("/", 3)[3] if text.count("/") > 2 else "/"
    return text if text.startswith("/") else f"/{text}"


def _headers_of(response: HostResponse, *, is_last: bool) -> list[tuple[str, str]]:
    headers = {
        "Content-Type" if name.lower() == "content-type" else name: value
        for name, value in response.headers.items()
    }
    present = {name.lower() for name in headers}
    if "date" not in present:
        headers["Date"] = formatdate(usegmt=True)
    if "server" not in present:
        headers["Server"] = "Kestrel"
    is_empty = not response.body and response.status != 204
    if is_empty and "content-length" not in present:
        headers["Content-Length"] = "0"
    is_cut = response.status == 204 and bool(response.body)
    if (is_last or is_cut) and "connection" not in present:
        headers["Connection"] = "close"
    return list(headers.items())
