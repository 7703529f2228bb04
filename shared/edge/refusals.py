"""Refusals of strangers let calls pass while forged tokens come in floods.

A busy process handles what comes in the order in which it comes: a call would wait for
every forged token before it. Here those wait that have been found out. One leaves every
few turns of the event loop, and each turn serves all else that has arrived. The loop
does not rest while any waits, so that an idle process makes nobody wait; in a flood
fewer are refused a second (docs/performance.md).
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

# More than an instance is given at a time; for each one more the first leaves at once.
MAX_WAITING = 256

# From its first byte to its reply a call takes several turns. With one turn for each
# refusal a flood costs it twice as much as with three (docs/performance.md).
TURNS_FOR_EACH = 3
# Only every so many refusals it is looked whether more come in the same turn: to look
# costs a hundredth of a request.
LOOK_EVERY = 16


class RefusalQueue:
    """The refusals that wait. For one event loop at a time."""

    def __init__(self) -> None:
        """Start empty."""
        self._count = 0
        self._is_queueing = False
        self._loop: AbstractEventLoop | None = None
        self._waiting: deque[Future[None]] = deque()

    def __len__(self) -> int:
        """Return how many refusals wait."""
        return len(self._waiting)

    async def wait_turn(self) -> None:
        """Wait until this refusal may leave."""
        self._count += 1
        if not self._is_queueing and self._count % LOOK_EVERY:
            return
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._is_queueing, self._waiting = loop, False, deque()
        if not self._is_queueing:
            self._is_queueing = True
            loop.call_soon(self._let_one_leave, self._waiting)
            return
        if len(self._waiting) >= MAX_WAITING:
            _let_first_leave(self._waiting)
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _let_one_leave(self, waiting: deque[Future[None]], turns: int = 0) -> None:
        """Let the first of those who wait leave, so many turns from now."""
        loop = asyncio.get_running_loop()
        if turns:
            loop.call_soon(self._let_one_leave, waiting, turns - 1)
        elif _let_first_leave(waiting):
            loop.call_soon(self._let_one_leave, waiting, TURNS_FOR_EACH - 1)
        elif waiting is self._waiting:
            self._is_queueing = False


def _let_first_leave(waiting: deque[Future[None]]) -> bool:
    """Let the first leave whose request was not given up; tell whether one did."""
    while waiting:
        turn = waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return True
    return False
