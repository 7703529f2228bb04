"""A call: how it is placed, how often it is announced, and what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Self

from tests.simulator.platform.events import StepEnded
from tests.simulator.platform.transport import PostReply

ORDINARY_SECONDS = 15.0
POLICY_RECORDING_SECONDS = 5.0
MAX_HOPS = 3
REDIRECTS = (302, 307)


class Outcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    REJECTED = "rejected"
    REDIRECTED = "redirected"
    LOST = "lost"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When a call is announced again. Microsoft documents none of this: we assume it.

    Attributes:
        attempts: how often a call is announced in all, not counting redirects.
        first_pause_seconds: before the second attempt; each pause is twice as long as
            the one before, up to the longest. A longer ``Retry-After`` is obeyed.
        statuses: replies after which a call is announced again. It also is after no
            connection and after no reply.
        connect_seconds: how long a connection with TLS may take.
        reply_seconds: how long the reply may take after that.
    """

    attempts: int = 10
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 2.0
    statuses: frozenset[int] = frozenset({502, 503, 504})
    connect_seconds: float = 3.0
    reply_seconds: float = 13.0

    @classmethod
    def none(cls) -> Self:
        """Return the policy of a platform that announces a call once."""
        return cls(attempts=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCall:
    """A call to place.

    Attributes:
        caller: key of ``callers.CALLERS``: its data centre hosts the call.
        country_code, caller_region: what the notification says, if not the caller's.
        tenant_id: whose call it is; None: the platform's only tenant.
        token_variant: of ``signing.VARIANTS``.
        media_hosted_region: of a policy recording's ``botData``.
        is_duplicated: once the bot has answered or rejected the call, the incoming POST
            is sent again.
        simultaneous_caller: the same notification is also sent from this caller's data
            centre, at the same time.
        caller_id: of the user, or the number, that calls; None: somebody new.
        caller_kind: ``guest`` for a guest; None: a user, or a phone.
        language_id: of the caller.
        is_group_call: the bot is called into a meeting.
        follow_ups: in-order, out-of-order (with one of them twice), or none; of a
            rejected call there is one only.
    """

    caller: str = "amsterdam"
    country_code: str | None = None
    caller_region: str | None = None
    tenant_id: str | None = None
    starts_legacy: bool = False
    is_policy_recording: bool = False
    media_hosted_region: str | None = None
    token_variant: str = "good"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_duplicated: bool = False
    simultaneous_caller: str | None = None
    caller_id: str | None = None
    caller_kind: str | None = None
    language_id: str = "en-us"
    is_group_call: bool = False
    follow_ups: str = "in-order"

    @property
    def limit_seconds(self) -> float:
        """How long the call rings."""
        if self.is_policy_recording:
            return POLICY_RECORDING_SECONDS
        return ORDINARY_SECONDS


@dataclass(slots=True, kw_only=True)
class CallReport:
    """All about a call that has ended; see ``events.CallEnded``.

    Attributes:
        steps: every POST, in order, as the journal has it.
        replies: the reply to each step, whole.
        numbers: of the steps to come.
    """

    call_id: str
    placed: PlacedCall
    steps: list[StepEnded] = field(default_factory=list)
    replies: list[PostReply] = field(default_factory=list)
    outcome: Outcome = Outcome.LOST
    why: str | None = None
    region: str | None = None
    callback_uri: str | None = None
    attempts: int = 0
    answer_seconds: float = 0.0
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def path(self) -> list[int | str]:
        """Statuses, or errors, in order."""
        return [step.status or step.error or "" for step in self.steps]

    @property
    def hops(self) -> int:
        """How often the call was redirected in its last attempt."""
        hops = 0
        for step in self.steps:
            if step.what in {"incoming", "legacy"}:
                hops = 0
            hops += step.status in REDIRECTS
        return hops
