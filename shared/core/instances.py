"""Instances: stateful programs that hold the calls of a partition.

Where each is, and whether new calls are kept from it because it fails.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from shared.core.ports import Clock

FAILURES_IN_A_ROW = 3
PASSED_OVER_SECONDS = 30.0
# https://learn.microsoft.com/rest/api/servicebus/send-message-to-queue
_SERVICE_BUS_DOMAINS = ("servicebus.windows.net", "servicebus.usgovcloudapi.net")


class Instance(NamedTuple):
    """Where the instance of a partition is.

    Attributes:
        url: https; notifications are posted to it, or directly by the platform.
        is_draining: it keeps its calls and gets no new ones.
    """

    url: str
    is_draining: bool = False


def is_service_bus(url: str) -> bool:
    """Tell whether ``url`` is a queue or a topic of Azure Service Bus."""
    name = urlsplit(url).hostname or ""
    return any(name.endswith(f".{domain}") for domain in _SERVICE_BUS_DOMAINS)


class InstanceHealth:
    """Whether new calls pass one instance over; times in seconds of ``clock``.

    Three failures in a row keep new calls away for 30 s. After that one failure does so
    anew, until something succeeds.
    """

    def __init__(self, clock: Clock) -> None:
        """Nothing has failed yet."""
        self._clock = clock
        self._failures = 0
        self._passed_over_until = 0.0

    @property
    def is_passed_over(self) -> bool:
        """Tell whether new calls should go elsewhere now."""
        is_failing = self._failures >= FAILURES_IN_A_ROW
        return is_failing and self._clock() < self._passed_over_until

    def note_success(self) -> None:
        """Take in that the instance took a notification, or refused one."""
        self._failures = 0
        self._passed_over_until = 0.0

    def note_failure(self) -> None:
        """Take in that a delivery failed."""
        self._failures = min(self._failures + 1, FAILURES_IN_A_ROW)
        # Running calls that fail meanwhile must not keep new ones away for ever.
        if self._failures == FAILURES_IN_A_ROW and not self.is_passed_over:
            self._passed_over_until = self._clock() + PASSED_OVER_SECONDS


def open_partitions(
    instances: Mapping[str, Instance], passed_over: Iterable[str]
) -> list[str]:
    """Return the partitions that take new calls.

    Those that fail are passed over, unless that leaves none.
    """
    taking = [name for name, each in instances.items() if not each.is_draining]
    skipped = set(passed_over)
    return [name for name in taking if name not in skipped] or taking
