"""What the rules know beside the POST, and what the log is told about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.core.answering_health import Answering
from shared.core.event_types import Event
from shared.core.notifications import CallNotification
from shared.core.ports import Clock, KeySource, PeerHealth
from shared.core.reasons import Reason
from shared.core.regions import RegionPolicy
from shared.core.tokens import TokenPolicy
from shared.core.verified_tokens import VerifiedTokens


class RuleContext(NamedTuple):
    """What the settings say, prepared for the rules, and the ports they need.

    Attributes:
        verified_tokens: the only part that the rules change.
        clock: epoch seconds.
        monotonic: the seconds in which ``WebhookRequest.received_at`` is counted.
        delivers: partitions have instances, which get what follows after an answer.
        own_answering: tells whether this process can answer calls at present.
        own_region: code of this deployment; empty where there is only one.
        region_hosts: host of every deployment by code.
        redirect_status: of redirects, 302 or 307.
        allowed_tenants: lower-case tenant ids; empty: any.
        answers_calls: ``False``: incoming calls are accepted without an answer.
        bot_events: the types of events that the bot is told, but for incoming calls.
    """

    token_policy: TokenPolicy
    verified_tokens: VerifiedTokens
    keys: KeySource
    clock: Clock
    monotonic: Clock
    peers: PeerHealth
    region_policy: RegionPolicy
    own_region: str
    region_hosts: Mapping[str, str]
    redirect_status: int
    allowed_tenants: frozenset[str]
    partitions: Sequence[str]
    answers_calls: bool
    bot_events: frozenset[type[Event]] = frozenset()
    delivers: bool = False
    own_answering: Callable[[], Answering] = lambda: "unknown"


@dataclass(slots=True)
class LogFacts:
    """What was learnt on the way, for the log line, also when the end is a refusal.

    Attributes:
        items: what the POST announces, as read; ``None`` for what cannot be read.
        events: names of the bot's events, item by item; ``None`` where there is none.
        is_unlisted: the partition of the route is none of ours, perhaps any longer.
        joining_call_id: the call of a participant who joins.
    """

    tenant_id: str | None = None
    items: Sequence[CallNotification | None] = ()
    events: Sequence[str | None] = ()
    joining_call_id: str | None = None
    is_unlisted: bool = False
    notes: set[Reason] = field(default_factory=set)

    @property
    def call_ids(self) -> list[str]:
        """The calls of all items that can be read."""
        if self.joining_call_id is not None:
            return [self.joining_call_id]
        return [item.call_id for item in self.items if item]

    @property
    def follow_ups(self) -> list[str]:
        """The calls of those that are no incoming calls."""
        return [
            item.call_id for item in self.items if item and not item.is_incoming_call
        ]
