"""Microsoft Graph's call control: ``answer`` with its documented errors.

Like the real one (https://learn.microsoft.com/graph/api/call-answer), it checks that
the token is for Graph and for the tenant of the call, that the body is a legal answer,
that the call is ringing, and that nobody has answered it yet.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulator.services.entra import Entra
from tests.simulator.services.web import WebServer

_MEDIA_TYPE = "#microsoft.graph.serviceHostedMediaConfig"


@dataclass(slots=True)
class RingingCall:
    """A call that waits for an answer; ``callback_uri`` once it has one."""

    call_id: str
    tenant_id: str
    callback_uri: str | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """One request to answer, as it came."""

    call_id: str
    authorization: str
    body: Any
    status: int


@dataclass(slots=True)
class Fault:
    """What happens instead of the usual reply: a delay, another reply, or none."""

    delay_seconds: float = 0.0
    reply: Callable[[], Response] | None = None
    loses_reply: bool = False


class GraphApi(WebServer):
    """Lets ringing calls be answered.

    Attributes:
        calls: the calls that ring, by id. An unknown call is over (404, 8522).
        answers: every request to answer, in order.
        other_paths: paths of all other requests; there should be none.
        faults: the faults of the next requests, in order.
        standing_fault: makes the fault of a request when ``faults`` is empty.
        delay_seconds: how long each reply takes.
        takes_any_call: accept answers to calls that never rang, for measurements.
    """

    def __init__(self, certificate: tuple[Path, Path], entra: Entra) -> None:
        """Trust the tokens of ``entra``."""
        path = "/v1.0/communications/calls/{call_id}/answer"
        routes = [
            Route(path, self._answer, methods=["POST"]),
            Route("/{rest:path}", self._other, methods=["GET", "POST"]),
        ]
        super().__init__(Starlette(routes=routes), certificate)
        self._entra = entra
        self.answers: list[AnswerRequest] = []
        self.other_paths: list[str] = []
        self.calls: dict[str, RingingCall] = {}
        self.faults: deque[Fault] = deque()
        self.standing_fault: Callable[[], Fault] = Fault
        self.delay_seconds = 0.0
        self.takes_any_call = False

    @property
    def graph_url(self) -> str:
        """The value of CALLING_GRAPH_URL."""
        return f"{self.url}/v1.0"

    def ring(self, call_id: str, tenant_id: str) -> RingingCall:
        """Let a call ring."""
        call = self.calls[call_id] = RingingCall(call_id, tenant_id)
        return call

    async def _answer(self, request: Request) -> Response:
        call_id = request.path_params["call_id"]
        authorization = request.headers.get("authorization", "")
        body = _read_json(await request.body())
        fault = self.faults.popleft() if self.faults else self.standing_fault()
        await asyncio.sleep(self.delay_seconds + fault.delay_seconds)
        if fault.reply is not None:
            reply = fault.reply()
        else:
            reply = self._judge(call_id, authorization, body)
        status = 0 if fault.loses_reply else reply.status_code
        self.answers.append(AnswerRequest(call_id, authorization, body, status))
        if fault.loses_reply:
            self.hang_up(request)
        return reply

    async def _other(self, request: Request) -> Response:
        self.other_paths.append(request.url.path)
        return error_reply(404, "UnknownError", "no such resource")

    def _judge(self, call_id: str, authorization: str, body: Any) -> Response:
        token = self._entra.issued.get(authorization.removeprefix("Bearer "))
        if token is None or token.scope != f"{self.url}/.default":
            return error_reply(401, "InvalidAuthenticationToken", "token refused")
        if not _is_answer(body):
            return error_reply(400, "7500", "the answer is malformed")
        if self.takes_any_call:
            return Response(status_code=202)
        return self._take(self.calls.get(call_id), token.tenant_id, body["callbackUri"])

    def _take(
        self, call: RingingCall | None, tenant_id: str, callback_uri: str
    ) -> Response:
        if call is None or call.is_over:
            return error_reply(404, "8522", "Call not found.")
        if tenant_id != call.tenant_id:
            return error_reply(403, "7505", "Tenant mismatch.")
        if call.callback_uri is not None:
            return error_reply(409, "8501", "The call was answered before.")
        call.callback_uri = callback_uri
        return Response(status_code=202)


def error_reply(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> Response:
    """Return an error in Graph's form."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def _read_json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _is_answer(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and str(body.get("callbackUri")).startswith("https://")
        and body.get("acceptedModalities") == ["audio"]
        and body.get("mediaConfig") == {"@odata.type": _MEDIA_TYPE, "preFetchMedia": []}
    )
