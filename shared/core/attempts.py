"""Attempts to do something with a call through Graph: how long, and what follows.

https://learn.microsoft.com/graph/api/call-answer: 202 without a body; 404 (8522) once
the call is over or the time to answer has passed. What is asked, and which reason each
end has, says a ``CallRequest``.
"""

from enum import Enum, auto
from http import HTTPStatus
from typing import NamedTuple

from shared.core.call_requests import CallRequest
from shared.core.notifications import CallNotification
from shared.core.pauses import pause_after
from shared.core.reasons import Reason

# The platform waits 15 s, or 5 s for policy recording, from its first POST on; the
# rest is for the way there and back.
ORDINARY_BUDGET_SECONDS = 12.0
POLICY_RECORDING_BUDGET_SECONDS = 4.0
# Of what follows after the answer; what a handler of ``failed`` does has three more.
FOLLOW_UP_BUDGET_SECONDS = 10.0
FAILED_BUDGET_SECONDS = 13.0

# The part of the remaining budget that one attempt may take, so that a hanging
# attempt leaves time for another.
_ATTEMPT_SHARE = 0.6

_SUCCESS = range(200, 300)
_FINAL = frozenset(range(400, 500)) - {HTTPStatus.TOO_MANY_REQUESTS}


class Unanswered(Enum):
    """An attempt that brought no status.

    ``NO_REPLY``: it was sent and may have taken effect; ``NOT_SENT``: Graph was not
    reached; ``NO_PLACE``: there was no place or thread for it here.
    """

    NO_REPLY = auto()
    NOT_SENT = auto()
    NO_PLACE = auto()


class NoCredential(NamedTuple):
    """An attempt for which there was no token.

    Attributes:
        retry_after_seconds: what Entra's ``Retry-After`` says; ``None`` if absent.
        refused_code: Entra's code, if it refuses for good.
        is_regional: another region might have got one.
    """

    retry_after_seconds: float | None = None
    refused_code: str | None = None
    is_regional: bool = False


class GraphReply(NamedTuple):
    """Graph's reply.

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


# The last second of every budget is reserved for Graph: no wait before it may use it.
KEPT_FOR_GRAPH_SECONDS = 1.0


def budget_seconds(call: CallNotification) -> float:
    """Return how long answering may take from the arrival of the POST."""
    if call.is_policy_recording:
        return POLICY_RECORDING_BUDGET_SECONDS
    return ORDINARY_BUDGET_SECONDS


def attempt_seconds(remaining_seconds: float, request: CallRequest) -> float:
    """Return how long one attempt may take of what remains of the budget.

    What may not be sent twice is waited for until the end.
    """
    share = _ATTEMPT_SHARE if request.is_repeatable else 1.0
    return remaining_seconds * share


def pause_seconds(attempt: int, result: AttemptResult) -> float:
    """Return the pause after attempt number ``attempt`` (from 0)."""
    wanted = None if isinstance(result, Unanswered) else result.retry_after_seconds
    return pause_after(attempt, wanted)


def next_step(
    result: AttemptResult,
    request: CallRequest,
    *,
    was_reply_lost: bool,
    was_token_renewed: bool,
) -> Reason | NextStep:
    """Tell what follows an attempt: another one, or the end.

    Args:
        result: what came back.
        request: what Graph was asked.
        was_reply_lost: an earlier attempt may have taken effect without our knowing.
        was_token_renewed: a 401 has led to a new token already.

    Returns:
        The reason with which it ends, or what to do before the next attempt.
    """
    match result:
        case NoCredential(refused_code=str()):
            return Reason.CREDENTIAL_REFUSED
        case GraphReply(status=status) if status in _SUCCESS:
            return request.done
        case GraphReply(status=HTTPStatus.UNAUTHORIZED) if not was_token_renewed:
            return NextStep.RENEW_TOKEN
        case GraphReply(status=status) if status in _FINAL:
            return _refusal(status, request, was_reply_lost=was_reply_lost)
        case _ if request.is_repeatable or _took_no_effect(result):
            return NextStep.RETRY
        case _:
            return request.unavailable


def _took_no_effect(result: AttemptResult) -> bool:
    """Tell whether Graph surely did not do what it was asked."""
    match result:
        case GraphReply(status=status):
            return status == HTTPStatus.TOO_MANY_REQUESTS
        case NoCredential():
            return True
        case _:
            return result is not Unanswered.NO_REPLY


def _refusal(status: int, request: CallRequest, *, was_reply_lost: bool) -> Reason:
    # A token that Graph refuses says nothing about the call.
    if status == HTTPStatus.UNAUTHORIZED:
        return request.refused
    if was_reply_lost and request.presumed is not None:
        return request.presumed
    if status == HTTPStatus.NOT_FOUND:
        return Reason.CALL_OVER
    return request.done if request.is_refusal_fine else request.refused


def is_regional(result: AttemptResult | None) -> bool:
    """Tell whether a call that ended with this failed for a reason of this region."""
    match result:
        case GraphReply(status=status):
            return status >= HTTPStatus.INTERNAL_SERVER_ERROR
        case NoCredential():
            return result.is_regional
        case _:
            return result in {Unanswered.NO_REPLY, Unanswered.NOT_SENT}


def failure_of(result: AttemptResult | None, request: CallRequest) -> Reason:
    """Name the reason when the budget is used up; ``result`` is the last one."""
    if isinstance(result, NoCredential):
        return Reason.CREDENTIAL_UNAVAILABLE
    return request.unavailable
