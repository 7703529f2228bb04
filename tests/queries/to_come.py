"""Lines of what is not played: deliveries, and a process that cannot answer.

They are made from real lines, with the fields that docs/behaviour.md names.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count
from typing import NamedTuple

from tests.simulator.report.lines import LogLine

SUCCESS_MS = 40.0


class Delivery(NamedTuple):
    """How deliveries to a partition end, and how often."""

    partition: str
    reason: str
    status: int | None
    attempts: int
    times: int


DELIVERIES = (
    Delivery("media-a", "delivered", 202, 1, 6),
    Delivery("media-a", "instance-without-call", 404, 1, 1),
    Delivery("media-b", "delivery-unavailable", 503, 3, 4),
    Delivery("media-b", "delivery-unavailable", None, 2, 1),
    Delivery("media-b", "delivery-refused", 400, 1, 2),
)


def deliveries_of(lines: Sequence[LogLine]) -> Iterator[LogLine]:
    """Yield the lines of ``DELIVERIES``, made from a follow-up's."""
    pattern = next(line for line in lines if '"reason":"follow-up"' in line.text)
    numbers = count(1)
    for delivery in DELIVERIES:
        for _ in range(delivery.times):
            fields = {
                "reason": delivery.reason,
                "partition": delivery.partition,
                "instance": delivery.partition,
                "delivery_attempts": delivery.attempts,
                "delivery_ms": SUCCESS_MS * delivery.attempts,
            }
            if delivery.status is not None:
                fields["delivery_status"] = delivery.status
            text = json.dumps({**json.loads(pattern.text), **fields})
            at = pattern.at + timedelta(seconds=next(numbers))
            yield pattern._replace(text=text, at=at)


def answering_failing(lines: Sequence[LogLine]) -> LogLine:
    """Return the event of a process that cannot answer, made from another event."""
    pattern = next(line for line in lines if '"event":"peer.healthy"' in line.text)
    members = {**json.loads(pattern.text), "event": "answering.failing"}
    del members["peer"]
    return pattern._replace(text=json.dumps(members, separators=(",", ":")))
