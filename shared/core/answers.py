"""Answering a call: the request to Graph, and what Graph's reply means.

https://learn.microsoft.com/graph/api/call-answer: 202 without a body; 404 (8522) once
the call is over or the time to answer has passed.
"""

from enum import Enum, auto
from http import HTTPStatus
from typing import NamedTuple

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

_SUCCESS = range(200, 300)
_CLIENT_ERROR = range(400, 500)
_TOO_MANY_REQUESTS = HTTPStatus.TOO_MANY_REQUESTS


class Attempt(Enum):
    """Ends of an attempt that brought no status."""

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


type AttemptEnd = GraphReply | NoCredential | Attempt


class Verdict(Enum):
    """What to do after an attempt."""

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


def pause_seconds(attempt: int, reply: AttemptEnd) -> float:
    """Return the pause after attempt number ``attempt`` (from 0)."""
    wanted = None if isinstance(reply, Attempt) else reply.retry_after_seconds
    if wanted is not None:
        return wanted
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


def judge(
    reply: AttemptEnd, *, was_reply_lost: bool, was_token_renewed: bool
) -> Reason | Verdict:
    """Tell what an attempt means: the end of answering, or another attempt.

    Args:
        reply: what came back.
        was_reply_lost: an earlier attempt may have taken effect without our knowing.
        was_token_renewed: a 401 has led to a new token already.
    """
    if not isinstance(reply, GraphReply):
        return Verdict.RETRY
    if reply.status in _SUCCESS:
        return Reason.ANSWERED
    if reply.status not in _CLIENT_ERROR or reply.status == _TOO_MANY_REQUESTS:
        return Verdict.RETRY
    if reply.status == HTTPStatus.UNAUTHORIZED and not was_token_renewed:
        return Verdict.RENEW_TOKEN
    if was_reply_lost:
        return Reason.ANSWER_PRESUMED
    is_over = reply.status == HTTPStatus.NOT_FOUND
    return Reason.CALL_OVER if is_over else Reason.ANSWER_REFUSED


def failure_of(reply: AttemptEnd | None) -> Reason:
    """Name the reason when the budget is used up; ``reply`` is the last one."""
    if isinstance(reply, NoCredential):
        return Reason.CREDENTIAL_UNAVAILABLE
    return Reason.ANSWER_UNAVAILABLE
