"""Which handler of a bot would get a recorded notification, and what it would return.

The bot chooses the handler as the product does. The handler is called with the state
that is given, and its actions are told; nobody carries them out. A handler that asks
the outside (a socket, another program, a file that it writes) is stopped there, and its
actions are not told: what they would be depends on more than the notification.
"""

import copy
import json
import os
import sys
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from shared.core.bot import Bot
from shared.core.defects import describe_defect, describe_place
from shared.core.event_types import Call, Event, Incoming
from shared.core.events import read_event, read_joining
from shared.core.handlers import HandlerError, Registered, State, actions_of
from shared.core.notifications import read_joining_call_id, read_notification
from shared.core.strict_json import JsonObject, StrictJsonError, read_object
from tests.simulator.explain.recording import Recording
from tests.support.checkout import CHECKOUT

# https://docs.python.org/3/library/audit_events.html
_OUTSIDE = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen")
_OUTSIDE_PREFIXES = ("os.exec", "os.spawn", "os.posix_spawn", "os.system", "os.fork")
_UNFINISHED = "It waits for something, so what it returns is not told."
_IMPURE = "It asks the outside ({}), so what it returns is not told."


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerAnswer:
    """What becomes of one item.

    Attributes:
        item: number of the item in the notification, from 1.
        event: its name for bots.
        place: file, line and function of the handler; None: no handler takes it.
        actions: name and body of what it returns; None: that is not told.
        state: what it leaves in the state; None: that is not told.
        sentence: why actions are not told, or what happens without a handler.
    """

    item: int
    event: str
    place: str | None = None
    actions: tuple[tuple[str, Any], ...] | None = None
    state: Any = None
    sentence: str = ""


class BotFileError(Exception):
    """The bot's file cannot be used; the message says why."""


def load_bot(file: Path) -> Bot:
    """Load a bot from its file.

    Raises:
        BotFileError: it cannot be imported, or holds no bot.
    """
    spec = spec_from_file_location("bot_of_explain", file)
    if spec is None or spec.loader is None or not file.is_file():
        message = f"{file}: there is no such bot file."
        raise BotFileError(message)
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        message = f"{file} cannot be imported: {type(error).__name__}: {error}"
        raise BotFileError(message) from error
    bot = getattr(module, "bot", None)
    if not isinstance(bot, Bot):
        message = f"{file} must define bot = Bot()."
        raise BotFileError(message)
    return bot


class _OutsideError(Exception):
    """The handler asked the outside."""


_GUARDING: ContextVar[list[str] | None] = ContextVar("guarding", default=None)


def handlers_of(
    recording: Recording, bot: Bot, *, tenant_id: str, state: State | None = None
) -> tuple[HandlerAnswer, ...]:
    """Tell of each item who takes it; empty where the body holds none."""
    found = _events(recording, tenant_id)
    return tuple(
        _answer(number, event, bot, state or {})
        for number, event in enumerate(found, start=1)
    )


def _events(recording: Recording, tenant_id: str) -> Iterator[Event]:
    try:
        body = read_object(recording.body)
    except StrictJsonError:
        return
    if "participantJoining" in str(body.get("@odata.type")):
        call_id = read_joining_call_id(body) or ""
        yield read_joining(body, _call(recording, call_id, tenant_id))
        return
    items = body.get("value")
    for item in items if isinstance(items, list) else []:
        event = _event(item, recording, tenant_id)
        if event is not None:
            yield event


def _event(item: JsonObject, recording: Recording, tenant_id: str) -> Event | None:
    notification = read_notification(item)
    if notification is None:
        return None
    return read_event(
        item,
        notification,
        _call(recording, notification.call_id, tenant_id),
        takes_incoming=recording.partition is None,
    )


def _call(recording: Recording, call_id: str, tenant_id: str) -> Call:
    return Call(
        id=call_id,
        tenant_id=tenant_id,
        partition=recording.partition or "",
        chain_id=recording.headers.get("x-microsoft-skype-chain-id"),
    )


def _answer(number: int, event: Event, bot: Bot, state: State) -> HandlerAnswer:
    handler = bot.handler_for(event)
    if handler is not None:
        return _run(number, event, handler, copy.deepcopy(state))
    sentence = "No handler takes it: it is accepted and logged."
    if isinstance(event, Incoming):
        sentence = f"No handler takes it: the call gets {bot.otherwise.name}."
    return HandlerAnswer(item=number, event=event.name, sentence=sentence)


def _run(number: int, event: Event, handler: Registered, state: State) -> HandlerAnswer:
    place = _place(handler)
    with _guarded() as asked:
        try:
            returned: object = handler.call(event, state)
            if handler.is_async:
                returned = _finish(returned)  # type: ignore[arg-type]
            actions = actions_of(event, returned)
            problem = ""
        except BaseException as error:  # noqa: BLE001 - whatever the handler does
            actions, problem = [], _told(error, handler)
    if asked:
        problem = _IMPURE.format(asked[0])
    is_told = not problem
    return HandlerAnswer(
        item=number,
        event=event.name,
        place=place,
        actions=tuple((a.row.name, a.body) for a in actions) if is_told else None,
        state=state if is_told else None,
        sentence=problem,
    )


def _finish(awaitable: Awaitable[object]) -> object:
    """Run a coroutine that never waits; raise ``BlockingIOError`` if it does."""
    running = awaitable.__await__()
    try:
        next(running)
    except StopIteration as end:
        return end.value
    raise BlockingIOError


def _told(error: BaseException, handler: Registered) -> str:
    has_no_loop = isinstance(error, RuntimeError) and "event loop" in str(error)
    if isinstance(error, BlockingIOError) or has_no_loop:
        return _UNFINISHED
    if isinstance(error, HandlerError):
        return f"It fails: {error}"
    file = describe_place(handler.function).get("file")
    where = describe_defect(error, within=file)
    line = f", line {where['line']}" if "line" in where else ""
    return f"It fails: {where['type']}{line}: {error}"


def _place(handler: Registered) -> str:
    place = describe_place(handler.function)
    file, line = place.get("file"), place.get("line")
    if file is None:
        return str(place["function"])
    path = Path(str(file))
    known = path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path
    return f"{known}:{line} {place['function']}"


@contextmanager
def _guarded() -> Iterator[list[str]]:
    """Stop whatever would reach the outside; give the names of what was tried."""
    _install()
    asked: list[str] = []
    token = _GUARDING.set(asked)
    try:
        yield asked
    finally:
        _GUARDING.reset(token)


def _install() -> None:
    """Let Python tell of what is done; a hook stays until the process ends."""
    if not _INSTALLED:
        _INSTALLED.append(True)
        sys.addaudithook(_look)


_INSTALLED: list[bool] = []


def _look(name: str, arguments: tuple[Any, ...]) -> None:
    asked = _GUARDING.get()
    if asked is None:
        return
    writes = name == "open" and _is_writing(arguments)
    if writes or name in _OUTSIDE or name.startswith(_OUTSIDE_PREFIXES):
        asked.append(name)
        message = f"explain carries out no {name}"
        raise _OutsideError(message)


def _is_writing(arguments: tuple[Any, ...]) -> bool:
    _path, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def to_lines(answers: tuple[HandlerAnswer, ...]) -> list[str]:
    """Show the answers in words."""
    lines = []
    for answer in answers:
        where = f": {answer.place}" if answer.place else ""
        lines.append(f"  item {answer.item}, {answer.event}{where}")
        if answer.sentence:
            lines.append(f"    {answer.sentence}")
        for name, body in answer.actions or ():
            text = "" if body is None else f" {json.dumps(body)}"
            lines.append(f"    returns {name}{text}")
        if answer.actions == ():
            lines.append("    returns no action")
        if answer.state:
            lines.append(f"    leaves the state {json.dumps(answer.state)}")
    return lines
