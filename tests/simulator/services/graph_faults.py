"""Faults of Graph: one by one, or at random with a seed.

    graph.faults.append(throttled(1))  # the next request
    graph.faults_of["transfer"].append(refused(403, "7503"))  # the next transfer
    graph.standing_fault = RandomFaults(seed=7, lost=0.05)  # five in a hundred

``lost`` loses the reply to what was carried out; the other faults come before that.
"""

import random
from functools import partial

from tests.simulator.services.graph_api import Fault, error_reply


def throttled(seconds: int = 1) -> Fault:
    """Reply 429 with ``Retry-After``."""
    headers = {"Retry-After": str(seconds)}
    return Fault(
        reply=partial(error_reply, 429, "TooManyRequests", "throttled", headers)
    )


def refused(status: int, code: str = "7500") -> Fault:
    """Reply with a status of failure, such as 403 or 503."""
    return Fault(reply=partial(error_reply, status, code, "refused on purpose"))


def hanging(seconds: float) -> Fault:
    """Reply late; what is asked for is carried out late, too."""
    return Fault(delay_seconds=seconds)


def lost() -> Fault:
    """Carry the request out, and lose the reply."""
    return Fault(loses_reply=True)


class RandomFaults:
    """Makes faults for shares of the requests; the same seed makes the same ones."""

    def __init__(
        self,
        seed: int,
        *,
        throttled: float = 0.0,
        unavailable: float = 0.0,
        late: float = 0.0,
        lost: float = 0.0,
        late_seconds: float = 1.0,
        retry_after_seconds: int = 1,
    ) -> None:
        """Let shares from 0 to 1 of the requests fail in one of these ways."""
        self._random = random.Random(seed)
        self._shares = (throttled, unavailable, late, lost)
        self._retry_after_seconds = retry_after_seconds
        self._late_seconds = late_seconds

    def __call__(self) -> Fault:
        """Make the fault of the next request, usually none."""
        faults = (
            throttled(self._retry_after_seconds),
            refused(503),
            hanging(self._late_seconds),
            lost(),
            Fault(),
        )
        weights = (*self._shares, 1.0 - sum(self._shares))
        return self._random.choices(faults, weights)[0]
