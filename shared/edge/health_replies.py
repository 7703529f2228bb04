"""The reply to health probes, kept for a second: probes, too, may come in floods."""

import time
from collections.abc import Callable
from typing import NamedTuple

from shared.core.answering_health import Answering
from shared.core.health import HealthReport, KeyFreshness
from shared.core.replies import health_reply
from shared.core.webhook import WebhookReply

KEPT_SECONDS = 1.0

type State = tuple[KeyFreshness, Answering]


class _Kept(NamedTuple):
    state: State
    reply: WebhookReply
    ends_at: float


class HealthReplies:
    """Makes a report and its reply once a second, and at once where its state changed.

    A probe that has waited for the first keys must not hear that there are none, and
    one that comes after the third failed answer must hear of it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep nothing yet; ``clock`` in monotonic seconds."""
        self._clock = clock
        self._kept: _Kept | None = None

    def reply(
        self, state: State, make: Callable[[State], HealthReport]
    ) -> WebhookReply:
        """Return the reply of a moment ago, or what ``make`` returns now."""
        now = self._clock()
        kept = self._kept
        if kept is None or kept.state != state or now >= kept.ends_at:
            kept = _Kept(state, health_reply(make(state)), now + KEPT_SECONDS)
            self._kept = kept
        return kept.reply
