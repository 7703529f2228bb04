"""What the calling platform tells the journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlaced:
    """Somebody calls the bot; ``caller`` is a key of ``callers.CALLERS``."""

    call_id: str
    chain_id: str
    caller: str
    country_code: str | None
    caller_region: str | None
    is_policy_recording: bool
    starts_legacy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NameResolved:
    """The platform resolved a name for a call; ``address`` is None if that failed."""

    call_id: str
    name: str
    address: str | None
    region: str | None
    is_cached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A POST of a call is on its way.

    ``what`` is legacy, incoming, redirected, duplicate, establishing, established,
    roster, terminated or, once a call was rejected, deleted; ``notification`` is the
    body as it is sent; ``headers`` are those that are sent, without the token.
    """

    call_id: str
    step: int
    what: str
    url: str
    region: str | None
    attempt: int
    headers: Mapping[str, str]
    notification: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """The reply to a POST: a status, or an ``error`` of ``services.failures``."""

    call_id: str
    step: int
    what: str
    url: str
    region: str | None
    address: str | None
    status: int | None
    error: str | None
    location: str | None
    retry_after_seconds: float | None
    took_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """How a call ended.

    ``outcome`` is answered, rejected, lost or refused; ``why`` explains the latter two.
    ``region`` is the one whose callbackUri Graph holds, or which rejected the call;
    ``answer_seconds`` runs from the placing of the call to the last reply before
    follow-ups.
    """

    call_id: str
    caller: str
    outcome: str
    why: str | None
    region: str | None
    hops: int
    attempts: int
    answer_seconds: float
    placed_at_seconds: float
