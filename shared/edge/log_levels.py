"""The level of a request's line: the highest of its reason, its notes and its items."""

import logging
from collections.abc import Iterable
from http import HTTPStatus

from shared.core.answers import Answered, AnswerOutcome
from shared.core.reasons import Reason
from shared.core.replies import Outcome

_WARNINGS = frozenset(
    {
        Reason.PARTITION_UNLISTED,
        Reason.REDIRECT_SUPPRESSED,
        Reason.REGION_UNHEALTHY,
        Reason.UNREADABLE_ITEM,
    }
)
_ERRORS = frozenset(
    {
        Reason.ANSWER_REFUSED,
        Reason.ANSWER_UNAVAILABLE,
        Reason.CREDENTIAL_REFUSED,
        Reason.CREDENTIAL_UNAVAILABLE,
        Reason.RECORDING_UNHANDLED,
        Reason.REGION_REQUIRED,
        Reason.UNEXPECTED_ERROR,
    }
)


def level_of(outcome: Outcome, notes: Iterable[Reason]) -> int:
    """Return the level of what a request ended with."""
    levels = [_level_of_status(outcome.status), *map(level_of_reason, notes)]
    if isinstance(outcome, Answered):
        levels += [level_of_answer(answer) for _call_id, answer in outcome.outcomes]
    else:
        levels.append(level_of_reason(outcome.reason))
    return max(levels)


def level_of_answer(answer: AnswerOutcome) -> int:
    """Return the level of how answering one call ended."""
    if answer.is_refused and answer.was_expected:
        return logging.WARNING
    return level_of_reason(answer.reason)


def level_of_reason(reason: Reason) -> int:
    """Return the level that a reason or a note asks for."""
    if reason in _ERRORS:
        return logging.ERROR
    return logging.WARNING if reason in _WARNINGS else logging.INFO


def _level_of_status(status: int) -> int:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.ERROR
    return logging.WARNING if status >= HTTPStatus.BAD_REQUEST else logging.INFO
