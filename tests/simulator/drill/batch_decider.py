"""Decides a batch of requests with the function app in the worker library, no sockets.

A process of its own: ``python -m tests.simulator.drill.batch_decider --dns HOST:PORT``,
with app settings in its environment. Each line of standard input is a request in JSON
with ``headers`` and ``body``; each line of output is its ``Decision``, in order.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from shared.core.reasons import Reason
from tests.localhost.host import FunctionsHost, HostRequest
from tests.localhost.names import resolve_through
from tests.simulator.drill.decisions import Decision
from tests.support.checkout import CHECKOUT

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.2


class _Notes(logging.Handler):
    """Remembers whether a region was passed over for the last request."""

    def __init__(self) -> None:
        super().__init__()
        self.was_passed_over = False

    def emit(self, record: logging.LogRecord) -> None:
        notes = record.__dict__.get("notes") or ()
        if record.__dict__.get("event") == "notification.handled":
            self.was_passed_over = Reason.REGION_UNHEALTHY in notes


async def decide_all(requests: Sequence[dict[str, Any]]) -> list[Decision]:
    """Decide every request.

    On a busy machine a health check comes late, and a healthy region is passed over.
    Such a request is decided again until its region is known to be healthy.
    """
    notes = _Notes()
    logger = logging.getLogger("calling")
    logger.setLevel(logging.INFO)
    logger.addHandler(notes)
    host = await FunctionsHost.start(CHECKOUT)
    await host.warm_up()
    decisions: list[Decision] = []
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for request in requests:
        decision = await _decide(host, request, notes)
        while decision.was_passed_over and time.monotonic() < deadline:
            await asyncio.sleep(_PAUSE_SECONDS)
            decision = await _decide(host, request, notes)
        decisions.append(decision)
    return decisions


async def _decide(
    host: FunctionsHost, request: dict[str, Any], notes: _Notes
) -> Decision:
    body = request["body"].encode()
    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **request["headers"],
    }
    response = await host.handle(
        HostRequest("POST", "/api/calls", headers, body, "https")
    )
    found = {name.lower(): value for name, value in response.headers.items()}
    is_redirect = response.status == HTTPStatus.FOUND
    location = found.get("location") if is_redirect else None
    return Decision(response.status, location, notes.was_passed_over)


def main() -> int:
    """Read, decide, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dns", required=True)
    resolve_through(parser.parse_args().dns)
    requests = [json.loads(line) for line in sys.stdin]
    for decision in asyncio.run(decide_all(requests)):
        print(json.dumps(decision))
    sys.stdout.flush()
    # A normal exit would wait for the threads that check the other regions' health.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
