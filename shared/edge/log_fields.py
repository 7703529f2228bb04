"""What a request's line says of its notifications: how each ended, and what it tells.

Ids, states and codes only: tones, recordings, names and numbers are not even read.
"""

from collections.abc import Mapping, Sequence

from shared.core.context import LogFacts
from shared.core.decisions import Accept
from shared.core.notifications import CallNotification
from shared.core.outcomes import ItemOutcome, Taken
from shared.core.replies import Outcome
from shared.edge.log_levels import level_of_item

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


def fields_of_items(facts: LogFacts, outcome: Outcome) -> Mapping[str, object]:
    """Return what the line says of the notifications; of several, item by item."""
    if len(facts.items) > 1:
        return _batch_fields(facts, outcome)
    fields = fields_of(facts.items[0]) if facts.items and facts.items[0] else {}
    fields["bot_event"] = facts.events[0] if facts.events else None
    return fields


def _batch_fields(facts: LogFacts, outcome: Outcome) -> dict[str, object]:
    """Return what the line of a batch says of its items, failures first."""
    events = facts.events or [None] * len(facts.items)
    described = [
        _describe(item, event, ended)
        for item, event, ended in zip(
            facts.items, events, _outcomes(facts, outcome), strict=True
        )
    ]
    described.sort(key=lambda each: each[0], reverse=True)
    listed = [fields for _level, fields in described[:_MAX_ITEMS]]
    return {"items": listed, "item_count": len(facts.items)}


def _outcomes(facts: LogFacts, outcome: Outcome) -> Sequence[ItemOutcome]:
    """Return how each item ended, also where nothing was done with any of them."""
    if isinstance(outcome, Taken):
        return outcome.outcomes
    if isinstance(outcome, Accept) and outcome.item_reasons:
        return [ItemOutcome(reason) for reason in outcome.item_reasons]
    return [ItemOutcome(outcome.reason) for _item in facts.items]


def present(fields: Mapping[str, object]) -> dict[str, object]:
    """Leave out what has no value."""
    return {name: value for name, value in fields.items() if value is not None}


def clip(text: str) -> str:
    """Cut a text of somebody else's choosing before it is logged."""
    return text[:_MAX_TEXT]


def _describe(
    item: CallNotification | None, event: str | None, ended: ItemOutcome
) -> tuple[int, dict[str, object]]:
    """Return the level and the fields of one item of a batch."""
    fields: dict[str, object] = {
        "call_id": item and item.call_id,
        "reason": ended.reason,
        "next_step": ended.reason.next_step,
        "notes": sorted(ended.notes) or None,
        **(fields_of(item) if item else {}),
        "bot_event": event,
        **ended.log_fields,
    }
    return level_of_item(ended), present(fields)
