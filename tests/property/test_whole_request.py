"""Whole requests through the worker library: only the contract's statuses."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import service
from tests.localhost.process import CHECKOUT
from tests.localhost.worker import HttpCall, IndexedFunction, Worker
from tests.simulator.world import OutsideWorld

STATUSES = {202, 204, 302, 400, 401, 403, 404, 411, 413, 503}
HOSTS = '{"weu": "weu.example.org", "sea": "sea.example.org"}'
RULES = '[{"countryCode": ["SG"], "regions": ["sea"]}]'

# What Kestrel lets through: no control characters; anything else in UTF-8.
header_values = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), max_size=40
) | st.sampled_from(["chunked", "apac", "Bearer x"])
headers = st.dictionaries(
    st.sampled_from(
        [
            "authorization",
            "transfer-encoding",
            "scenario-id",
            "x-microsoft-skype-message-id",
            "x-microsoft-skype-chain-id",
            "x-microsoft-skype-caller-region",
            "ms-teams-region",
            "host",
        ]
    ),
    header_values,
)
bodies = st.binary(max_size=200) | st.sampled_from(
    [
        b'{"value":[]}',
        (
            b'{"value":[{"changeType":"created","resourceUrl":"/app/calls/a","resourceData":'
            b'{"state":"incoming","source":{"countryCode":"SG"}}}]}'
        ),
        b'{"callState":"incoming"}',
    ]
)


@dataclass
class Running:
    """The app in the worker library, with tokens that it accepts."""

    worker: Worker
    functions: dict[str, IndexedFunction]
    world: OutsideWorld
    loop: asyncio.AbstractEventLoop

    def ask(self, name: str, call: HttpCall) -> int:
        """Invoke a function; return the status."""
        invocation = self.worker.invoke(self.functions[name], call, "invocation")
        result = self.loop.run_until_complete(invocation)
        assert result is not None
        return result.status


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """Load the app once; its keys are held, then the provider is gone."""
    before = dict(os.environ)
    loop = asyncio.new_event_loop()
    with OutsideWorld() as world:
        regional = {
            "CALLING_REGION": "weu",
            "CALLING_REGION_HOSTS": HOSTS,
            "CALLING_REGION_RULES": RULES,
        }
        os.environ.update(world.settings(CALLING_ANSWER="false", **regional))
        service._service = None
        worker = loop.run_until_complete(Worker.load(CHECKOUT))
        assert worker.error == ""
        functions = {function.name: function for function in worker.functions}
        app = Running(worker, functions, world, loop)
        health = HttpCall("GET", "https://h/api/health", {}, b"", {}, {})
        assert app.ask("health", health) == 200
    yield app
    loop.close()
    service._service = None
    for name in set(os.environ) - set(before):
        del os.environ[name]
    os.environ.update(before)


@pytest.mark.requirement("R16", "R23")
@given(
    st.sampled_from(["calls", "callback"]),
    headers,
    bodies,
    st.booleans(),
    st.text(max_size=20),
    st.text(max_size=40),
)
def test_any_request(
    running: Running,
    name: str,
    sent: dict[str, str],
    body: bytes,
    has_token: bool,
    query: str,
    partition: str,
) -> None:
    """With and without a good token."""
    token = {"authorization": f"Bearer {running.world.tokens.mint()}"}
    url = f"https://weu.example.org/api/calls?{query}"
    call = HttpCall(
        "POST",
        url,
        {**sent, **(token if has_token else {})},
        body,
        {"partition": partition} if name == "callback" else {},
        {},
    )

    status = running.ask(name, call)

    assert status in STATUSES
    assert (status == 401) is not has_token
