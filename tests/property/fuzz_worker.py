"""The fifth target: whole requests through Microsoft's worker library."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared import service
from tests.localhost.worker import HttpCall, HttpResult, Worker
from tests.property.fuzz_inputs import Recipe, body_bytes
from tests.property.fuzz_targets import (
    DEPLOYMENT,
    logged_lines,
    require_documented_reply,
    require_safe_lines,
    token_of,
)
from tests.simulator.services.signing import APP_ID
from tests.support.checkout import CHECKOUT
from tests.support.internals import decide_by, log_every_refusal


class Requests:
    """The app in the worker library; only its keys and its clock are ours."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._worker = loop.run_until_complete(Worker.load(CHECKOUT))
        assert self._worker.error == ""
        self._functions = {each.name: each for each in self._worker.functions}
        decide_by(service.get_service(), DEPLOYMENT)
        log_every_refusal(service.get_service())

    def judge(self, recipe: Recipe) -> str:
        """Require a documented reply to any request, and one safe line in the log."""
        token = token_of(recipe["token"])
        headers = {n: v.replace("{token}", token) for n, v in recipe["headers"].items()}
        partition, query = recipe["partition"], recipe["query"]
        name = "calls" if partition is None else "callback"
        call = HttpCall(
            method="POST",
            url=f"https://weu.example.org/api/calls?{query}",
            headers=headers,
            body=body_bytes(recipe["body"]),
            params={} if partition is None else {"partition": partition},
            query={},
        )
        with logged_lines() as lines:
            reply = self._invoke(name, call)
        require_documented_reply(reply.status, reply.headers, reply.body or b"", query)
        require_safe_lines(lines, token)
        return f"{name} {reply.status}"

    def _invoke(self, name: str, call: HttpCall) -> HttpResult:
        invocation = self._worker.invoke(self._functions[name], call, "invocation")
        result = self._loop.run_until_complete(invocation)
        assert result is not None
        return result


@contextmanager
def judging_requests() -> Iterator[Callable[[Recipe], str]]:
    """Load the app once, and put everything back at the end."""
    before = dict(os.environ)
    os.environ.update({"MicrosoftAppId": APP_ID, "CALLING_ANSWER": "false"})
    service._service = None
    loop = asyncio.new_event_loop()
    try:
        yield Requests(loop).judge
    finally:
        loop.close()
        service._service = None
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
