"""Which instances new calls pass over, as the log of the regions tells it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from shared.core.instances import PASSED_OVER_SECONDS
from tests.simulator.environment.events import LogWritten, RegionChanged
from tests.simulator.platform.journal import Entry

_FAILED = "delivery-unavailable"
# Whatever the instance did, this says nothing about it.
_NEITHER = "credential-unavailable"


class Judgement(NamedTuple):
    """What an entry says of an instance; ``partition`` None: of all of a region.

    Attributes:
        until_seconds: when the 30 s end by the journal's clock; 0: they do not begin.
        is_first: they begin now. Else they only go on, if they have begun.
    """

    region: str
    partition: str | None
    until_seconds: float = 0.0
    is_first: bool = False

    def is_about(self, region: str, partition: str) -> bool:
        """Tell whether it is about an instance."""
        return self.region == region and self.partition in {None, partition}

    def after(self, until_seconds: float, now_seconds: float) -> float:
        """Return until when the instance is passed over, if it was so before."""
        goes_on = self.is_first or now_seconds < until_seconds
        return self.until_seconds if goes_on else 0.0


def judge(entry: Entry) -> Iterator[Judgement]:
    """Yield what an entry says of instances."""
    event = entry.event
    until = entry.seconds + PASSED_OVER_SECONDS
    match event:
        case RegionChanged(state="starting"):
            yield Judgement(event.region, None)
        case LogWritten() if event.line.get("event") == "instance.passed-over":
            yield Judgement(event.region, str(event.line.get("instance")), until, True)
        case LogWritten():
            for item in event.line.get("items", [event.line]):
                if (name := item.get("instance")) and item.get("reason") != _NEITHER:
                    end = until if _is_failure(item) else 0.0
                    yield Judgement(event.region, name, end)
        case _:
            pass


def _is_failure(item: Mapping[str, Any]) -> bool:
    reason = item.get("reason")
    is_incoming = item.get("call_state") == "incoming"
    return reason == _FAILED or (is_incoming and reason != "delivered")
