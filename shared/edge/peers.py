"""The health of the other regions as last seen, so that no call is sent to a dead one.

* All other regions are polled every 10 s while there is traffic: from the first
  health probe, warm-up or call until five minutes after the last.
* One bad look may be bad luck: a region that was healthy counts as unhealthy after two
  in a row, the second of which follows after 1 s. One good look makes it healthy.
* A call takes what is known. Only where nothing recent is known it waits for a look,
  0.5 s at most, however many regions it asks about; then one bad look is enough.
* Each region is polled on its own: an unhealthy one makes nobody wait for another.

No region's own health depends on any of this.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from shared.core.reasons import Reason
from shared.edge.health_check import CONNECT_SECONDS, REPLY_SECONDS
from shared.edge.telemetry import log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    type Check = Callable[[], bool]

INTERVAL_SECONDS = 10.0
SECOND_LOOK_SECONDS = 1.0
_WATCH_SECONDS = 300.0
_LONGEST_LOOK_SECONDS = 2 * CONNECT_SECONDS
# What is known serves until the next look has ended, and after a bad one until the
# second has; the rest is for a busy machine.
_KNOWN_SECONDS = INTERVAL_SECONDS + SECOND_LOOK_SECONDS + 2 * _LONGEST_LOOK_SECONDS


class _Known(NamedTuple):
    """What is known of a region since its last look.

    Attributes:
        is_doubted: that look was bad, but the region was healthy before.
    """

    is_healthy: bool
    is_doubted: bool
    at: float


class _Peer:
    """One other region: what is known of it, and the look that is under way."""

    def __init__(self, region: str, check: Check) -> None:
        self.region = region
        self.check = check
        self.known: _Known | None = None
        self.look: Future[bool] | None = None
        self.look_started_at = float("-inf")
        self.next_look_at = float("-inf")


class PeerHealthCache:
    """The ``PeerHealth`` of this process."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        clock: Callable[[], float] = time.monotonic,
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        """Watch the regions of ``checks``; asks nobody yet.

        Args:
            checks: by region; blocking, never raises. Each is called on a thread, one
                call at a time.
            clock: monotonic seconds.
            interval_seconds: between two looks at a region.
        """
        self._peers = {code: _Peer(code, check) for code, check in checks.items()}
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._watch_ends_at = 0.0
        self._watching: asyncio.Task[None] | None = None
        self._executor = ThreadPoolExecutor(
            max(len(checks), 1), thread_name_prefix="peer-health"
        )

    def current(self, region: str) -> bool | None:
        """Tell whether ``region`` is healthy; ``None`` if nothing recent is known."""
        self.keep_watch()
        peer = self._peers.get(region)
        if peer is None:
            return False
        known = self._recently_known(peer)
        return None if known is None else known.is_healthy

    async def is_healthy(
        self, region: str, *, timeout_seconds: float = REPLY_SECONDS
    ) -> bool:
        """Tell whether ``region`` is healthy; wait for a look if nothing is known."""
        is_healthy = self.current(region)
        if is_healthy is None:
            await self._wait_for_look(self._peers[region], timeout_seconds)
            is_healthy = self.current(region)
        return bool(is_healthy)

    def keep_watch(self) -> None:
        """Go on looking for a while, in the background of the running event loop."""
        self._watch_ends_at = self._clock() + _WATCH_SECONDS
        if self._peers and (self._watching is None or self._watching.done()):
            self._watching = asyncio.create_task(self._watch_all())

    def close(self) -> None:
        """Wait for what is under way, and look no more."""
        self._executor.shutdown()

    def _recently_known(self, peer: _Peer) -> _Known | None:
        known = peer.known
        if known is None or self._clock() - known.at > _KNOWN_SECONDS:
            return None
        return known

    async def _watch_all(self) -> None:
        async with asyncio.TaskGroup() as watches:
            for peer in self._peers.values():
                watches.create_task(self._watch(peer))

    async def _watch(self, peer: _Peer) -> None:
        while (now := self._clock()) < self._watch_ends_at:
            # A call may have looked in the meantime.
            pause = peer.next_look_at - now
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            look = self._look(peer)
            if not await _is_done(look, self._time_left(peer, _LONGEST_LOOK_SECONDS)):
                # Name resolution has no deadline of its own.
                self._note(peer, is_good=False)

    async def _wait_for_look(self, peer: _Peer, timeout_seconds: float) -> None:
        look = self._look(peer)
        seconds = self._time_left(peer, REPLY_SECONDS)
        await _is_done(look, min(seconds, timeout_seconds))

    def _look(self, peer: _Peer) -> Future[bool]:
        """Return the look at a peer that is under way, or start one."""
        if peer.look is None or peer.look.done():
            peer.look_started_at = self._clock()
            peer.next_look_at = peer.look_started_at + self._interval_seconds
            peer.look = self._start(peer)
        return peer.look

    def _time_left(self, peer: _Peer, seconds: float) -> float:
        """Return what is left of the ``seconds`` that the look under way may take."""
        return max(peer.look_started_at + seconds - self._clock(), 0)

    def _start(self, peer: _Peer) -> Future[bool]:
        try:
            return self._executor.submit(self._run, peer)
        except RuntimeError:  # no thread to be had: nothing was seen
            nothing: Future[bool] = Future()
            nothing.set_result(False)
            return nothing

    def _run(self, peer: _Peer) -> bool:
        is_good = peer.check()
        self._note(peer, is_good=is_good)
        return is_good

    def _note(self, peer: _Peer, *, is_good: bool) -> None:
        """Note how a look ended, and log where the region's health changes."""
        now, before, recent = self._clock(), peer.known, self._recently_known(peer)
        was_sound = recent is not None and recent.is_healthy and not recent.is_doubted
        is_doubted = was_sound and not is_good
        is_healthy = is_good or is_doubted
        peer.known = _Known(is_healthy, is_doubted, now)
        pause = SECOND_LOOK_SECONDS if is_doubted else self._interval_seconds
        peer.next_look_at = now + min(pause, self._interval_seconds)
        if before is not None and before.is_healthy == is_healthy:
            return
        if is_healthy:
            log_event(logging.INFO, "peer.healthy", peer=peer.region)
        else:
            step = Reason.REGION_UNHEALTHY.next_step
            log_event(
                logging.WARNING, "peer.unhealthy", peer=peer.region, next_step=step
            )


async def _is_done(look: Future[bool], seconds: float) -> bool:
    """Wait for a look, not for ever; tell whether it has ended."""
    await asyncio.wait({asyncio.wrap_future(look)}, timeout=seconds)
    return look.done()
