"""The ASGI app: the page itself, its events, and what people do on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from shared.core.strict_json import StrictJsonError, read_object
from tests.simulator.instances.regional import RegionalInstances
from tests.simulator.page import actions, preview
from tests.simulator.page.actions import ActionError, RequestFields
from tests.simulator.page.ends import Ends
from tests.simulator.page.feed import Feed
from tests.simulator.page.guard import Guard
from tests.simulator.page.instance_routes import InstanceRoutes
from tests.simulator.page.phone_routes import PhoneRoutes
from tests.simulator.page.port import ShownEnvironment
from tests.simulator.page.state import routes_of, state_of
from tests.simulator.phone.phone import Phone

STATIC = Path(__file__).with_name("static")

_MAX_BODY_BYTES = 256 * 1024
# Events are sent in batches: smooth enough for the eye, and cheap in a burst.
_BATCH_SECONDS = 0.08
_PING_SECONDS = 15

type _Action = Callable[[ShownEnvironment, RequestFields], Any]


class Page:
    """The handlers of the page. Whatever may block runs on a thread.

    Attributes:
        ends: counts how calls ended; it must run while the page is served.
    """

    def __init__(
        self,
        environment: ShownEnvironment,
        feed: Feed,
        phone: Phone | None = None,
        instances: RegionalInstances | None = None,
    ) -> None:
        """Show ``environment``, whose events ``feed`` reads, and what it may have."""
        self._environment = environment
        self._feed = feed
        self.ends = Ends()
        self._phone = None if phone is None else PhoneRoutes(phone, feed)
        self._instances = None if instances is None else InstanceRoutes(instances)

    def app(self) -> Starlette:
        """Return the app."""
        parts = [part for part in (self._phone, self._instances) if part is not None]
        return Starlette(
            routes=[
                *(route for part in parts for route in part.routes(self._do)),
                Route("/", self._index),
                Route("/favicon.ico", self._icon),
                Mount("/static", StaticFiles(directory=STATIC)),
                Route("/api/world", self._state),
                Route("/api/routes", self._routes),
                Route("/api/events", self._events),
                Route("/api/ends", self._ends),
                Route("/api/calls/{call_id}", self._call),
                Route("/api/calls", self._do(actions.place_calls), methods=["POST"]),
                Route("/api/traffic", self._do(actions.set_traffic), methods=["POST"]),
                Route("/api/faults", self._do(actions.set_fault), methods=["POST"]),
                Route("/api/heal-all", self._do(self._heal_all), methods=["POST"]),
                Route("/api/rules", self._do(actions.set_rules), methods=["POST"]),
                Route(
                    "/api/explain",
                    self._do(preview.preview_call, problems_status=200),
                    methods=["POST"],
                ),
                Route("/api/calls/{call_id}/explain", self._explain, methods=["POST"]),
            ],
            middleware=[Middleware(Guard)],
        )

    async def _index(self, _request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _icon(self, _request: Request) -> Response:
        return FileResponse(STATIC / "icon.svg")

    async def _state(self, _request: Request) -> Response:
        look = self._feed.look
        state = await asyncio.to_thread(look, self._snapshot)
        return JSONResponse(state)

    def _snapshot(self) -> dict[str, Any]:
        phone = None if self._phone is None else self._phone.phone.snapshot()
        instances = self._instances
        shown = None if instances is None else instances.instances.snapshot()
        return {**state_of(self._environment), "phone": phone, "instances": shown}

    def _heal_all(self, environment: ShownEnvironment, _fields: RequestFields) -> None:
        """Heal all faults, also those of instances."""
        if self._instances is not None:
            self._instances.instances.cure_all()
        environment.heal_all()

    async def _routes(self, _request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(routes_of, self._environment))

    async def _events(self, request: Request) -> Response:
        """Stream the events from number ``since`` on, in batches.

        A browser that reconnects says in ``Last-Event-ID`` which event it got last.
        """
        last = request.headers.get("last-event-id", "")
        since = request.query_params.get("since", "")
        if last.isdecimal():
            number = int(last[:15]) + 1
        else:
            number = int(since[:15]) if since.isdecimal() else 0
        return EventSourceResponse(self._stream(number), ping=_PING_SECONDS)

    async def _stream(self, number: int) -> AsyncIterator[ServerSentEvent]:
        while not self._feed.is_closed:
            found, is_gone = self._feed.after(number)
            if is_gone:
                yield ServerSentEvent(event="reload", data="{}")
                return
            if found:
                last = found[-1].number
                number = last + 1
                data = f"[{','.join(short.text for short in found)}]"
                yield ServerSentEvent(id=str(last), data=data)
            await asyncio.sleep(_BATCH_SECONDS)

    async def _call(self, request: Request) -> Response:
        entries = self._feed.call(request.path_params["call_id"])
        if entries is None:
            return _problems(404, "This call is no longer known.")
        return JSONResponse({"entries": entries})

    async def _ends(self, _request: Request) -> Response:
        count = self.ends.count
        rows = await asyncio.to_thread(lambda: count(self._feed.ends()))
        return JSONResponse({"ends": rows})

    async def _explain(self, request: Request) -> Response:
        entries = self._feed.call(request.path_params["call_id"])
        if entries is None:
            return _problems(404, "This call is no longer known.")

        def act(environment: ShownEnvironment, fields: RequestFields) -> Any:
            return preview.explain_step(environment, fields, entries)

        return await self._do(act, problems_status=200)(request)

    def _do(
        self, action: _Action, *, problems_status: int = 400
    ) -> Callable[[Request], Awaitable[Response]]:
        """Make the handler of an action, which gets a JSON object.

        Args:
            action: what to do.
            problems_status: of the reply if the action is refused; 200 where finding
                problems is what the page asked for.
        """

        async def handle(request: Request) -> Response:
            try:
                fields = RequestFields(read_object(await _read(request)))
                result = await asyncio.to_thread(action, self._environment, fields)
            except StrictJsonError:
                return _problems(400, "The request is not a JSON object.")
            except ActionError as error:
                return _problems(problems_status, *error.problems)
            return JSONResponse({} if result is None else result)

        return handle


def _problems(status: int, *sentences: str) -> Response:
    return JSONResponse({"problems": sentences}, status)


async def _read(request: Request) -> bytes:
    """Read the body, up to a limit."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise ActionError("The request is too large.")
    return body
