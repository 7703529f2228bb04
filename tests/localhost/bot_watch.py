"""Tells of each run of a bot's handlers: one line of JSON on standard error.

The product's log never holds states, bodies or messages of exceptions. These lines do:
they are for the developer's own machine, where somebody looks at the bot.
"""

import copy
import json
import sys
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from shared.core.bot import Bot
from shared.core.defects import describe_defect, describe_place
from shared.core.handlers import HandlerError, Registered, State, actions_of
from tests.localhost.message import MESSAGE_ID

if TYPE_CHECKING:
    from shared.core.actions import Action

HANDLER_RAN = "simulator.handler-ran"


class _Run:
    """One run of a handler, from its start to the line about it."""

    def __init__(self, handler: Registered, event: Any, state: State) -> None:
        self._place = describe_place(handler.function)
        self._event, self._state = event, state
        self._before = copy.deepcopy(state)
        self._started_at = time.monotonic()

    def end(self, returned: object = None, error: BaseException | None = None) -> None:
        """Write the line."""
        actions: list[Action] = []
        if error is None:
            try:
                actions = actions_of(self._event, returned)
            except HandlerError as wrong:
                error = wrong
        line = {
            "event": HANDLER_RAN,
            "call_id": self._event.call.id,
            "message_id": MESSAGE_ID.get(),
            "bot_event": self._event.name,
            **self._place,
            "actions": [{"name": a.row.name, "body": a.body} for a in actions],
            "state_before": self._before,
            "state_after": self._state,
            "error": error and self._defect(error),
            "took_seconds": round(time.monotonic() - self._started_at, 4),
        }
        print(json.dumps(line, default=str), file=sys.stderr, flush=True)

    def _defect(self, error: BaseException) -> dict[str, object]:
        found = describe_defect(error, within=self._place.get("file"))
        line = None if isinstance(error, HandlerError) else found.get("line")
        return {"type": found["type"], "line": line, "message": str(error)}


class Watched(Registered):
    """A handler whose runs are told; to the product it is the handler itself."""

    def call(self, event: Any, state: State) -> object:
        """Call the handler, and tell what it did."""
        run = _Run(self, event, state)
        try:
            returned = super().call(event, state)
        except BaseException as error:
            run.end(error=error)
            raise
        if self.is_async:
            return _awaited(returned, run)  # type: ignore[arg-type]
        run.end(returned)
        return returned


async def _awaited(returned: Awaitable[object], run: _Run) -> object:
    try:
        result = await returned
    except BaseException as error:
        run.end(error=error)
        raise
    run.end(result)
    return result


def watch(bot: object) -> None:
    """Tell of all that the handlers of a bot do from now on."""
    if isinstance(bot, Bot):
        for listed in bot._handlers.values():
            listed[:] = [Watched(*handler) for handler in listed]
