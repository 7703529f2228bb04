"""Microsoft Graph's call control: ``answer`` and ``reject``, with documented errors.

Like the real one (https://learn.microsoft.com/graph/api/call-answer and
https://learn.microsoft.com/graph/api/call-reject), it checks that the token is for
Graph and for the tenant of the call, that the body is legal, that the call is ringing,
and that nobody has answered it yet.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulator.services.entra import Entra
from tests.simulator.services.web import WebServer

_MEDIA_TYPE = "#microsoft.graph.serviceHostedMediaConfig"
# The page lists them with capitals, and its examples send them without.
_REJECT_REASONS = frozenset({"none", "busy", "forbidden"})


@dataclass(slots=True)
class RingingCall:
    """A call that waits for an answer: ``callback_uri`` once it has one.

    Attributes:
        rejected_for: why the bot rejected it; None: it did not.
        is_over: nobody can answer or reject it any more.
    """

    call_id: str
    tenant_id: str
    callback_uri: str | None = None
    rejected_for: str | None = None
    is_over: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether the bot has answered or rejected it."""
        return self.callback_uri is not None or self.rejected_for is not None


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One request to answer or to reject a call, as it came."""

    call_id: str
    authorization: str
    body: Any
    status: int


class _Refusal(NamedTuple):
    """A reply that is an error, as ``error_reply`` takes it."""

    status: int
    code: str
    message: str


@dataclass(slots=True)
class Fault:
    """What happens instead of the usual reply: a delay, another reply, or none."""

    delay_seconds: float = 0.0
    reply: Callable[[], Response] | None = None
    loses_reply: bool = False


class GraphApi(WebServer):
    """Lets ringing calls be answered and rejected.

    Attributes:
        calls: the calls that ring, by id. An unknown call is over (404, 8522).
        answers: every request to answer, in order.
        rejects: every request to reject, in order.
        other_paths: paths of all other requests; there should be none.
        faults: the faults of the next requests, in order.
        standing_fault: makes the fault of a request when ``faults`` is empty.
        delay_seconds: how long each reply takes.
        takes_any_call: take requests about calls that never rang, for measurements.
    """

    def __init__(self, certificate: tuple[Path, Path], entra: Entra) -> None:
        """Trust the tokens of ``entra``."""
        path = "/v1.0/communications/calls/{call_id}"
        routes = [
            Route(f"{path}/answer", self._answer, methods=["POST"]),
            Route(f"{path}/reject", self._reject, methods=["POST"]),
            Route("/{rest:path}", self._other, methods=["GET", "POST"]),
        ]
        super().__init__(Starlette(routes=routes), certificate)
        self._entra = entra
        self.answers: list[CallRequest] = []
        self.rejects: list[CallRequest] = []
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
        return await self._take(request, self.answers, _answer_fault, _note_answer)

    async def _reject(self, request: Request) -> Response:
        return await self._take(request, self.rejects, _reject_fault, _note_reject)

    async def _take(
        self,
        request: Request,
        seen: list[CallRequest],
        fault_of: Callable[[Any], str | None],
        note: Callable[[RingingCall, Any], None],
    ) -> Response:
        """Take a request about a call, or let the next fault happen instead."""
        call_id = request.path_params["call_id"]
        authorization = request.headers.get("authorization", "")
        body = _read_json(await request.body())
        fault = self.faults.popleft() if self.faults else self.standing_fault()
        await asyncio.sleep(self.delay_seconds + fault.delay_seconds)
        if fault.reply is not None:
            reply = fault.reply()
        elif (refusal := self._refusal(call_id, authorization, fault_of(body))) is None:
            reply = Response(status_code=202)
            if call_id in self.calls:
                note(self.calls[call_id], body)
        else:
            reply = error_reply(*refusal)
        status = 0 if fault.loses_reply else reply.status_code
        seen.append(CallRequest(call_id, authorization, body, status))
        if fault.loses_reply:
            self.hang_up(request)
        return reply

    async def _other(self, request: Request) -> Response:
        self.other_paths.append(request.url.path)
        return error_reply(404, "UnknownError", "no such resource")

    def _refusal(
        self, call_id: str, authorization: str, fault_of_body: str | None
    ) -> _Refusal | None:
        """Return why a request cannot be carried out; None: it can."""
        token = self._entra.issued.get(authorization.removeprefix("Bearer "))
        if token is None or token.scope != f"{self.url}/.default":
            return _Refusal(401, "InvalidAuthenticationToken", "token refused")
        if fault_of_body is not None:
            return _Refusal(400, "7500", fault_of_body)
        if self.takes_any_call:
            return None
        return _refusal_of_call(self.calls.get(call_id), token.tenant_id)


def _refusal_of_call(call: RingingCall | None, tenant_id: str) -> _Refusal | None:
    if call is None or call.is_over or call.rejected_for is not None:
        return _Refusal(404, "8522", "Call not found.")
    if tenant_id != call.tenant_id:
        return _Refusal(403, "7505", "Tenant mismatch.")
    if call.callback_uri is not None:
        return _Refusal(409, "8501", "The call was answered before.")
    return None


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


def _answer_fault(body: Any) -> str | None:
    is_legal = (
        isinstance(body, dict)
        and str(body.get("callbackUri")).startswith("https://")
        and body.get("acceptedModalities") == ["audio"]
        and body.get("mediaConfig") == {"@odata.type": _MEDIA_TYPE, "preFetchMedia": []}
    )
    return None if is_legal else "The answer is malformed."


def _note_answer(call: RingingCall, body: Any) -> None:
    call.callback_uri = body["callbackUri"]


def _reject_fault(body: Any) -> str | None:
    if not isinstance(body, dict) or not body.keys() <= {"reason", "callbackUri"}:
        return "The rejection is malformed."
    reason = body.get("reason")
    if not isinstance(reason, str) or reason.lower() not in _REJECT_REASONS:
        return "The reason is none of the three."
    if not str(body.get("callbackUri", "https://")).startswith("https://"):
        return "The callbackUri is not https."
    return None


def _note_reject(call: RingingCall, body: Any) -> None:
    call.rejected_for = body["reason"].lower()
