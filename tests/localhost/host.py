"""What the host does with one request: its own endpoints, routing, the invocation.

Knows the worker and the routes; knows nothing of sockets (see ``connection``).
"""

import logging
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.localhost.message import HEADER, MESSAGE_ID
from tests.localhost.routes import (
    HostConfiguration,
    Route,
    build_routes,
    find_route,
    normalize_path,
    read_host_configuration,
    read_query,
)
from tests.localhost.worker import HttpCall, HttpResult, InvocationFailedError, Worker

logger = logging.getLogger("localhost")

_HOME_PAGE = b"<!DOCTYPE html><title>Functions</title><p>This host is up and running."


@dataclass(frozen=True, slots=True)
class HostRequest:
    """A request after HTTP: header names in lower case, repeated ones joined."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    scheme: str


@dataclass(frozen=True, slots=True)
class HostResponse:
    """A response before HTTP; ``is_bare``: no Content-Type, as the host's own."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class FunctionsHost:
    """The host with one app."""

    def __init__(self, worker: Worker, configuration: HostConfiguration) -> None:
        """Serve the worker's functions as host.json says."""
        self._worker = worker
        self._configuration = configuration
        self._routes = build_routes(worker.functions, configuration)

    @classmethod
    async def start(cls, app_directory: Path) -> "FunctionsHost":
        """Load the app in a directory; a broken one is logged and serves nothing."""
        worker = await Worker.load(app_directory)
        if worker.error:
            logger.error("function_app.py cannot be indexed: %s", worker.error)
        configuration = read_host_configuration(app_directory)
        if not configuration.is_usable:
            logger.error("host.json cannot be used: every request gets 503")
        return cls(worker, configuration)

    async def handle(self, request: HostRequest) -> HostResponse:
        """Answer a request; whatever a function does, there is an answer."""
        if not self._configuration.is_usable:
            return HostResponse(503, {}, b"Function host is not running.")
        response = await self._dispatch(request)
        return HostResponse(
            response.status,
            _with_custom_headers(response.headers, self._configuration.custom_headers),
            response.body,
        )

    async def warm_up(self) -> None:
        """Invoke the warm-up function, as Azure does when it adds an instance."""
        for function in self._worker.functions:
            if function.trigger("warmupTrigger") is not None:
                await self._worker.invoke(function, None, str(uuid.uuid4()))

    async def _dispatch(self, request: HostRequest) -> HostResponse:
        raw_path, _, raw_query = request.target.partition("?")
        path = normalize_path(raw_path)
        if path == "/" and request.method == "GET":
            return _home()
        if path.lower() == "/admin/host/ping":
            return HostResponse(200)
        found = find_route(self._routes, request.method, path)
        if found is None:
            return HostResponse(404)
        route, parameters = found
        if not route.is_anonymous:
            return HostResponse(401)
        query = f"?{raw_query}" if raw_query else ""
        call = HttpCall(
            method=request.method,
            url=f"{request.scheme}://{request.headers['host']}{path}{query}",
            headers=request.headers,
            body=request.body,
            params=parameters,
            query=read_query(raw_query),
        )
        return await self._invoke(route, call)

    async def _invoke(self, route: Route, call: HttpCall) -> HostResponse:
        invocation_id = str(uuid.uuid4())
        MESSAGE_ID.set(call.headers.get(HEADER))
        try:
            result = await self._worker.invoke(route.function, call, invocation_id)
        except InvocationFailedError as error:
            logger.error("Executed '%s' (Failed): %s", route.function.name, error)  # noqa: TRY400 - the trace is in the text
            return HostResponse(500)
        if result is None or not _has_legal_headers(result):
            return HostResponse(500)
        return HostResponse(result.status, result.headers, result.body)


def _home() -> HostResponse:
    if os.environ.get("AzureWebJobsDisableHomepage", "").lower() == "true":
        return HostResponse(204)
    return HostResponse(200, {"Content-Type": "text/html"}, _HOME_PAGE)


def _has_legal_headers(result: HttpResult) -> bool:
    """Tell whether Kestrel would send the headers: visible ASCII and tabs only."""
    return all(
        value.isascii() and not any(ord(c) < ord(" ") and c != "\t" for c in value)
        for value in result.headers.values()
    )


def _with_custom_headers(
    headers: Mapping[str, str], custom: Mapping[str, str]
) -> dict[str, str]:
    """Add host.json's customHeaders; a function's header of that name wins."""
    present = {name.lower() for name in headers}
    added = {
        name: value for name, value in custom.items() if name.lower() not in present
    }
    return {**headers, **added}
