"""What a request's line says of its notifications: how each ended, and what it tells.

Ids, states and codes only: tones, recordings, names and numbers are not even read.
"""

from collections.abc import Mapping, Sequence

from shared.core.answers import Answered, AnswerOutcome
from shared.core.notifications import CallNotification
from shared.core.reasons import Reason
from shared.core.replies import Outcome
from shared.edge.log_levels import level_of_answer, level_of_reason

_MAX_TEXT = 64
_MAX_ITEMS = 20


def fields_of(item: CallNotification) -> dict[str, object]:
    """Return what a notification tells of its call; neither names nor numbers."""
    return {
        "change_type": item.change_type and clip(item.change_type),
        "sub_resource": item.sub_resource and clip(item.sub_resource),
        "call_state": item.state and clip(item.state),
        "result_code": item.result_code,
        "result_subcode": item.result_subcode,
        "operation": item.operation,
        "transferor": item.transferor,
        "on_behalf_of": item.on_behalf_of,
    }


def batch_fields(
    items: Sequence[CallNotification | None], outcome: Outcome
) -> dict[str, object]:
    """Return what the line of a batch says of its items, failures first."""
    answers = dict(outcome.outcomes) if isinstance(outcome, Answered) else {}
    described = [_describe(item, outcome, answers) for item in items]
    described.sort(key=lambda each: each[0], reverse=True)
    listed = [fields for _level, fields in described[:_MAX_ITEMS]]
    return {"items": listed, "item_count": len(items)}


def present(fields: Mapping[str, object]) -> dict[str, object]:
    """Leave out what has no value."""
    return {name: value for name, value in fields.items() if value is not None}


def clip(text: str) -> str:
    """Cut a text of somebody else's choosing before it is logged."""
    return text[:_MAX_TEXT]


def _describe(
    item: CallNotification | None,
    outcome: Outcome,
    answers: Mapping[str, AnswerOutcome],
) -> tuple[int, dict[str, object]]:
    """Return the level and the fields of one item of a batch."""
    if item is None:
        reason = Reason.UNREADABLE_ITEM
        return level_of_reason(reason), {"reason": reason}
    answer = answers.get(item.call_id) if item.is_incoming_call else None
    if answer is not None:
        level, reason = level_of_answer(answer), answer.reason
    else:
        reason = outcome.reason if item.is_incoming_call else Reason.FOLLOW_UP
        level = level_of_reason(reason)
    ended = {} if answer is None else answer.log_fields
    fields = {"call_id": item.call_id, "reason": reason, **fields_of(item), **ended}
    return level, present(fields)
