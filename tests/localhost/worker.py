"""Microsoft's Python worker library, loaded in this process.

``azure-functions-runtime`` is what Azure runs for Python 3.13: it indexes
``function_app.py`` and carries invocations out. The host talks to it in protobuf
messages over gRPC; here small stand-ins carry the same fields, so that the library's
own coroutines ``worker_init_request``, ``functions_metadata_request`` and
``invocation_request`` do the work. Everything that depends on its internals is here.

One app a process: the library keeps its functions in module state.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.utils.threadpool import start_threadpool_executor

from tests.localhost.invocations import Invocations

INVOCATIONS = Invocations(runtime.invocation_id_cv.get)


@dataclass(frozen=True, slots=True)
class IndexedFunction:
    """A function as the worker library indexed it; bindings as in function.json."""

    name: str
    function_id: str
    bindings: tuple[dict[str, Any], ...]

    def trigger(self, kind: str) -> dict[str, Any] | None:
        """Return the trigger binding of a kind such as ``httpTrigger``."""
        return next((b for b in self.bindings if b.get("type") == kind), None)


@dataclass(slots=True)
class HttpCall:
    """An HTTP request as the worker gets it; header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    params: Mapping[str, str]
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HttpResult:
    """What a function returned, as the worker tells the host."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class InvocationFailedError(Exception):
    """The function raised, or returned what is no response; the text is the trace."""


class _Message(SimpleNamespace):
    """Any protobuf message that the library builds."""


class _Protos:
    """The protobuf types that the library names, as plain objects."""

    class StatusResult(_Message):
        """Result of a request to the worker."""

        Failure = 0
        Success = 1

    class BindingInfo(_Message):
        """A binding of a function."""

        out = 1
        inout = 2

    def __getattr__(self, name: str) -> type[_Message]:
        """Return a message type."""
        return _Message


class _TypedData:
    """A value of one of several types."""

    __slots__ = ("bytes", "http", "kind", "string")

    def __init__(self, kind: str, value: object) -> None:
        self.kind = kind
        setattr(self, kind, value)

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        return self.kind


class _ParameterBinding:
    """A named input of an invocation."""

    __slots__ = ("data", "name")

    def __init__(self, name: str, data: object) -> None:
        self.name = name
        self.data = data

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


class Worker:
    """The worker library with one app loaded."""

    def __init__(self, functions: tuple[IndexedFunction, ...], error: str) -> None:
        """Hold what was indexed; ``error`` is why nothing was, or empty."""
        self.functions = functions
        self.error = error

    @classmethod
    async def load(cls, app_directory: Path) -> "Worker":
        """Index the app in a directory, as the worker does when it starts."""
        if str(app_directory) not in sys.path:
            sys.path.insert(0, str(app_directory))
        start_threadpool_executor()
        init = SimpleNamespace(
            capabilities={}, function_app_directory=os.fspath(app_directory)
        )
        response = await runtime.worker_init_request(
            SimpleNamespace(
                request=SimpleNamespace(worker_init_request=init),
                properties={"host": "127.0.0.1", "protos": _Protos()},
            )
        )
        if response.result.status != _Protos.StatusResult.Success:
            trace = response.result.exception
            return cls((), f"{trace.message}\n{trace.stack_trace}")
        listed = await runtime.functions_metadata_request(None)
        found = listed.function_metadata_results or ()
        return cls(tuple(map(_read_metadata, found)), "")

    async def invoke(
        self, function: IndexedFunction, call: HttpCall | None, invocation_id: str
    ) -> HttpResult | None:
        """Run a function, as a task of its own, as the worker does.

        Args:
            function: one of ``functions``.
            call: the HTTP request; ``None`` for the warm-up trigger.
            invocation_id: the host's id of this invocation.

        Raises:
            InvocationFailedError: the host answers 500.
        """
        request = _invocation_of(function, call, invocation_id)
        response = await asyncio.create_task(
            INVOCATIONS.run(invocation_id, runtime.invocation_request(request))
        )
        result = response.result
        if result.status != _Protos.StatusResult.Success:
            trace = result.exception
            raise InvocationFailedError(f"{trace.message}\n{trace.stack_trace}")
        return _read_result(response.return_value)


def _invocation_of(
    function: IndexedFunction, call: HttpCall | None, invocation_id: str
) -> SimpleNamespace:
    inputs = []
    if call is not None:
        http = SimpleNamespace(
            method=call.method,
            url=call.url,
            headers=call.headers,
            body=_TypedData("bytes", call.body),
            params=call.params,
            query=call.query,
        )
        name = function.bindings[0]["name"]
        inputs.append(_ParameterBinding(name, _TypedData("http", http)))
    else:
        name = function.bindings[0]["name"]
        inputs.append(_ParameterBinding(name, _TypedData("string", "")))
    return SimpleNamespace(
        request=SimpleNamespace(
            invocation_request=SimpleNamespace(
                invocation_id=invocation_id,
                function_id=function.function_id,
                input_data=inputs,
                trigger_metadata={},
                trace_context=_NO_TRACE,
                retry_context=_NO_RETRY,
            )
        )
    )


_NO_TRACE = SimpleNamespace(trace_parent="", trace_state="", attributes={})
_NO_RETRY = SimpleNamespace(retry_count=0, max_retry_count=0, exception=None)


def _read_metadata(metadata: Any) -> IndexedFunction:
    return IndexedFunction(
        name=metadata.name,
        function_id=metadata.function_id,
        bindings=tuple(json.loads(binding) for binding in metadata.raw_bindings),
    )


def _read_result(value: Any) -> HttpResult | None:
    """Read the returned value: an HTTP response, or a text, which is one, too."""
    if value is None:
        return None
    http = getattr(value, "http", None)
    if http is not None:
        body = http.body.bytes
        return HttpResult(int(http.status_code), http.headers, body)
    text = getattr(value, "string", None)
    if text is None:
        raise InvocationFailedError("the function returned no HTTP response")
    content_type = {"content-type": "text/plain; charset=utf-8"}
    return HttpResult(200, content_type, text.encode())
