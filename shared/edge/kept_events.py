"""Events that wait for the next request, which can log them.

The Functions host drops a line that is logged while the invocation that it names is
over, or that names none: those of threads, of background tasks and of callbacks of the
event loop (``GrpcWorkerChannel.Log``, https://github.com/Azure/azure-functions-host;
https://github.com/Azure/azure-functions-python-worker/issues/1860).
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

MAX_EVENTS = 100


class KeptEvent(NamedTuple):
    """An event and its level; ``happened_at`` (ISO 8601, UTC) is one of the fields."""

    level: int
    line: Mapping[str, object]


class KeptEvents:
    """The events of this process that were not logged yet. Safe for threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Keep none yet; ``clock`` in epoch seconds."""
        self._clock = clock
        self._events: deque[KeptEvent] = deque(maxlen=MAX_EVENTS)

    def keep(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        """Keep an event; of more than ``MAX_EVENTS`` the oldest goes."""
        happened_at = datetime.fromtimestamp(self._clock(), UTC)
        text = happened_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"event": event, **fields, "happened_at": text}
        self._events.append(KeptEvent(level, line))

    def take(self) -> Iterator[KeptEvent]:
        """Yield what is kept, the oldest first, and keep it no longer."""
        while self._events:
            try:
                yield self._events.popleft()
            except IndexError:  # another thread took it
                return
