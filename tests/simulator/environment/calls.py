"""A call: what is placed, what became of it, and when its notification comes again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from tests.simulator.environment.events import StepEnded
from tests.simulator.platform.platform import (
    ORDINARY_SECONDS,
    POLICY_RECORDING_SECONDS,
    Outcome,
)

REDIRECTS = (302, 307)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When a notification comes again: an assumption, not Microsoft's word.

    Attributes:
        attempts: how often a call is announced in all, redirects not counted.
        first_pause_seconds: before the second; it doubles up to the longest. A
            ``Retry-After`` of a 503 counts where it is longer.
        statuses: replies after which it comes again. No connection and no reply count
            as well.
        connect_seconds: how long a connection with TLS may take.
        reply_seconds: how long the reply may take then.
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
        caller: key of ``places.CALLERS``: which data centre hosts the call.
        country_code, caller_region: what the notification says, where that is not the
            caller's own.
        token_variant: of ``identity.VARIANTS``.
        media_hosted_region: of a policy recording's ``botData``.
        is_duplicated: once it is answered, the same incoming POST comes again.
        twin_caller: the notification comes twice at once, the second time from there.
        follow_ups: in order, out-of-order (and one of them twice), or none.
    """

    caller: str = "amsterdam"
    country_code: str | None = None
    caller_region: str | None = None
    starts_legacy: bool = False
    is_policy_recording: bool = False
    media_hosted_region: str | None = None
    token_variant: str = "good"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_duplicated: bool = False
    twin_caller: str | None = None
    follow_ups: str = "in-order"

    @property
    def limit_seconds(self) -> float:
        """How long the call rings."""
        if self.is_policy_recording:
            return POLICY_RECORDING_SECONDS
        return ORDINARY_SECONDS


@dataclass(slots=True, kw_only=True)
class CallReport:
    """Everything about a call that is over; see ``events.CallEnded``."""

    call_id: str
    placed: PlacedCall
    steps: list[StepEnded] = field(default_factory=list)
    outcome: Outcome = Outcome.LOST
    why: str | None = None
    region: str | None = None
    callback_uri: str | None = None
    attempts: int = 0
    answer_seconds: float = 0.0

    @property
    def path(self) -> list[int | str]:
        """Statuses, or errors, in order."""
        return [step.status or step.error or "" for step in self.steps]

    @property
    def hops(self) -> int:
        """How often the call was redirected since it came last."""
        hops = 0
        for step in self.steps:
            if step.what in {"incoming", "legacy"}:
                hops = 0
            hops += step.status in REDIRECTS
        return hops
