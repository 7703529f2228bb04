"""Actions that an instance asks for in its reply, and its reply to who joins.

``{"actions": [{"action": "playPrompt", …Graph's body}]}``: vetted by the same table as
the actions of a bot's handlers.
"""

from shared.core.actions import FOLLOW_UP_NAMES, Action
from shared.core.strict_json import JsonObject

_TYPE_PREFIX = "#microsoft.graph."
_JOIN_REPLIES = ("acceptJoinResponse", "rejectJoinResponse", "inviteNewBotResponse")


class IllFormedActionsError(ValueError):
    """An instance asked for what Graph does not have; the message is safe to log."""


def read_actions(reply: JsonObject | None) -> list[Action]:
    """Read what an instance asks for; nothing if its reply has no ``actions``.

    Raises:
        IllFormedActionsError: an action is unknown or ill-formed.
    """
    if reply is None or "actions" not in reply:
        return []
    listed = reply["actions"]
    if type(listed) is not list:
        message = "actions must be a list."
        raise IllFormedActionsError(message)
    return [_read_action(each) for each in listed]


def _read_action(entry: object) -> Action:
    if type(entry) is not dict or entry.get("action") not in FOLLOW_UP_NAMES:
        message = "an action must be an object that names one of Graph's."
        raise IllFormedActionsError(message)
    body = {name: value for name, value in entry.items() if name != "action"}
    name = str(entry["action"])
    try:
        return Action(name=name, body=body or None)
    except ValueError:
        # Some have a body without members, some have none.
        if body:
            message = f"{name}: its body is not Graph's."
            raise IllFormedActionsError(message) from None
    try:
        return Action(name=name, body={})
    except ValueError as error:
        message = f"{name}: its body is not Graph's."
        raise IllFormedActionsError(message) from error


def read_join_reply(reply: JsonObject | None) -> JsonObject | None:
    """Return a reply to a participant who joins if it is one of Graph's three."""
    kind = (reply or {}).get("@odata.type")
    name = kind.removeprefix(_TYPE_PREFIX) if type(kind) is str else ""
    if name not in _JOIN_REPLIES:
        return None
    try:
        return Action(name=name, body=reply).body
    except ValueError:
        return None
