"""Handlers of a bot: what one may look like, return and remember."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Protocol

from shared.core.actions import Action, Source
from shared.core.event_types import Event, Incoming, ParticipantJoining

type State = dict[str, Any]

type Returned = Action | list[Action] | None


class WithState[E: Event](Protocol):
    """A handler that wants the state, by its name."""

    def __call__(self, event: E, /, *, state: State) -> Returned | Awaitable[Returned]:
        """Handle an event."""


type Handler[E: Event] = Callable[[E], Returned | Awaitable[Returned]] | WithState[E]

MAX_STATE_BYTES = 16 * 1024
_STATE = "state"
_SOURCES: Mapping[type[Event], Source] = {
    Incoming: Source.INCOMING,
    ParticipantJoining: Source.JOINING,
}


class HandlerError(ValueError):
    """A handler is registered wrongly, or did what cannot be carried out."""


class Registered(NamedTuple):
    """One handler, with what its decorator asks for.

    Attributes:
        wanted: fields of the event, and the values that they must have.
        is_async: calling it returns an awaitable.
    """

    function: Callable[..., object]
    event: type[Event]
    wanted: Mapping[str, object]
    takes_state: bool
    is_async: bool

    def fits(self, event: Event) -> bool:
        """Tell whether the decorator fits."""
        return type(event) is self.event and all(
            getattr(event, name) == value for name, value in self.wanted.items()
        )

    def call(self, event: Event, state: State) -> object:
        """Call it; return what it returned, or an awaitable of that."""
        if self.takes_state:
            return self.function(event, state=state)
        return self.function(event)


def register(
    function: object, event: type[Event], wanted: Mapping[str, object]
) -> Registered:
    """Look at a handler.

    Raises:
        HandlerError: it could not be called with the event, or could return no actions.
    """
    if not callable(function) or isinstance(function, type):
        message = f"{event.name}: this decorates a function."
        raise HandlerError(message)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        message = f"{event.name}: a handler must not yield; return a list of actions."
        raise HandlerError(message)
    return Registered(
        function,
        event,
        wanted,
        takes_state=_takes_state(function, event),
        is_async=inspect.iscoroutinefunction(function)
        or inspect.iscoroutinefunction(type(function).__call__),
    )


def _takes_state(function: Callable[..., object], event: type[Event]) -> bool:
    try:
        signature = inspect.signature(function)
        names = list(signature.parameters)
        takes_state = names[1:2] == [_STATE]
        signature.bind(None, **({_STATE: None} if takes_state else {}))
    except (TypeError, ValueError) as error:
        message = f"{event.name}: a handler takes the event, and state if it wants it."
        raise HandlerError(message) from error
    if _STATE in names and not takes_state:
        message = f"{event.name}: state must be the second parameter."
        raise HandlerError(message)
    if takes_state and event is ParticipantJoining:
        message = f"{event.name}: this handler has no state."
        raise HandlerError(message)
    return takes_state


def actions_of(event: Event, returned: object) -> list[Action]:
    """Return what a handler returned as a list.

    Raises:
        HandlerError: it is something else, or may not come from this event.
    """
    listed = [] if returned is None else returned
    listed = [listed] if isinstance(listed, Action) else listed
    if not isinstance(listed, list) or not all(
        isinstance(each, Action) for each in listed
    ):
        message = f"{event.name}: return nothing, an action or a list of actions."
        raise HandlerError(message)
    source = _SOURCES.get(type(event), Source.OTHERS)
    for action in listed:
        if not belongs_to(action, source):
            message = (
                f"{event.name}: {action.row.function} may not be returned here; "
                f"it belongs to {action.row.source}."
            )
            raise HandlerError(message)
    if source is not Source.OTHERS and len(listed) > 1:
        message = f"{event.name}: return one action at most."
        raise HandlerError(message)
    return [_vet_again(event, action) for action in listed]


def _vet_again(event: Event, action: Action) -> Action:
    """Return an action whose body is still what was vetted when it was made.

    Raises:
        HandlerError: somebody has changed it to what Graph would not take.
    """
    try:
        return replace(action)
    except ValueError as error:
        message = f"{event.name}: the body of {action.row.function} was changed."
        raise HandlerError(message) from error


def belongs_to(action: object, source: Source) -> bool:
    """Tell whether it is an action that may come from such an event."""
    return isinstance(action, Action) and action.row.source is source


def encode_state(state: object) -> bytes:
    """Write what a handler left in the state as JSON.

    Raises:
        HandlerError: it is no object of JSON, or over 16 KiB.
    """
    try:
        data = _utf8(state) if isinstance(state, dict) and _is_json(state) else None
    # NaN, and what holds itself, are not JSON either.
    except (ValueError, RecursionError):
        data = None
    if data is None:
        message = "state: it must be JSON, an object with texts as names."
        raise HandlerError(message)
    if len(data) > MAX_STATE_BYTES:
        message = f"state: it has over {MAX_STATE_BYTES} bytes."
        raise HandlerError(message)
    return data


def _utf8(state: State) -> bytes:
    """Write JSON; escaped where a text is cut within a surrogate pair."""
    write = partial(json.dumps, state, allow_nan=False, separators=(",", ":"))
    try:
        return write(ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return write().encode("ascii")


def _is_json(value: object) -> bool:
    """Tell whether JSON gives the same back; json itself turns any name into text."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(value[name]) for name in value)
    if isinstance(value, list | tuple):
        return all(_is_json(each) for each in value)
    return value is None or isinstance(value, str | int | float)
