"""What the environment tells the journal: regions, faults, rules, traffic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionChanged:
    """The process of a region is now starting, running, hanging or stopped."""

    region: str
    state: str
    pid: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWritten:
    """A region wrote a line to its log; ``call_id`` if the line names a call.

    What threads notice is logged by the region's next request, ``late_by_seconds``
    after it happened.
    """

    region: str
    call_id: str | None
    line: Mapping[str, Any]
    late_by_seconds: float = 0.0


# As ``tests.localhost.bot_watch`` writes it, which needs the app.
HANDLER_RAN = "simulator.handler-ran"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerRan:
    """A handler of the bot has run, in a region that is watched.

    Attributes:
        message_id: of the POST that the event came in.
        bot_event: name of the event.
        file, line, function: where the handler stands.
        actions: name and body of what it returned.
        state_before, state_after: what the call remembered.
        error: type, message and line of what it raised, if it did.
    """

    region: str
    call_id: str
    message_id: str | None
    bot_event: str
    file: str | None
    line: int | None
    function: str
    actions: Sequence[Mapping[str, Any]]
    state_before: Any
    state_after: Any
    error: Mapping[str, Any] | None
    took_seconds: float


def handler_ran(region: str, line: Mapping[str, Any]) -> HandlerRan:
    """Read a line of ``bot_watch``."""
    names = [field.name for field in fields(HandlerRan) if field.name != "region"]
    members: dict[str, Any] = {name: line.get(name) for name in names}
    return HandlerRan(region=region, **members)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjected:
    """A fault of ``faults.FAULTS`` was turned on, for one region or for all."""

    fault: str
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultHealed:
    """A fault was turned off."""

    fault: str
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChanged:
    """The regions now run with these rules; ``region`` if only one does."""

    region: str | None
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficChanged:
    """The rates at which honest and forged calls are now placed."""

    calls_per_second: float
    forged_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgedRefused:
    """How many forged POSTs got which status since the last such event."""

    statuses: Mapping[str, int]
