"""A process of the worker library that loads an app and invokes ``calls`` once.

``python -m tests.measure.bench.first_reply APP_DIRECTORY`` reads the request as JSON
from standard input and prints the status of the reply. It imports as little as it can,
because (j) includes the start of this process.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from uuid import uuid4

from tests.localhost.worker import HttpCall, Worker


async def first_status(app_directory: Path, request: str) -> int:
    """Return the status of the reply to the first request."""
    worker = await Worker.load(app_directory)
    function = next(f for f in worker.functions if f.name == "calls")
    read = json.loads(request)
    body = json.dumps(read["body"]).encode()
    call = HttpCall("POST", read["url"], read["headers"], body, {}, {})
    result = await worker.invoke(function, call, str(uuid4()))
    return 0 if result is None else result.status


if __name__ == "__main__":
    print(asyncio.run(first_status(Path(sys.argv[1]), sys.stdin.read())), flush=True)
    # Threads that keep connections open must not delay the end of the process.
    os._exit(0)
