"""The log of a world, as ``report`` reads it."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.simulator.environment.events import LogWritten
from tests.simulator.platform.journal import Journal

# The file that a worker writes it to.
LOG = "world.log"


def log_of(journal: Journal) -> Iterator[str]:
    """Yield what regions logged: time, region, line."""
    began_at = time.time() - journal.now_seconds
    for entry in journal.entries():
        if isinstance(entry.event, LogWritten):
            at = datetime.fromtimestamp(began_at + entry.seconds, UTC)
            text = json.dumps(entry.event.line, separators=(",", ":"))
            yield f"[{at:%Y-%m-%dT%H:%M:%S.%f}Z] [{entry.event.region}] {text}\n"
