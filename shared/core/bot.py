"""A bot: the registry of the user's handlers, and who of them gets an event.

The rules behind ``shared.calls.Bot``. Nothing here calls a handler. What is registered
wrongly is refused at once: then the user's file cannot be imported, and health tells
its line.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import overload

from shared.core.actions import FOLLOW_UP_NAMES, Action, Source
from shared.core.call_controls import answer
from shared.core.event_types import (
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
from shared.core.events import TONES
from shared.core.handlers import (
    Handler,
    HandlerError,
    Registered,
    belongs_to,
    register,
)

_OPERATION = re.compile(r"(?!\w+Operation$)[A-Za-z]+", re.ASCII)


class Bot:
    """The registry of a bot's handlers; ``shared.calls.Bot`` says how to use it."""

    def __init__(self, otherwise: Action | None = None) -> None:
        """Start without handlers.

        Args:
            otherwise: what an incoming call gets where no handler decides; ``answer()``
                unless given.

        Raises:
            HandlerError: it is not made by ``answer``, ``reject`` or ``redirect``.
        """
        self.otherwise = answer() if otherwise is None else otherwise
        self._handlers: dict[type[Event], list[Registered]] = {}
        if not belongs_to(self.otherwise, Source.INCOMING):
            message = "otherwise must be made by answer(), reject() or redirect()."
            raise HandlerError(message)

    @overload
    def incoming[H: Handler[Incoming]](self, handler: H, /) -> H: ...
    @overload
    def incoming[H: Handler[Incoming]](self) -> Callable[[H], H]: ...
    def incoming(self, handler: object = None) -> object:
        """Decide about a call: ``answer``, ``reject`` or ``redirect``, one of them."""
        return self._on(Incoming, handler)

    @overload
    def participant_joining[H: Handler[ParticipantJoining]](
        self, handler: H, /
    ) -> H: ...
    @overload
    def participant_joining[H: Handler[ParticipantJoining]](
        self,
    ) -> Callable[[H], H]: ...
    def participant_joining(self, handler: object = None) -> object:
        """Reply with ``accept_join``, ``reject_join`` or ``invite_new_bot``.

        The handler takes no ``state``.
        """
        return self._on(ParticipantJoining, handler)

    @overload
    def terminated[H: Handler[Terminated]](self, handler: H, /) -> H: ...
    @overload
    def terminated[H: Handler[Terminated]](self) -> Callable[[H], H]: ...
    def terminated(self, handler: object = None) -> object:
        """Learn that the call is over, once."""
        return self._on(Terminated, handler)

    @overload
    def tone[H: Handler[Tone]](self, key: H, /) -> H: ...
    @overload
    def tone[H: Handler[Tone]](self, key: str | None = None) -> Callable[[H], H]: ...
    def tone(self, key: object = None) -> object:
        """Get a key that the caller pressed: ``key``, or any not taken before.

        Raises:
            HandlerError: no telephone has that key.
        """
        pressed = key.upper() if isinstance(key, str) else key
        if not callable(key) and pressed not in (None, *TONES):
            message = f"tone: the key must be one of {' '.join(TONES)}, as text."
            raise HandlerError(message)
        return self._on(Tone, key, {"key": pressed})

    @overload
    def transfer_failed[H: Handler[TransferFailed]](self, handler: H, /) -> H: ...
    @overload
    def transfer_failed[H: Handler[TransferFailed]](self) -> Callable[[H], H]: ...
    def transfer_failed(self, handler: object = None) -> object:
        """Go on with a call whose transfer failed; told each time, it has no id."""
        return self._on(TransferFailed, handler)

    @overload
    def established[H: Handler[Established]](self, handler: H, /) -> H: ...
    @overload
    def established[H: Handler[Established]](self) -> Callable[[H], H]: ...
    def established(self, handler: object = None) -> object:
        """Start talking: the call is up and its audio flows. Told once."""
        return self._on(Established, handler)

    @overload
    def failed[H: Handler[Failed]](self, action: H, /) -> H: ...
    @overload
    def failed[H: Handler[Failed]](
        self, action: str | None = None
    ) -> Callable[[H], H]: ...
    def failed(self, action: object = None) -> object:
        """Go on where a handler or an action failed: ``action``, or any.

        Raises:
            HandlerError: ``action`` is no name of Graph's, such as ``transfer``.
        """
        if not callable(action) and action not in (None, *FOLLOW_UP_NAMES):
            message = f"failed: the action must be one of {', '.join(FOLLOW_UP_NAMES)}."
            raise HandlerError(message)
        return self._on(Failed, action, {"action": action})

    @overload
    def operation_completed[H: Handler[OperationCompleted]](self, type: H, /) -> H: ...
    @overload
    def operation_completed[H: Handler[OperationCompleted]](
        self, type: str | None = None, client_context: str | None = None
    ) -> Callable[[H], H]: ...
    def operation_completed(
        self,
        type: object = None,  # noqa: A002 - Graph's word
        client_context: object = None,
    ) -> object:
        """Go on after a prompt, a recording, an invitation; also where it failed.

        Args:
            type: such as ``playPrompt``, ``record``, ``inviteParticipants``.
            client_context: what the action gave.

        Raises:
            HandlerError: no operation has such a type or context.
        """
        is_type = isinstance(type, str) and _OPERATION.fullmatch(type)
        if not (type is None or callable(type) or is_type):
            message = "operation_completed: the type is Graph's, without Operation."
            raise HandlerError(message)
        if not (client_context is None or isinstance(client_context, str)):
            message = "operation_completed: client_context must be text."
            raise HandlerError(message)
        wanted = {"type": type, "client_context": client_context}
        return self._on(OperationCompleted, type, wanted)

    @overload
    def participants[H: Handler[Participants]](self, handler: H, /) -> H: ...
    @overload
    def participants[H: Handler[Participants]](self) -> Callable[[H], H]: ...
    def participants(self, handler: object = None) -> object:
        """Learn who is in the call; told each time."""
        return self._on(Participants, handler)

    @overload
    def event[H: Handler[Event]](self, handler: H, /) -> H: ...
    @overload
    def event[H: Handler[Event]](self) -> Callable[[H], H]: ...
    def event(self, handler: object = None) -> object:
        """Get what no other decorator names, such as a call that rings."""
        return self._on(Event, handler)

    def _on(
        self,
        event: type[Event],
        given: object,
        wanted: Mapping[str, object] | None = None,
    ) -> object:
        """Register a function, or return the decorator that will."""
        if callable(given) or (wanted is None and given is not None):
            return self._register(event, {}, given)
        filters = {k: v for k, v in (wanted or {}).items() if v is not None}
        return partial(self._register, event, filters)

    def _register[H](
        self, event: type[Event], wanted: Mapping[str, object], function: H
    ) -> H:
        registered = register(function, event, wanted)
        self._handlers.setdefault(event, []).append(registered)
        return function

    def handles(self, event: type[Event]) -> bool:
        """Tell whether any handler takes events of this type."""
        return event in self._handlers

    @property
    def handles_follow_ups(self) -> bool:
        """Tell whether any handler takes what comes after the decision about a call."""
        return any(
            event not in {Incoming, ParticipantJoining} for event in self._handlers
        )

    @property
    def handles_more_than_incoming(self) -> bool:
        """Tell whether there are handlers that a bot with instances has no use for."""
        return any(event is not Incoming for event in self._handlers)

    @property
    def told_events(self) -> frozenset[type[Event]]:
        """The types of events that are told, but for incoming calls.

        The end of a call is, wherever something might still be told of it.
        """
        ends = {Terminated} if self.handles_follow_ups else set()
        return frozenset({*self._handlers, *ends} - {Incoming, Failed})

    @property
    def has_handlers(self) -> bool:
        """Tell whether there are any handlers."""
        return bool(self._handlers)

    def handler_for(self, event: Event) -> Registered | None:
        """Choose the handler of an event."""
        listed = self._handlers.get(type(event), ())
        return next((each for each in listed if each.fits(event)), None)
