"""What the rules know beside the POST, and what the log is told about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

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
        own_region: code of this deployment; empty where there is only one.
        region_hosts: host of every deployment by code.
        redirect_status: of redirects, 302 or 307.
        allowed_tenants: lower-case tenant ids; empty: any.
        answers_calls: ``False``: incoming calls are accepted without an answer.
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


@dataclass(slots=True)
class LogFacts:
    """What was learnt on the way, for the log line, also when the end is a refusal.

    Attributes:
        call_ids: of all items that can be read.
        follow_ups: of those that are no incoming calls.
    """

    tenant_id: str | None = None
    call_ids: list[str] = field(default_factory=list)
    follow_ups: list[str] = field(default_factory=list)
    notes: set[Reason] = field(default_factory=set)
