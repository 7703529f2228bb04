"""Events told to a bot as the product tells them, without the product around it."""

import json

from shared.calls import Action, Bot, Event, State
from shared.core.events import claim_of


class Told:
    """One call: each event is told once, and the state is kept as JSON.

    Attributes:
        state: what the call remembers; a test may lose it.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._claimed: set[str] = set()
        self.state: State = {}

    def tell(self, *events: Event) -> list[Action]:
        """Tell events, in this order; return all actions."""
        return [action for event in events for action in self._tell(event)]

    def _tell(self, event: Event) -> list[Action]:
        claim = claim_of(event)
        if claim in self._claimed:
            return []
        if claim is not None:
            self._claimed.add(claim)
        state: State = json.loads(json.dumps(self.state))
        actions = self._bot.react(event, state)
        self.state = state
        return actions
