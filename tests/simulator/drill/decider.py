"""A deployment without sockets: decisions of the function app in the worker library.

A process of its own (``python -m tests.simulator.drill.decider --dns HOST:PORT``), with
app settings in its environment. One request a line comes in on standard input as JSON
with ``headers`` and ``body``; one line goes out for each, in order: status, Location or
null, and whether a preferred region was passed over. What was passed over because a
look at a peer came late on a busy machine is decided again when the peer is well.
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
from tests.localhost.host import FunctionsHost, HostRequest, HostResponse
from tests.localhost.names import resolve_through
from tests.localhost.process import CHECKOUT

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.2

type Verdict = tuple[int, str | None, bool]


class _Notes(logging.Handler):
    """Remembers whether the last line of a request told of a region passed over."""

    def __init__(self) -> None:
        super().__init__()
        self.was_passed_over = False

    def emit(self, record: logging.LogRecord) -> None:
        notes = record.__dict__.get("notes") or ()
        if record.__dict__.get("event") == "notification.handled":
            self.was_passed_over = Reason.REGION_UNHEALTHY in notes


async def decide_all(requests: Sequence[dict[str, Any]]) -> list[Verdict]:
    """Decide every request, some of them again."""
    notes = _Notes()
    logger = logging.getLogger("calling")
    logger.setLevel(logging.INFO)
    logger.addHandler(notes)
    host = await FunctionsHost.start(CHECKOUT)
    await host.warm_up()
    verdicts: list[Verdict] = []
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for request in requests:
        verdict = await _decide(host, request, notes)
        while verdict[2] and time.monotonic() < deadline:
            # A look at the peer is due every 10 s.
            await asyncio.sleep(_PAUSE_SECONDS)
            verdict = await _decide(host, request, notes)
        verdicts.append(verdict)
    return verdicts


async def _decide(
    host: FunctionsHost, request: dict[str, Any], notes: _Notes
) -> Verdict:
    body = request["body"].encode()
    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **request["headers"],
    }
    response: HostResponse = await host.handle(
        HostRequest("POST", "/api/calls", headers, body, "https")
    )
    found = {name.lower(): value for name, value in response.headers.items()}
    is_redirect = response.status == HTTPStatus.FOUND
    location = found.get("location") if is_redirect else None
    return response.status, location, notes.was_passed_over


def main() -> int:
    """Read, decide, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dns", required=True)
    resolve_through(parser.parse_args().dns)
    requests = [json.loads(line) for line in sys.stdin]
    verdicts = asyncio.run(decide_all(requests))
    for verdict in verdicts:
        print(json.dumps(verdict))
    sys.stdout.flush()
    # Threads that look at peers would be waited for.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
