"""Answering a call: the request to Graph, and what Graph's reply means.

https://learn.microsoft.com/graph/api/call-answer: 202 without a body; 404 (8522) once
the call is over or the time to answer has passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import ClassVar, NamedTuple

from shared.core import rules
from shared.core.notifications import CallNotification
from shared.core.reasons import Reason
from shared.core.strict_json import JsonObject

# The platform waits 15 s, or 5 s for policy recording, from its first POST on; the
# rest is for the way there and back.
ORDINARY_BUDGET_SECONDS = 12.0
POLICY_RECORDING_BUDGET_SECONDS = 4.0

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 2.0
# The part of the remaining budget that one attempt may take, so that a hanging
# attempt leaves time for another.
_ATTEMPT_SHARE = 0.6
_MAX_LOGGED_ITEMS = 20

_SUCCESS = range(200, 300)
_CLIENT_ERROR = range(400, 500)
_TOO_MANY_REQUESTS = HTTPStatus.TOO_MANY_REQUESTS


class AnswerCalls(NamedTuple):
    """The decision to answer these calls; what comes of it is ``Answered``."""

    tenant_id: str
    calls: Sequence[CallNotification]


class AnswerOutcome(NamedTuple):
    """How answering one call ended.

    Attributes:
        reason: why; ``is_unavailable`` tells whether the call may come again.
        attempts: requests to Graph; 0 where the call had been answered before.
        graph_code: Graph's error code of the last reply.
    """

    reason: Reason
    attempts: int = 0
    graph_status: int | None = None
    graph_code: str | None = None

    @property
    def is_unavailable(self) -> bool:
        """Tell whether the POST must be refused with 503, so that it comes again."""
        return self.reason in {
            Reason.ANSWER_UNAVAILABLE,
            Reason.CREDENTIAL_UNAVAILABLE,
        }

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says beside the reason."""
        return {
            "attempts": self.attempts,
            "graph_status": self.graph_status,
            "graph_code": self.graph_code,
        }


@dataclass(frozen=True, slots=True)
class Answered:
    """Reply 202, or 503 if any of the calls could not be answered in time.

    Attributes:
        outcomes: by call id, at least one.
    """

    outcomes: Sequence[tuple[str, AnswerOutcome]]

    rule: ClassVar = rules.ANSWER
    name: ClassVar = "answer"

    @property
    def status(self) -> HTTPStatus:
        """Of the reply."""
        if any(outcome.is_unavailable for _call_id, outcome in self.outcomes):
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.ACCEPTED

    @property
    def retry_after_seconds(self) -> int | None:
        """Value of ``Retry-After``, if the reply carries one."""
        return 1 if self.status is HTTPStatus.SERVICE_UNAVAILABLE else None

    @property
    def reason(self) -> Reason:
        """Of the only call, or that there are several."""
        return self.outcomes[0][1].reason if len(self.outcomes) == 1 else Reason.BATCH

    @property
    def log_fields(self) -> Mapping[str, object]:
        """What the log line says beside the reason."""
        if len(self.outcomes) == 1:
            return self.outcomes[0][1].log_fields
        return {
            "items": [
                {"call_id": call_id, "reason": outcome.reason, **outcome.log_fields}
                for call_id, outcome in self.outcomes[:_MAX_LOGGED_ITEMS]
            ]
        }


class Unanswered(Enum):
    """An attempt that brought no status."""

    NO_REPLY = auto()
    NOT_CONNECTED = auto()


class NoCredential(NamedTuple):
    """An attempt for which there was no token.

    Attributes:
        retry_after_seconds: what Entra's ``Retry-After`` says; ``None`` if absent.
    """

    retry_after_seconds: float | None = None


class GraphReply(NamedTuple):
    """Graph's reply to an answer.

    Attributes:
        status: HTTP status.
        retry_after_seconds: ``Retry-After``, already relative; ``None`` if absent.
        code: ``error.code``, for the log.
    """

    status: int
    retry_after_seconds: float | None = None
    code: str | None = None


type AttemptResult = GraphReply | NoCredential | Unanswered


class NextStep(Enum):
    """What to do after an attempt that was not the last."""

    RETRY = auto()
    RENEW_TOKEN = auto()


def budget_seconds(call: CallNotification) -> float:
    """Return how long answering may take from the arrival of the POST."""
    if call.is_policy_recording:
        return POLICY_RECORDING_BUDGET_SECONDS
    return ORDINARY_BUDGET_SECONDS


def attempt_seconds(remaining_seconds: float) -> float:
    """Return how long one attempt may take of what remains of the budget."""
    return remaining_seconds * _ATTEMPT_SHARE


def pause_seconds(attempt: int, result: AttemptResult) -> float:
    """Return the pause after attempt number ``attempt`` (from 0).

    It is never shorter than the first: Graph may say ``Retry-After: 0`` for ever.
    """
    wanted = None if isinstance(result, Unanswered) else result.retry_after_seconds
    if wanted is not None:
        return max(wanted, _FIRST_PAUSE_SECONDS)
    return min(_FIRST_PAUSE_SECONDS * 2.0**attempt, _LONGEST_PAUSE_SECONDS)


def answer_body(callback_uri: str) -> JsonObject:
    """Build the body of the answer: audio, played and recorded by Microsoft.

    App-hosted media needs .NET on Windows; service-hosted media is all there is:
    https://learn.microsoft.com/graph/api/resources/servicehostedmediaconfig
    """
    return {
        "callbackUri": callback_uri,
        "acceptedModalities": ["audio"],
        "mediaConfig": {
            "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
            "preFetchMedia": [],
        },
    }


def next_step(
    result: AttemptResult, *, was_reply_lost: bool, was_token_renewed: bool
) -> Reason | NextStep:
    """Tell what follows an attempt: another one, or the end of answering.

    Args:
        result: what came back.
        was_reply_lost: an earlier attempt may have taken effect without our knowing.
        was_token_renewed: a 401 has led to a new token already.

    Returns:
        The reason with which answering ends, or what to do before the next attempt.
    """
    if not isinstance(result, GraphReply):
        return NextStep.RETRY
    if result.status in _SUCCESS:
        return Reason.ANSWERED
    if result.status not in _CLIENT_ERROR or result.status == _TOO_MANY_REQUESTS:
        return NextStep.RETRY
    if result.status == HTTPStatus.UNAUTHORIZED and not was_token_renewed:
        return NextStep.RENEW_TOKEN
    if was_reply_lost:
        return Reason.ANSWER_PRESUMED
    is_over = result.status == HTTPStatus.NOT_FOUND
    return Reason.CALL_OVER if is_over else Reason.ANSWER_REFUSED


def failure_of(result: AttemptResult | None) -> Reason:
    """Name the reason when the budget is used up; ``result`` is the last one."""
    if isinstance(result, NoCredential):
        return Reason.CREDENTIAL_UNAVAILABLE
    return Reason.ANSWER_UNAVAILABLE
