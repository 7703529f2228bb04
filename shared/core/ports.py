"""What the rules need of the world; ``shared.edge`` provides it."""

from typing import Protocol

from shared.core.key_sets import KeySet


class Clock(Protocol):
    """A clock."""

    def __call__(self) -> float:
        """Return the time in seconds."""


class KeySource(Protocol):
    """The platform's signing keys."""

    def current(self) -> KeySet | None:
        """Return the key set that may serve without waiting, if there is one.

        Only a look: nothing is fetched, whoever asks.
        """

    def keep_fresh(self) -> None:
        """Start a refresh in the background where the held set is no longer fresh."""

    async def find(self, key_id: str) -> KeySet:
        """Return the key set to judge a token by, after looking for ``key_id``.

        Awaits nothing where the current set has the key.

        Raises:
            KeysUnavailableError: none is held and none could be obtained in time.
        """


class PeerHealth(Protocol):
    """The other regions' health."""

    def keep_watch(self) -> None:
        """Look at all of them for a while, in the background."""

    def current(self, region: str) -> bool | None:
        """Tell at once whether a call may be sent there; ``None`` if not known."""

    async def is_healthy(self, region: str, *, timeout_seconds: float = ...) -> bool:
        """Tell whether a call may be sent to ``region``.

        Asks it first if nothing recent is known, and waits ``timeout_seconds`` for the
        answer at most.
        """
