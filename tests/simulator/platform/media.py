"""What a caller hears and says: prompts in a queue, and recordings.

https://learn.microsoft.com/graph/api/call-playprompt: prompts wait for those before
them. https://learn.microsoft.com/graph/api/call-record: a recording waits, too, unless
``bargeInAllowed`` cuts short what is before it; its bounds are in seconds. Subcodes
other than 8508 (cancelled) and 8515 (the longest recording) are assumed.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.simulator.platform.timeline import Planned, Timeline

PROMPT_SECONDS = 3.0
NOTICE_SECONDS = 0.1
_IN_NAME = re.compile(r"[-_](\d+)s$", re.ASCII)


@dataclass(slots=True)
class Heard:
    """A prompt as the caller heard it; times in seconds of the call.

    Attributes:
        name: file name of its URL, without the extension.
        ended_seconds: None: it still plays.
        is_cut: it ended early.
        is_audible: it lasted long enough to be noticed.
    """

    name: str
    started_seconds: float
    ended_seconds: float | None = None
    is_cut: bool = False
    is_audible: bool = False

    def notice(self) -> None:
        """Hear it, if it still plays."""
        self.is_audible = self.ended_seconds is None


class Ending(NamedTuple):
    """How an operation ended, in Graph's words."""

    status: str
    code: int
    subcode: int
    message: str
    reason: str | None = None


_PLAYED = Ending("completed", 200, 0, "Action completed successfully.")
_CANCELLED = Ending(
    "failed",
    400,
    8508,
    "Action failed, the operation was cancelled.",
    "operationCanceled",
)
_LONGEST = Ending(
    "completed", 200, 8515, "Action completed, max record duration reached."
)
_PAUSED = Ending("completed", 200, 8504, "Action completed, the caller paused.")
_STOP_TONE = Ending("completed", 200, 8514, "Action completed, stop tone detected.")
_NOTHING_SAID = Ending("failed", 400, 8503, "Action failed, initial silence timeout.")
_HUNG_UP = Ending("completed", 200, 0, "Action completed, the call ended.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaOperation:
    """A ``playPrompt``, or a ``record`` if there is a body for it."""

    id: str
    prompts: Sequence[str]
    client_context: str | None = None
    recording: Mapping[str, Any] | None = None


def name_of(url: str) -> str:
    """Return by what name people know a prompt."""
    return PurePosixPath(urlsplit(url).path).stem


def usual_length(name: str) -> float:
    """Return how many seconds a prompt lasts of which nothing is known."""
    in_name = _IN_NAME.search(name)
    return float(in_name[1]) if in_name else PROMPT_SECONDS


class Media:
    """The media of one call.

    Attributes:
        heard: every prompt that began, in order.
        is_recording: what the caller says now is recorded.
    """

    def __init__(
        self,
        timeline: Timeline,
        lengths: Mapping[str, float],
        on_end: Callable[[MediaOperation, Ending], None],
    ) -> None:
        """Play in virtual time; tell ``on_end`` of every operation that ends.

        ``lengths``: seconds of prompts, by name. Else a name that ends in ``-5s`` means
        5 seconds, and every other prompt lasts 3.
        """
        self.heard: list[Heard] = []
        self.is_recording = False
        self._timeline = timeline
        self._lengths = lengths
        self._on_end = on_end
        self._queue: deque[MediaOperation] = deque()
        self._running: MediaOperation | None = None
        self._planned: list[Planned] = []

    def take(self, operation: MediaOperation) -> None:
        """Begin an operation, now or when those before it have ended."""
        if operation.recording and operation.recording.get("bargeInAllowed"):
            self.cancel()
        self._queue.append(operation)
        self._begin_next()

    def cancel(self) -> None:
        """Cut short what runs, and drop what waits."""
        waiting = [*self._queue]
        self._queue.clear()
        if self._running is not None:
            self._end(_CANCELLED)
        for operation in waiting:
            self._on_end(operation, _CANCELLED)

    def stop(self) -> None:
        """End with the call: only what was recorded is told of."""
        self._queue.clear()
        if self.is_recording:
            self._end(_HUNG_UP)
        self._forget_plans()
        self._cut_prompt()
        self._running = None

    def press(self, key: str) -> None:
        """Let the caller press a key, which may end a recording."""
        stop_tones = self._setting("stopTones", [])
        if self.is_recording and key in stop_tones:
            self._end(_STOP_TONE)

    def say(self, seconds: float) -> None:
        """Let the caller speak for so long, then be silent."""
        if not self.is_recording:
            return
        self._planned[-1].cancel()  # of the silence before the first word
        silence = self._setting("maxSilenceTimeoutInSeconds", 5)
        self._plan(seconds + silence, lambda: self._end(_PAUSED))

    @property
    def longest_seconds(self) -> float:
        """How long what is recorded now may become."""
        return float(self._setting("maxRecordDurationInSeconds", 5))

    @property
    def has_beeped(self) -> bool:
        """Whether a beep told the caller to speak; Graph's own is True."""
        return self.is_recording and bool(self._setting("playBeep", True))

    def length_of(self, name: str) -> float:
        """Return how many seconds a prompt lasts."""
        return self._lengths.get(name, usual_length(name))

    def _begin_next(self) -> None:
        if self._running is None and self._queue:
            self._running = self._queue.popleft()
            self._play(0)

    def _play(self, number: int) -> None:
        """Play a prompt of the operation, then the next; then record, or end."""
        operation = self._running
        if operation is None:
            return
        if number < len(operation.prompts):
            name = name_of(operation.prompts[number])
            seconds = self.length_of(name)
            heard = Heard(name, self._timeline.now_seconds)
            self.heard.append(heard)
            self._timeline.after(min(NOTICE_SECONDS, seconds / 2), heard.notice)
            self._plan(seconds, lambda: self._played(number))
        elif operation.recording is not None:
            self._record()
        else:
            self._end(_PLAYED)

    def _played(self, number: int) -> None:
        self.heard[-1].ended_seconds = self._timeline.now_seconds
        self._play(number + 1)

    def _record(self) -> None:
        self.is_recording = True
        silence = self._setting("initialSilenceTimeoutInSeconds", 5)
        self._plan(self.longest_seconds, lambda: self._end(_LONGEST))
        self._plan(silence, lambda: self._end(_NOTHING_SAID))

    def _end(self, ending: Ending) -> None:
        """End the operation that runs, and begin the next."""
        operation, self._running = self._running, None
        self.is_recording = False
        self._forget_plans()
        self._cut_prompt()
        if operation is not None:
            self._on_end(operation, ending)
        self._begin_next()

    def _cut_prompt(self) -> None:
        if self.heard and self.heard[-1].ended_seconds is None:
            self.heard[-1].ended_seconds = self._timeline.now_seconds
            self.heard[-1].is_cut = True

    def _plan(self, seconds: float, happen: Callable[[], None]) -> None:
        self._planned.append(self._timeline.after(seconds, happen))

    def _forget_plans(self) -> None:
        for planned in self._planned:
            planned.cancel()
        self._planned.clear()

    def _setting(self, name: str, usual: Any) -> Any:
        recording = self._running.recording if self._running else None
        return (recording or {}).get(name, usual)
