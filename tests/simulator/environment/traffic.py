"""Traffic: honest calls at a steady rate, and forged ones many times as often."""

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from tests.simulator.environment.events import ForgedRefused, TrafficChanged
from tests.simulator.platform import notifications
from tests.simulator.platform.callers import CALLERS
from tests.simulator.platform.calls import PlacedCall
from tests.simulator.platform.steps import Steps
from tests.simulator.platform.transport import Timeouts
from tests.simulator.services.signing import VARIANTS
from tests.support.running import Running

_FORGERS = 8
_DEFAULT_RATE = 1.0
_SUMMARY_SECONDS = 1.0
_MAX_LATE_SECONDS = 1.0
_TIMEOUTS = Timeouts(connect_seconds=2.0, reply_seconds=5.0)
# Also those that are merely for somebody else or out of date.
FORGED_VARIANTS = tuple(name for name in VARIANTS if name != "good")


class Traffic:
    """Two sources of POSTs, each with its own threads; both are off at first.

    Attributes:
        forged_call: all forged POSTs announce this one.
    """

    def __init__(
        self,
        *,
        place: Callable[[PlacedCall], object],
        steps: Steps,
        webhook: str,
    ) -> None:
        """Place honest calls with ``place``; POST forged ones with ``steps``."""
        self._place = place
        self._steps = steps
        self._webhook = webhook
        self._lock = threading.Lock()
        self._rate = 0.0
        self.forged_call = notifications.Call(tenant_id=steps.tokens.tenant_id)
        self._forged_times = 0
        self._honest = ExitStack()
        self._forged = ExitStack()

    @property
    def calls_per_second(self) -> float:
        """The honest rate."""
        return self._rate

    def start(
        self, calls_per_second: float, calls: Sequence[PlacedCall] | None = None
    ) -> None:
        """Place ``calls`` in turn at this rate; by default one of each caller."""
        turn = itertools.cycle(calls or [PlacedCall(caller=key) for key in CALLERS])
        with self._lock:
            self._rate = calls_per_second
            self._honest.close()
            self._honest.enter_context(
                _Source(1, calls_per_second, lambda: self._place(next(turn)))
            )
            self._reforge()
        self._tell()

    def stop(self) -> None:
        """Place no more calls; those that ring go on."""
        with self._lock:
            self._rate = 0.0
            self._honest.close()
            self._reforge()
        self._tell()

    def forge(self, times: int) -> None:
        """Forge ``times`` as many calls as honest ones (or as one a second) come."""
        with self._lock:
            self._forged_times = times
            self._reforge()
        self._tell()

    def close(self) -> None:
        """Stop both."""
        with self._lock:
            self._honest.close()
            self._forged.close()

    @property
    def forged_per_second(self) -> float:
        """The forged rate."""
        return (self._rate or _DEFAULT_RATE) * self._forged_times

    def _tell(self) -> None:
        self._steps.journal.append(
            TrafficChanged(
                calls_per_second=self._rate, forged_per_second=self.forged_per_second
            )
        )

    def _reforge(self) -> None:
        self._forged.close()
        if self._forged_times:
            forger = _Forger(self._steps, self._webhook, self.forged_call)
            self._forged.callback(forger.summarize)
            self._forged.enter_context(
                _Source(_FORGERS, self.forged_per_second, forger.post)
            )


class _Source(Running):
    """Does something at a steady rate, in some threads, until it is stopped."""

    def __init__(
        self, threads: int, per_second: float, act: Callable[[], object]
    ) -> None:
        self._threads = threads
        self._pause_seconds = threads / per_second
        self._act = act
        self._stopping = threading.Event()

    def start(self, stack: ExitStack) -> None:
        for _ in range(self._threads):
            thread = threading.Thread(target=self._act_on, daemon=True)
            thread.start()
            stack.callback(thread.join, sum(_TIMEOUTS))
        stack.callback(self._stopping.set)

    def _act_on(self) -> None:
        next_at = time.monotonic()
        while not self._stopping.wait(max(0.0, next_at - time.monotonic())):
            # Make up for a short delay; after a long one that would be a burst.
            late_by_at_most = time.monotonic() - _MAX_LATE_SECONDS
            next_at = max(next_at + self._pause_seconds, late_by_at_most)
            self._act()


class _Forger:
    """Posts calls with tokens that must be refused, and counts the replies."""

    def __init__(self, steps: Steps, webhook: str, call: notifications.Call) -> None:
        self._steps = steps
        self._webhook = webhook
        self._lock = threading.Lock()
        self._statuses: Counter[str] = Counter()
        self._summary_at = time.monotonic() + _SUMMARY_SECONDS
        minted = [steps.tokens.variant(name) for name in FORGED_VARIANTS]
        self._turn = itertools.cycle(
            [(token, caller) for caller in CALLERS.values() for token in minted]
        )
        self._body = json.dumps(notifications.incoming(call, webhook)).encode()

    def post(self) -> None:
        with self._lock:
            token, caller = next(self._turn)
        reply = self._steps.notify(
            self._webhook,
            self._body,
            token=token,
            source=caller.address,
            timeouts=_TIMEOUTS,
        )
        with self._lock:
            self._statuses[str(reply.status or reply.error)] += 1
            is_due = time.monotonic() >= self._summary_at
        if is_due:
            self.summarize()

    def summarize(self) -> None:
        """Tell the journal what the replies since the last summary were."""
        with self._lock:
            self._summary_at = time.monotonic() + _SUMMARY_SECONDS
            statuses, self._statuses = dict(self._statuses), Counter()
        if statuses:
            self._steps.journal.append(ForgedRefused(statuses=statuses))
