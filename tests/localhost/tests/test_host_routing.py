"""Routing, failures and configuration errors at the local host."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.localhost.process import LocalHost
from tests.localhost.tests.conftest import HOST, Ask, ask_at, connect, write_app
from tests.support.checkout import CHECKOUT
from tests.support.clock import at_most, wait_until

TINY = """
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
{more}

@app.route(route="here", methods=["GET"])
async def here(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("here")
"""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/echo", 200),
        ("GET", "/API/Echo", 200),
        ("GET", "/api/echo/", 200),
        ("GET", "/api/x/../echo", 200),
        ("GET", "/api/./echo", 200),
        ("GET", "/api//echo", 404),
        ("GET", "/api/echo/more", 404),
        ("GET", "/api/named/a/b", 404),
        ("GET", "/api/named/", 404),
        ("GET", "/echo", 404),
        ("GET", "/nothing/here", 404),
        ("PUT", "/api/echo", 404),
        ("HEAD", "/api/echo", 404),
        ("OPTIONS", "/api/echo", 404),
        ("GET", "/api/reply", 404),
        ("GET", "/api/locked", 401),
        ("GET", "/admin/host/ping", 200),
        ("GET", "/", 200),
    ],
)
def test_a_path_leads_to_its_function_or_to_a_404(
    ask: Ask, method: str, path: str, status: int
) -> None:
    """A wrong method is a 404 as well, never a 405."""
    reply = ask(method, path)

    assert reply.status == status
    if status == 404:
        assert reply.headers["Content-Length"] == "0"
        assert "Content-Type" not in reply.headers


def test_the_first_of_two_functions_with_one_route_serves(ask: Ask) -> None:
    assert ask("GET", "/api/echo").body != b"second"


def test_a_trailing_slash_is_kept_in_the_url(ask: Ask) -> None:
    """Only routing ignores it."""
    assert b"/api/echo/" in ask("GET", "/api/echo/").body


def test_custom_headers_go_on_everything(ask: Ask) -> None:
    """The host's own replies have them, too."""
    for path in ("/api/echo", "/api/unknown", "/admin/host/ping"):
        assert ask("GET", path).headers["X-Host"] == "yes"


@pytest.mark.parametrize("path", ["raises", "nothing", "dictionary", "octets"])
def test_a_failed_function_is_an_empty_500(ask: Ask, path: str) -> None:
    """Only the log has the details."""
    reply = ask("GET", f"/api/{path}")

    assert (reply.status, reply.body) == (500, b"")
    assert reply.headers["Content-Length"] == "0"


def test_a_returned_text_is_plain_text(ask: Ask) -> None:
    """No other result than HttpResponse or a text works."""
    reply = ask("GET", "/api/text")

    assert (reply.status, reply.body) == (200, b"text")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_the_trace_of_a_failure_is_in_the_log(ask: Ask, echo_host: LocalHost) -> None:
    ask("GET", "/api/raises")

    assert any("failed on purpose" in line for line in echo_host.log_lines())


def test_a_handler_runs_to_its_end_without_its_client(echo_host: LocalHost) -> None:
    """The real host does the same."""
    with connect(echo_host) as wire:
        wire.sendall(b"GET /api/slow HTTP/1.1\r\nHost: h\r\n\r\n")
    wait_until(lambda: "ran to its end" in "".join(echo_host.log_lines()))


def test_a_silent_client_does_not_keep_others_waiting(
    ask: Ask, echo_host: LocalHost
) -> None:
    """Fifty clients send half a head and then nothing."""
    with ExitStack() as stack:
        for _ in range(50):
            wire = stack.enter_context(connect(echo_host))
            wire.sendall(b"GET /api/echo HTTP/1.1\r\nHos")

        assert ask("GET", "/api/sync").status == 200


def test_noise_does_not_end_the_host(ask: Ask, echo_host: LocalHost) -> None:
    for number in range(60):
        noise = bytes((number * 7 + n * 13) % 256 for n in range(200))
        with connect(echo_host) as wire:
            wire.sendall(noise + b"\r\n\r\n")

    assert ask("GET", "/api/sync").status == 200


@pytest.mark.parametrize(
    "app",
    ["import nothing_of_the_sort", "def broken(:", "x = 1", "raise OSError"],
)
def test_an_app_that_cannot_be_indexed_serves_nothing(tmp_path: Path, app: str) -> None:
    """The host runs, logs why, and answers 404."""
    directory = write_app(tmp_path, app)
    with LocalHost({}, app_directory=directory) as host:
        ask = ask_at(host)
        assert ask("GET", "/api/here").status == 404
        assert ask("GET", "/admin/host/ping").status == 200
        assert any("cannot be indexed" in line for line in host.log_lines())


@pytest.mark.parametrize("host_json", ["{", "{}", "[]"])
def test_a_broken_host_json_is_a_503_everywhere(tmp_path: Path, host_json: str) -> None:
    """The body is the real host's."""
    directory = write_app(tmp_path, TINY.format(more=""), host_json)
    with LocalHost({}, app_directory=directory) as host:
        reply = ask_at(host)("GET", "/api/here")

        assert reply.status == 503
        assert reply.body == b"Function host is not running."


def test_local_settings_are_read_and_the_environment_wins(tmp_path: Path) -> None:
    """Core Tools do the same."""
    more = "import os, sys\nprint(os.environ.get('A'), os.environ.get('B'),"
    more += " 'N' in os.environ, os.environ['WEBSITE_HOSTNAME'][:10], file=sys.stderr)"
    directory = write_app(tmp_path, TINY.format(more=more))
    values = '{"IsEncrypted": false, "Values": {"A": "file", "B": "file", "N": null}}'
    (directory / "local.settings.json").write_text(values)
    with LocalHost({"B": "environment"}, app_directory=directory) as host:
        assert "file environment False localhost:" in host.log_lines()


@pytest.mark.parametrize("content", ["{", '{"Values": {}}', '{"IsEncrypted": true}'])
def test_local_settings_that_cannot_be_used_are_told(
    tmp_path: Path, content: str
) -> None:
    """A missing IsEncrypted counts as true."""
    directory = write_app(tmp_path, TINY.format(more=""))
    (directory / "local.settings.json").write_text(content)

    with pytest.raises(RuntimeError, match=r"local\.settings\.json"):
        LocalHost({}, app_directory=directory).__enter__()


def test_the_home_page_can_be_switched_off(tmp_path: Path) -> None:
    """Then it is an empty 204."""
    directory = write_app(tmp_path, TINY.format(more=""))
    environment = {"AzureWebJobsDisableHomepage": "true"}
    with LocalHost(environment, app_directory=directory) as host:
        assert ask_at(host)("GET", "/").status == 204


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_at_once(tmp_path: Path, number: int) -> None:
    """A hanging thread of the app and a connected client do not delay it."""
    more = "import threading, time\n"
    more += "threading.Thread(target=time.sleep, args=(60,)).start()"
    directory = write_app(tmp_path, TINY.format(more=more))
    with LocalHost({}, app_directory=directory) as host, connect(host), at_most(8):
        assert host.stop(number) == 0


def test_a_host_that_ends_closes_idle_connections_and_finishes_requests(
    tmp_path: Path,
) -> None:
    """The idle one is closed first, and the request still gets its reply."""
    more = f"""
import asyncio, logging, pathlib
@app.route(route="waits", methods=["GET"])
async def waits(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("app").info("it waits")
    while not pathlib.Path("{tmp_path}/go on").exists():
        await asyncio.sleep(0.01)
    return func.HttpResponse("waited")
"""
    directory = write_app(tmp_path, TINY.format(more=more))
    with (
        LocalHost({}, app_directory=directory) as host,
        connect(host) as idle,
        connect(host) as busy,
    ):
        idle.sendall(b"GET /api/here HTTP/1.1\r\nHost: h\r\n\r\n")
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += idle.recv(65536)
        busy.sendall(b"GET /api/waits HTTP/1.1\r\nHost: h\r\n\r\n")
        wait_until(lambda: "it waits" in "".join(host.log_lines()))

        os.kill(host.pid, signal.SIGTERM)

        assert idle.recv(1) == b""
        (tmp_path / "go on").touch()
        assert busy.recv(65536).startswith(b"HTTP/1.1 200")


def test_only_loopback_is_listened_on() -> None:
    """Tests must not open the machine to the network."""
    command = [sys.executable, "-m", "tests.localhost", "--port", "0", "--host"]
    finished = subprocess.run(
        [*command, "0.0.0.0"],  # noqa: S104 - that is what must be refused
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert finished.returncode == 1
    assert "not a loopback address" in finished.stderr


def test_the_warm_up_function_runs_before_the_line(tmp_path: Path) -> None:
    """Azure does the same when it adds an instance."""
    more = """
import sys
from contextlib import ExitStack
from azure.functions.warmup import WarmUpContext
@app.warm_up_trigger(arg_name="warm")
async def warmup(warm: WarmUpContext) -> None:
    print("warm now", file=sys.stderr, flush=True)
"""
    directory = write_app(tmp_path, TINY.format(more=more), HOST)
    with LocalHost({}, app_directory=directory, warms_up=True) as host:
        assert "warm now" in host.log_lines()
