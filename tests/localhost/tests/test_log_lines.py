"""The log of the local host: like Azure, it keeps only lines of running invocations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localhost.process import LocalHost
from tests.localhost.tests.conftest import ask_at, write_app

APP = """
import asyncio, logging, threading
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
log = logging.getLogger("app")
log.info("imported")


@app.route(route="own", methods=["GET"])
async def own(req: func.HttpRequest) -> func.HttpResponse:
    log.info("in the invocation")
    await asyncio.create_task(child())
    return func.HttpResponse("done")


async def child() -> None:
    log.info("in a task of the invocation")


@app.route(route="sync", methods=["GET"])
def sync(req: func.HttpRequest) -> func.HttpResponse:
    log.info("in a plain function")
    return func.HttpResponse("done")


@app.route(route="thread", methods=["GET"])
async def thread(req: func.HttpRequest) -> func.HttpResponse:
    other = threading.Thread(target=log.info, args=("on a thread",))
    other.start()
    await asyncio.to_thread(log.info, "on a thread of the loop")
    other.join()
    return func.HttpResponse("done")


@app.route(route="begin", methods=["GET"])
async def begin(req: func.HttpRequest) -> func.HttpResponse:
    global ending, task
    ending = asyncio.Event()
    task = asyncio.create_task(outlive())
    await asyncio.sleep(0)
    return func.HttpResponse("done")


async def outlive() -> None:
    log.info("while the invocation ran")
    await ending.wait()
    log.info("after the invocation")


@app.route(route="end", methods=["GET"])
async def end(req: func.HttpRequest) -> func.HttpResponse:
    ending.set()
    await task
    return func.HttpResponse("done")
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    """A local host with an app that logs in many places."""
    directory = write_app(tmp_path_factory.mktemp("app"), APP)
    with LocalHost({}, app_directory=directory) as host:
        yield host


def logged_by(host: LocalHost, path: str) -> list[str]:
    """Ask for a path; return the lines of the app that this added to the log."""
    before = len(host.log_lines())
    assert ask_at(host)("GET", f"/api/{path}").status == 200
    lines = host.log_lines()[before:]
    return [line for line in lines if not line.startswith("Function name:")]


def test_lines_of_an_invocation_and_its_tasks_get_through(host: LocalHost) -> None:
    assert logged_by(host, "own") == [
        "in the invocation",
        "in a task of the invocation",
    ]
    assert logged_by(host, "sync") == ["in a plain function"]


def test_lines_of_threads_are_dropped(host: LocalHost) -> None:
    """They belong to no invocation, also while the one that started them runs."""
    assert logged_by(host, "thread") == []


def test_a_background_task_is_heard_only_while_its_invocation_runs(
    host: LocalHost,
) -> None:
    """Afterwards it is not, though another invocation waits for it."""
    assert logged_by(host, "begin") == ["while the invocation ran"]
    assert logged_by(host, "end") == []


def test_lines_of_the_import_are_dropped(host: LocalHost) -> None:
    assert "imported" not in host.log_lines()


def test_what_a_thread_of_the_product_found_comes_with_the_next_request(
    tmp_path: Path,
) -> None:
    """The signing keys are fetched on a thread; here nobody answers."""
    settings = {
        "MicrosoftAppId": "5f0c7d1e-3b52-4c8e-9a41-6d2f8b7c9e10",
        "CALLING_ANSWER": "false",
        "CALLING_OPENID_CONFIGURATION_URL": "https://127.0.0.1:9/none",
    }
    with LocalHost(settings) as product:
        assert ask_at(product)("GET", "/api/health").status == 503
        [line] = [one for one in product.log_lines() if "keys.refresh-failed" in one]
    assert '"happened_at":"20' in line
