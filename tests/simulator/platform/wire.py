"""How notifications travel: in order and once, or as it may happen on the wire."""

import random
from typing import Self

_STEP_SECONDS = 0.01
_STEPS = 4


class Wire:
    """Says how often and how late each notification arrives.

    The platform repeats notifications and keeps no order between them:
    https://learn.microsoft.com/graph/api/call-answer says so of ``establishing`` and
    ``established``. How often and how far is our assumption.

    Attributes:
        is_rough: what is due is sent at once, while other notifications are handled.
    """

    def __init__(self) -> None:
        """Let each arrive once, and after the reply to the one before it."""
        self.is_rough = False
        self._random = random.Random(0)
        self._repeated_share = 0.0

    @classmethod
    def rough(cls, seed: int, *, repeated_share: float = 0.3) -> Self:
        """Let a share come twice, and any overtake what was sent 30 ms before it.

        The same seed gives the same delays.
        """
        wire = cls()
        wire.is_rough = True
        wire._random = random.Random(seed)
        wire._repeated_share = repeated_share
        return wire

    def delays(self) -> list[float]:
        """Return after how many seconds one notification arrives, each time."""
        if not self.is_rough:
            return [0.0]
        copies = 1 + (self._random.random() < self._repeated_share)
        return [self._random.randrange(_STEPS) * _STEP_SECONDS for _ in range(copies)]
