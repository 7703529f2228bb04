"""The notices of this process: asked for at every request, each of them logged once."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from shared.core.notices import certificate_notices, clock_notices
from shared.edge.telemetry import log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Notices:
    """Tells what the operator should see to."""

    def __init__(
        self,
        *,
        lasting: Sequence[str] = (),
        certificate_ends_at: float | None,
        clock_difference: Callable[[], float | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Tell nothing yet.

        Args:
            lasting: what holds as long as this process.
            certificate_ends_at: of the bot's certificate, in epoch seconds, if any.
            clock_difference: returns by how many seconds this machine's clock is ahead
                of the identity provider's; ``None`` if that is not known.
            clock: epoch seconds.
        """
        self._lasting = lasting
        self._certificate_ends_at = certificate_ends_at
        self._clock_difference = clock_difference
        self._clock = clock
        self._told: set[str] = set()

    def current(self) -> tuple[str, ...]:
        """Return the notices of now; log those that are new to this process."""
        notices = (
            *self._lasting,
            *certificate_notices(self._certificate_ends_at, now=self._clock()),
            *clock_notices(self._clock_difference()),
        )
        for notice in notices:
            if notice not in self._told:
                self._told.add(notice)
                log_event(logging.WARNING, "health.notice", notice=notice)
        return notices
