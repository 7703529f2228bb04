"""What Graph is asked to do with a call, and what each of its replies means.

The action for an incoming call ends in the reasons of an answer; the actions of all
later events in those of an action. ``attempts`` tells which reply leads to which.
"""

from typing import NamedTuple

from shared.core.actions import Action
from shared.core.reasons import Reason
from shared.core.strict_json import JsonObject

_INCOMING = {
    "answer": (Reason.ANSWERED, Reason.ALREADY_ANSWERED),
    "reject": (Reason.CALL_REJECTED, Reason.ALREADY_HANDLED),
    "redirect": (Reason.CALL_REDIRECTED, Reason.ALREADY_HANDLED),
}
_CANCEL = "cancelMediaProcessing"


class CallRequest(NamedTuple):
    """One request to Graph about a call.

    Attributes:
        name: of the action, as Graph spells it.
        method: of HTTP.
        path: below the URL of the call.
        body: ``None`` where there is none.
        done: the reason once Graph has taken it.
        refused: the reason where Graph refuses it for good.
        unavailable: the reason where nothing final came in time.
        presumed: the reason where Graph refuses it after an earlier attempt whose reply
            was lost: that one has probably taken effect.
        again: the reason where the same incoming call comes again after that.
        is_repeatable: it may be sent again where an attempt may have taken effect.
        is_refusal_fine: a refusal means that there was nothing to do.
    """

    name: str
    method: str
    path: str
    body: JsonObject | None
    done: Reason
    refused: Reason
    unavailable: Reason
    presumed: Reason | None = None
    again: Reason | None = None
    is_repeatable: bool = True
    is_refusal_fine: bool = False


def request_for_incoming(action: Action, callback_uri: str) -> CallRequest:
    """Make the request of what an incoming call gets.

    Args:
        action: made by ``answer``, ``reject`` or ``redirect``.
        callback_uri: where the notifications of an answered call are to go.
    """
    row, body = action.row, dict(action.body or {})
    if action.name == "answer":
        body = {"callbackUri": callback_uri, **body}
    done, again = _INCOMING[action.name]
    return CallRequest(
        action.name,
        row.method,
        row.path,
        body,
        done,
        Reason.ANSWER_REFUSED,
        Reason.ANSWER_UNAVAILABLE,
        presumed=Reason.ANSWER_PRESUMED,
        again=again,
    )


def request_for_event(action: Action) -> CallRequest:
    """Make the request of an action that a later event led to."""
    row = action.row
    return CallRequest(
        action.name,
        row.method,
        row.path,
        action.body,
        Reason.HANDLED,
        Reason.ACTION_REFUSED,
        Reason.ACTION_UNAVAILABLE,
        is_repeatable=row.is_repeatable,
        is_refusal_fine=action.name == _CANCEL,
    )
