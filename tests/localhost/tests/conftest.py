"""One local host with an app that can be asked for anything."""

import http.client
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.localhost.process import LocalHost

APP = """
import asyncio, json
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def echo(req):
    return json.dumps({
        "method": req.method, "url": req.url, "headers": dict(req.headers),
        "params": dict(req.params), "route": dict(req.route_params),
        "body": req.get_body().decode("latin-1"),
        "length": len(req.get_body()),
    })


@app.route(route="echo", methods=["GET", "POST"])
async def echoes(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(echo(req), mimetype="application/json")


@app.route(route="named/{name}", methods=["GET"])
async def named(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(echo(req), mimetype="application/json")


@app.route(route="sync", methods=["GET"])
def sync(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("sync")


@app.route(route="reply", methods=["POST"])
async def reply(req: func.HttpRequest) -> func.HttpResponse:
    wanted = json.loads(req.get_body())
    return func.HttpResponse(**wanted)


@app.route(route="raises", methods=["GET"])
async def raises(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("the handler failed on purpose")


@app.route(route="nothing", methods=["GET"])
async def nothing(req: func.HttpRequest) -> func.HttpResponse:
    return None


@app.route(route="dictionary", methods=["GET"])
async def dictionary(req: func.HttpRequest) -> func.HttpResponse:
    return {"a": 1}


@app.route(route="octets", methods=["GET"])
async def octets(req: func.HttpRequest) -> func.HttpResponse:
    return b"octets"


@app.route(route="text", methods=["GET"])
async def text(req: func.HttpRequest) -> func.HttpResponse:
    return "text"


@app.route(route="slow", methods=["GET"])
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(0.3)
    print("slow is done", flush=True)
    import logging
    logging.getLogger("app").info("slow ran to its end")
    return func.HttpResponse("slow")


@app.route(route="locked", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def locked(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("locked")


@app.route(route="echo", methods=["GET"])
async def second(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("second")
"""
HOST = """{
  "version": "2.0",
  "extensions": {"http": {"routePrefix": "api", "customHeaders": {"X-Host": "yes"}}}
}"""


class Reply(NamedTuple):
    """A reply as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


def write_app(directory: Path, app: str, host: str = HOST) -> Path:
    """Write an app of two files."""
    (directory / "function_app.py").write_text(app)
    (directory / "host.json").write_text(host)
    return directory


@pytest.fixture(scope="session")
def echo_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    """A local host that serves the app above."""
    directory = write_app(tmp_path_factory.mktemp("app"), APP)
    with LocalHost({}, app_directory=directory) as host:
        yield host


def connect(host: LocalHost) -> socket.socket:
    """Open a connection to a host that serves plain HTTP."""
    address, _, port = host.base_url.split("//")[1].rpartition(":")
    return socket.create_connection((address, int(port)), timeout=20)


type Ask = Callable[..., Reply]


def ask_at(host: LocalHost) -> Ask:
    """Return a function that asks a host one thing."""

    def ask(
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        name = host.base_url.split("//")[1]
        connection = http.client.HTTPConnection(name, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return Reply(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    return ask


@pytest.fixture
def ask(echo_host: LocalHost) -> Ask:
    """Ask the echo host one thing over HTTP."""
    return ask_at(echo_host)


@pytest.fixture
def raw(echo_host: LocalHost) -> Callable[[bytes], bytes]:
    """Send bytes to the echo host and return everything until it closes."""

    def send(data: bytes) -> bytes:
        with connect(echo_host) as wire:
            wire.sendall(data)
            received = b""
            while part := wire.recv(65536):
                received += part
        return received

    return send
