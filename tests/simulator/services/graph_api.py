"""Microsoft Graph's call control, with documented replies and errors.

Like the real one (https://learn.microsoft.com/graph/api/resources/call), it checks that
the token is for Graph and for the tenant of the call, that the body is legal, and that
the call is in a state for it. What a control causes is not its business: it tells the
call's ``on_control``.
"""

import asyncio
import json
import secrets
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulator.services.call_control import (
    CONTROLS,
    CallRequest,
    Refusal,
    RingingCall,
    fault_of_body,
    refusal_of,
)
from tests.simulator.services.entra import Entra
from tests.simulator.services.web import WebServer

_CALL_PATH = "/v1.0/communications/calls/{call_id}"
# A wav file of no length.
_SILENCE = (
    b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80>\0\0\0}\0\0\2\0\x10\0data\0\0\0\0"
)
_MAX_WAVS = 20


@dataclass(slots=True)
class Fault:
    """What happens instead of the usual reply: a delay, another reply, or none.

    With another reply nothing is carried out; ``loses_reply`` alone loses the reply to
    what was carried out.
    """

    delay_seconds: float = 0.0
    reply: Callable[[], Response] | None = None
    loses_reply: bool = False


class GraphApi(WebServer):
    """Carries out call controls.

    Attributes:
        calls: the calls, by id. An unknown call is over (404, 8522).
        answers: every request to answer, in order.
        rejects: every request to reject, in order.
        controls: every other request about a call, in order.
        other_paths: paths of all other requests; there should be none.
        faults_of: the faults of the next requests of a control, by its name.
        faults: the faults of the next requests of any other, in order.
        standing_faults: make the fault of a request of a control, by its name, when
            there is none of these.
        standing_fault: makes the fault of every other request.
        delay_seconds: how long each reply takes.
        takes_any_call: take requests about calls that never rang, for measurements.
        recordings: tokens of recordings, by id.
        before_reply: is called with each request that took effect, before the reply.
    """

    def __init__(self, certificate: tuple[Path, Path], entra: Entra) -> None:
        """Trust the tokens of ``entra``."""
        routes = [
            Route(
                f"{_CALL_PATH}{control.path}",
                partial(self._take, name),
                methods=[control.method],
            )
            for name, control in CONTROLS.items()
        ]
        routes += [
            Route("/recordings/{recording_id}", self._recording),
            Route("/{rest:path}", self._other, methods=["GET", "POST", "DELETE"]),
        ]
        super().__init__(Starlette(routes=routes), certificate)
        self._entra = entra
        self.answers: list[CallRequest] = []
        self.rejects: list[CallRequest] = []
        self.controls: list[CallRequest] = []
        self.other_paths: list[str] = []
        self.calls: dict[str, RingingCall] = {}
        self.faults: deque[Fault] = deque()
        self.faults_of: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.standing_faults: dict[str, Callable[[], Fault]] = {}
        self.standing_fault: Callable[[], Fault] = Fault
        self.delay_seconds = 0.0
        self.takes_any_call = False
        self.recordings: dict[str, str] = {}
        self.before_reply: Callable[[CallRequest], object] = lambda _asked: None
        self._wavs: dict[str, bytes] = {}

    @property
    def graph_url(self) -> str:
        """The value of CALLING_GRAPH_URL."""
        return f"{self.url}/v1.0"

    def ring(self, call_id: str, tenant_id: str) -> RingingCall:
        """Let a call ring."""
        call = self.calls[call_id] = RingingCall(call_id, tenant_id)
        return call

    def keep_recording(self, wav: bytes | None = None) -> tuple[str, str]:
        """Keep a recording; return its location, and the token to get it with.

        Without a ``wav`` it is one of no length. The latest few are kept.
        """
        recording_id, token = str(uuid.uuid4()), secrets.token_urlsafe(32)
        self.recordings[recording_id] = token
        if wav is not None:
            self._wavs[recording_id] = wav
            if len(self._wavs) > _MAX_WAVS:
                del self._wavs[next(iter(self._wavs))]
        return f"{self.url}/recordings/{recording_id}", token

    async def _take(self, name: str, request: Request) -> Response:
        """Take a request about a call, or let the next fault happen instead."""
        asked = CallRequest(
            request.path_params["call_id"],
            request.headers.get("authorization", ""),
            _read_json(await request.body()),
            0,
            name,
        )
        fault = self._next_fault(name)
        await asyncio.sleep(self.delay_seconds + fault.delay_seconds)
        if fault.reply is not None:
            reply = fault.reply()
        elif refusal := self._refusal(asked):
            reply = error_reply(*refusal)
        else:
            if CONTROLS[name].operation:
                asked = replace(asked, operation_id=str(uuid.uuid4()))
            asked = replace(asked, took_effect=True)
            reply = _reply_to(asked)
            self._carry_out(asked)
            self.before_reply(asked)
        status = 0 if fault.loses_reply else reply.status_code
        self._seen(name).append(replace(asked, status=status))
        if fault.loses_reply:
            self.hang_up(request)
        return reply

    def _next_fault(self, name: str) -> Fault:
        for faults in (self.faults_of.get(name), self.faults):
            if faults:
                return faults.popleft()
        return self.standing_faults.get(name, self.standing_fault)()

    def _seen(self, name: str) -> list[CallRequest]:
        lists = {"answer": self.answers, "reject": self.rejects}
        return lists.get(name, self.controls)

    def _carry_out(self, asked: CallRequest) -> None:
        """Note what became of the call, and tell whoever plays it."""
        call = self.calls.get(asked.call_id)
        if call is None:
            return
        match asked.control:
            case "answer":
                call.callback_uri = asked.body["callbackUri"]
            case "reject":
                call.rejected_for = asked.body["reason"].lower()
            case "redirect":
                call.redirected_to = asked.body["targets"]
            case "delete":
                call.is_over = True
            case "transfer":
                call.is_transferring = True
        if call.on_control is not None:
            call.on_control(asked)

    async def _recording(self, request: Request) -> Response:
        """Hand out a recording to whoever has its token."""
        recording_id = request.path_params["recording_id"]
        token = self.recordings.get(recording_id)
        if token is None:
            return error_reply(404, "UnknownError", "no such recording")
        if request.headers.get("authorization") != f"Bearer {token}":
            return error_reply(401, "InvalidAuthenticationToken", "token refused")
        wav = self._wavs.get(recording_id, _SILENCE)
        return Response(wav, media_type="audio/wav")

    async def _other(self, request: Request) -> Response:
        self.other_paths.append(request.url.path)
        return error_reply(404, "UnknownError", "no such resource")

    def _refusal(self, asked: CallRequest) -> Refusal | None:
        """Return why a request cannot be carried out; None: it can."""
        token = self._entra.issued.get(asked.authorization.removeprefix("Bearer "))
        if token is None or token.scope != f"{self.url}/.default":
            return Refusal(401, "InvalidAuthenticationToken", "token refused")
        if (fault := fault_of_body(asked.control, asked.body)) is not None:
            return Refusal(400, "7500", fault)
        if self.takes_any_call:
            return None
        call = self.calls.get(asked.call_id)
        return refusal_of(asked.control, asked.body, call, token.tenant_id)


def _reply_to(asked: CallRequest) -> Response:
    """Return the reply to a control that is carried out."""
    control = CONTROLS[asked.control]
    if not control.operation:
        return Response(status_code=control.status)
    path = f"/communications/calls/{asked.call_id}/operations/{asked.operation_id}"
    operation = {
        "@odata.type": f"#microsoft.graph.{control.operation}Operation",
        "id": asked.operation_id,
        "status": "running" if control.is_running else "completed",
        "clientContext": (asked.body or {}).get("clientContext"),
    }
    return JSONResponse(operation, control.status, {"Location": path})


def error_reply(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error in Graph's form."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def _read_json(data: bytes) -> Any:
    """Read a body; None: there is none, or it is no JSON."""
    try:
        return json.loads(data)
    except ValueError:
        return None
