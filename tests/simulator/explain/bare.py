"""Notifications that were recorded without the list that they came in."""

import json
from typing import Any, NamedTuple

from shared.core.strict_json import JsonObject, StrictJsonError, read_object

_CALL_TYPE = "#microsoft.graph.call"
_ASSUMED_ID = "assumed-call-id"
_CHANGES = {"incoming": "created", "terminated": "deleted"}


class Wrapped(NamedTuple):
    """A body with the list put around it, and a sentence that says so."""

    body: bytes
    note: str


def wrap(body: bytes) -> Wrapped | None:
    """Put the list around a bare item or a bare call; None: it is neither."""
    try:
        members = read_object(body)
    except StrictJsonError:
        return None
    if "value" in members:
        return None
    if "resourceData" in members and "changeType" in members:
        return _wrapped(members, "one item")
    if _is_call(members):
        what = "one call"
        if not isinstance(members.get("id"), str):
            what += ", without its id (one is assumed)"
        return _wrapped(_item_of(members), what)
    return None


def _wrapped(item: JsonObject, what: str) -> Wrapped:
    note = (
        f"The list `value` is missing: {what} is recorded, and explained as if it came "
        "in such a list. The webhook would refuse it as it is: 400."
    )
    return Wrapped(json.dumps({"value": [item]}).encode(), note)


def _is_call(members: JsonObject) -> bool:
    kind = members.get("@odata.type")
    if kind is not None:
        return bool(kind == _CALL_TYPE)
    return isinstance(members.get("state"), str) and bool(
        members.keys() & {"direction", "source", "callChainId"}
    )


def _item_of(call: JsonObject) -> JsonObject:
    state, call_id = call.get("state"), call.get("id")
    name: Any = state.lower() if isinstance(state, str) else ""
    path = call_id if isinstance(call_id, str) else _ASSUMED_ID
    return {
        "changeType": _CHANGES.get(name, "updated"),
        "resource": f"/app/calls/{path}",
        "resourceData": call,
    }
