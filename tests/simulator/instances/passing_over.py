"""Which instances new calls pass over, as the log of the regions tells it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from shared.core.instances import PASSED_OVER_SECONDS
from tests.simulator.environment.events import LogWritten, RegionChanged
from tests.simulator.platform.journal import Entry

# With these ends the 30 s of an instance go on, if they have begun.
_NO_SUCCESS = ("delivery-unavailable", "credential-unavailable")


class Judgement(NamedTuple):
    """What an entry says of an instance; ``partition`` None: of all of a region.

    Attributes:
        until_seconds: when the 30 s end by the journal's clock; 0: they are over.
    """

    region: str
    partition: str | None
    until_seconds: float = 0.0

    def is_about(self, region: str, partition: str) -> bool:
        """Tell whether it is about an instance."""
        return self.region == region and self.partition in {None, partition}


def judge(entry: Entry) -> Iterator[Judgement]:
    """Yield what an entry says of instances."""
    event = entry.event
    match event:
        case RegionChanged(state="starting"):
            yield Judgement(event.region, None)
        case LogWritten() if event.line.get("event") == "instance.passed-over":
            until = entry.seconds + PASSED_OVER_SECONDS
            yield Judgement(event.region, str(event.line.get("instance")), until)
        case LogWritten():
            for item in event.line.get("items", [event.line]):
                if (name := item.get("instance")) and _is_success(item):
                    yield Judgement(event.region, name)
        case _:
            pass


def _is_success(item: Mapping[str, Any]) -> bool:
    reason = item.get("reason")
    if item.get("call_state") == "incoming":
        return reason == "delivered"
    return reason not in _NO_SUCCESS
