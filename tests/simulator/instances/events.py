"""What became of the events of calls: whole, twice, late, or at the wrong instance."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.simulator.instances.stateful_bot import Received
from tests.simulator.platform.events import StepEnded, StepStarted
from tests.simulator.platform.journal import Entry

_ANNOUNCED = {"legacy", "incoming", "redirected", "duplicate"}
# A delivery has this long from the arrival of the POST.
LATE_SECONDS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEvent:
    """A notification that the platform sent after a call was answered.

    Attributes:
        at_seconds: when, by the journal's clock.
        status: of the reply; None: there was none.
    """

    call_id: str
    what: str
    body: bytes
    at_seconds: float
    status: int | None


@dataclass(slots=True)
class EventCheck:
    """What was sent, against what the instances took.

    Attributes:
        sent: all of it.
        missing: the platform was told 202, and no instance took it as it was sent.
        refused: the platform was told something else, and did not send it again.
        twice: taken more often than it was sent.
        late: taken, but not within ``LATE_SECONDS``.
        scattered: calls whose events came to several instances.
        again: the platform was told something else, and sent it again until it was told
            202. That is no fault.
    """

    sent: list[SentEvent]
    missing: list[SentEvent] = field(default_factory=list)
    refused: list[SentEvent] = field(default_factory=list)
    twice: list[SentEvent] = field(default_factory=list)
    late: list[SentEvent] = field(default_factory=list)
    scattered: list[str] = field(default_factory=list)
    again: list[SentEvent] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether each came once, in time, to the instance of its call."""
        faults = (self.missing, self.refused, self.twice, self.late, self.scattered)
        return bool(self.sent) and not any(faults)

    def __str__(self) -> str:
        """Say the figures."""
        names = ("missing", "refused", "twice", "late", "scattered")
        counts = [f"{len(getattr(self, name))} {name}" for name in names]
        counts += [f"{len(self.again)} sent again"] if self.again else []
        return f"{len(self.sent)} sent, {', '.join(counts)}"


def sent_events(entries: Iterable[Entry]) -> list[SentEvent]:
    """Return what the platform sent after answers, and how each POST ended."""
    started: dict[tuple[str, int], tuple[float, StepStarted]] = {}
    sent = []
    for entry in entries:
        match entry.event:
            case StepStarted() as event if event.what not in _ANNOUNCED:
                started[event.call_id, event.step] = entry.seconds, event
            case StepEnded() as event if (event.call_id, event.step) in started:
                at_seconds, start = started[event.call_id, event.step]
                sent.append(
                    SentEvent(
                        call_id=event.call_id,
                        what=event.what,
                        body=json.dumps(start.notification).encode(),
                        at_seconds=at_seconds,
                        status=event.status,
                    )
                )
    return sent


def check_events(
    sent: Sequence[SentEvent], received: Mapping[str, Sequence[Received]]
) -> EventCheck:
    """Compare what was sent with what each instance, by name, took."""
    check = EventCheck([*sent])
    times: defaultdict[bytes, list[float]] = defaultdict(list)
    places: defaultdict[str, set[str]] = defaultdict(set)
    for name, posts in received.items():
        for post in posts:
            if post.status == 202:
                times[post.body].append(post.at_seconds)
                for call_id in post.call_ids:
                    places[call_id].add(name)
    copies = Counter(event.body for event in sent)
    accepted = {event.body for event in sent if event.status == 202}
    for event in sent:
        taken = times[event.body]
        if event.status != 202:
            is_again = event.body in accepted
            (check.again if is_again else check.refused).append(event)
        elif not taken:
            check.missing.append(event)
        elif len(taken) > copies[event.body]:
            check.twice.append(event)
        elif min(taken) - event.at_seconds > LATE_SECONDS:
            check.late.append(event)
    calls = {event.call_id for event in sent}
    check.scattered = sorted(one for one in calls if len(places[one]) > 1)
    return check
