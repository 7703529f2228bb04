"""What a bot file imports: the bot, its events, and the actions it may return.

``shared/bot.py`` imports from here and nothing else of this product. A handler gets an
event and returns actions, which are carried out through Microsoft Graph in order; the
first that fails stops the rest. ``Bot.react`` tests a bot without the service.

* Events: ``Incoming``, ``ParticipantJoining``, ``Established``, ``Tone``,
  ``OperationCompleted``, ``Participants``, ``TransferFailed``, ``Failed``,
  ``Terminated`` and, for all else, ``Event``; each with its ``Call``.
* Actions: a function for each of Graph's call controls. They vet their arguments and
  raise ``ValueError`` with a sentence where Graph would refuse them.
* People: ``user``, ``application``, ``application_instance``, ``phone``.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.core import bot as registry
from shared.core.actions import Action
from shared.core.call_controls import (
    accept_join,
    answer,
    cancel_media_processing,
    hang_up,
    invite,
    invite_new_bot,
    keep_alive,
    mute,
    play_prompt,
    record_response,
    redirect,
    reject,
    reject_join,
    send_dtmf_tones,
    subscribe_to_tone,
    transfer,
    unmute,
    update_recording_status,
)
from shared.core.event_types import (
    Call,
    Established,
    Event,
    Failed,
    Incoming,
    OperationCompleted,
    ParticipantJoining,
    Participants,
    Terminated,
    Tone,
    TransferFailed,
)
from shared.core.handlers import State, actions_of, encode_state
from shared.core.people import (
    Participant,
    Person,
    application,
    application_instance,
    phone,
    user,
)

__all__ = [
    "Action",
    "Bot",
    "Call",
    "Established",
    "Event",
    "Failed",
    "Incoming",
    "OperationCompleted",
    "Participant",
    "ParticipantJoining",
    "Participants",
    "Person",
    "State",
    "Terminated",
    "Tone",
    "TransferFailed",
    "accept_join",
    "answer",
    "application",
    "application_instance",
    "cancel_media_processing",
    "hang_up",
    "invite",
    "invite_new_bot",
    "keep_alive",
    "mute",
    "phone",
    "play_prompt",
    "record_response",
    "redirect",
    "reject",
    "reject_join",
    "send_dtmf_tones",
    "subscribe_to_tone",
    "transfer",
    "unmute",
    "update_recording_status",
    "user",
]


class Bot(registry.Bot):
    """What a bot does with its calls: handlers, registered by decorators.

    A decorator returns its function unchanged, so decorators can be stacked and tests
    can call it. The first handler in the file whose decorator fits an event gets it,
    and no other. A handler is ``def`` (on a thread) or ``async def`` (on the event
    loop, where what blocks there blocks every call); takes the event, and ``state`` if
    its second parameter has that name; returns nothing, one action or a list.

    ``state`` is a dict of JSON, kept per call, at most 16 KiB. It is kept after the
    handler has returned, and the handler may run twice: only look and return.
    """

    def react(self, event: Event, state: State | None = None) -> list[Action]:
        """Give an event to its handler as the product does; for tests.

        Args:
            event: such as ``Tone(key="1")``.
            state: what the call remembers; the handler changes it.

        Returns:
            What the handler returned, as a list; empty where no handler fits.

        Raises:
            ValueError: what it returned may not come from this event, or the state is
                no JSON object or over 16 KiB. Its own exceptions go through.
        """
        handler = self.handler_for(event)
        if handler is None:
            return []
        kept: State = {} if state is None else state
        returned = handler.call(event, kept)
        if handler.is_async and asyncio.iscoroutine(returned):
            returned = _finish(returned)
        actions = actions_of(event, returned)
        encode_state(kept)
        return actions


def _finish(coroutine: Coroutine[Any, Any, object]) -> object:
    """Run a coroutine to its end, also where a test runs on an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
