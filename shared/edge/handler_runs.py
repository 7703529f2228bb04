"""Running the bot's handlers: within their time, and whatever they do.

A ``def`` runs on one of 32 threads, an ``async def`` on the event loop. Whoever takes
too long is left alone, and what it returns later is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from shared.core.defects import describe_defect, describe_place
from shared.core.handlers import HandlerError, actions_of, encode_state
from shared.core.reasons import Reason
from shared.edge.telemetry import log_event
from shared.edge.threads import DaemonThreads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from shared.core.actions import Action
    from shared.core.event_types import Event
    from shared.core.handlers import Registered, State

THREADS = 32
_WARNING_SECONDS = 60.0


class HandlerFailedError(Exception):
    """A handler failed; ``place`` says where, for the log, and never what it said."""

    def __init__(self, place: Mapping[str, object]) -> None:
        """Fail at ``place``."""
        super().__init__("a handler failed")
        self.place = place


class HandlerResult(NamedTuple):
    """What a handler did.

    Attributes:
        state: what it left in the state, as JSON.
    """

    actions: list[Action]
    state: bytes


class _Ended(NamedTuple):
    """How the call of a function ended: it returned, or raised ``error``."""

    returned: object = None
    error: BaseException | None = None


class HandlerRuns:
    """Runs handlers. For one event loop."""

    def __init__(self, threads: int = THREADS) -> None:
        """Use ``threads`` threads at most."""
        self._threads = DaemonThreads("bot", at_most=threads)
        self._free = asyncio.Semaphore(threads)
        self._warned_at = -_WARNING_SECONDS

    async def run(
        self, handler: Registered, event: Event, state: State, *, ends_at: float
    ) -> HandlerResult:
        """Give ``event`` to its handler, which may change ``state``.

        Args:
            handler: of the bot.
            event: what it gets.
            state: its own copy.
            ends_at: when its time is up (monotonic seconds).

        Raises:
            HandlerFailedError: it raised something, took too long, returned something
                else than actions or left something else than a state.
        """
        place = describe_place(handler.function)
        seconds = max(ends_at - time.monotonic(), 0)
        run = self._on_loop if handler.is_async else self._on_thread
        task = asyncio.create_task(run(handler, event, state))
        done, _pending = await asyncio.wait({task}, timeout=seconds)
        # One that blocks the event loop is done by then, and late all the same.
        if not done or time.monotonic() > ends_at:
            task.cancel()
            raise HandlerFailedError(too_late(handler))
        ended = _ended_of(task)
        if ended.error is not None:
            raise HandlerFailedError(
                {**place, **describe_defect(ended.error, within=place.get("file"))}
            )
        try:
            return HandlerResult(actions_of(event, ended.returned), encode_state(state))
        except HandlerError as error:
            fault = {"type": type(error).__name__, "detail": str(error)}
            raise HandlerFailedError({**fault, **place}) from error
        # Such as a state that a thread of the handler still changes.
        except Exception as error:
            raise HandlerFailedError({**place, **describe_defect(error)}) from error

    async def _on_loop(self, handler: Registered, event: Event, state: State) -> _Ended:
        return await _caught(_call_async(handler, event, state))

    async def _on_thread(
        self, handler: Registered, event: Event, state: State
    ) -> _Ended:
        try:
            await self._free.acquire()
        except asyncio.CancelledError:
            self._warn()
            raise
        try:
            return await self._threads.run(
                partial(_call, handler, event, state), on_end=self._free.release
            )
        except RuntimeError as error:
            self._free.release()
            return _Ended(error=error)

    def _warn(self) -> None:
        """Say once a minute that handlers keep all threads."""
        now = time.monotonic()
        if now - self._warned_at < _WARNING_SECONDS:
            return
        self._warned_at = now
        log_event(
            logging.ERROR,
            "handlers.hanging",
            reason=Reason.BOT_FAILED.value,
            next_step="Find the handlers that never return, in shared/bot.py.",
        )


def _ended_of(task: asyncio.Task[_Ended]) -> _Ended:
    """Tell how a task ended; a handler may have cancelled the one that runs it."""
    if task.cancelled():
        return _Ended(error=asyncio.CancelledError())
    return task.result()


def too_late(handler: Registered) -> Mapping[str, object]:
    """Tell for the log of a handler whose time was up."""
    return {"type": TimeoutError.__name__, **describe_place(handler.function)}


def _call(handler: Registered, event: Event, state: State) -> _Ended:
    try:
        return _Ended(handler.call(event, state))
    except BaseException as error:  # noqa: BLE001 - SystemExit, too
        return _Ended(error=error)


async def _call_async(handler: Registered, event: Event, state: State) -> object:
    awaitable = handler.call(event, state)
    return await awaitable  # type: ignore[misc]  # it is a coroutine function


async def _caught(awaitable: Awaitable[object]) -> _Ended:
    """Await something whose ``SystemExit`` would end the event loop."""
    try:
        return _Ended(await awaitable)
    except BaseException as error:  # noqa: BLE001
        return _Ended(error=error)
