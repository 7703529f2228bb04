"""The level of a request's line: the highest of its reason, its notes and its items."""

import logging
from collections.abc import Iterable
from http import HTTPStatus

from shared.core.outcomes import ItemOutcome, Taken
from shared.core.reasons import Reason
from shared.core.replies import Outcome

_WARNINGS = frozenset(
    {
        Reason.EVACUATED,
        Reason.INSTANCE_WITHOUT_CALL,
        Reason.PARTITION_UNLISTED,
        Reason.REDIRECT_SUPPRESSED,
        Reason.REGION_UNHEALTHY,
        Reason.STATE_UNAVAILABLE,
        Reason.UNREADABLE_ITEM,
    }
)
_ERRORS = frozenset(
    {
        Reason.ACTION_REFUSED,
        Reason.ACTION_UNAVAILABLE,
        Reason.ANSWER_REFUSED,
        Reason.ANSWER_UNAVAILABLE,
        Reason.BOT_FAILED,
        Reason.CREDENTIAL_REFUSED,
        Reason.CREDENTIAL_UNAVAILABLE,
        Reason.DELIVERY_REFUSED,
        Reason.DELIVERY_UNAVAILABLE,
        Reason.RECORDING_UNHANDLED,
        Reason.REGION_REQUIRED,
        Reason.UNEXPECTED_ERROR,
    }
)


def level_of(outcome: Outcome, notes: Iterable[Reason]) -> int:
    """Return the level of what a request ended with."""
    levels = [_level_of_status(outcome.status)]
    levels += [level_of_reason(note) for note in notes]
    if isinstance(outcome, Taken):
        levels += [level_of_item(item) for item in outcome.outcomes]
    else:
        levels.append(level_of_reason(outcome.reason))
    return max(levels)


def level_of_item(item: ItemOutcome) -> int:
    """Return the level of how one item ended."""
    level = logging.WARNING if item.was_expected else level_of_reason(item.reason)
    return max((level, *map(level_of_reason, item.notes)))


def level_of_reason(reason: Reason) -> int:
    """Return the level that a reason or a note asks for."""
    if reason in _ERRORS:
        return logging.ERROR
    return logging.WARNING if reason in _WARNINGS else logging.INFO


def _level_of_status(status: int) -> int:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.ERROR
    return logging.WARNING if status >= HTTPStatus.BAD_REQUEST else logging.INFO
