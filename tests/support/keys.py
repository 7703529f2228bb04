"""The ports of ``SigningKeyCache`` in our hands: a clock and a provider."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from shared.core.key_sets import KeySet
from shared.core.provider_reasons import ProviderReason
from shared.edge.openid import ProviderError
from tests.simulator.services.signing import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.edge.signing_keys import SigningKeyCache

# A refresh that is let go ends in far less.
SETTLE_SECONDS = 10.0

PUBLIC_KEY = SigningKey("any").private.public_key()


class FakeClock:
    """Monotonic seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class FakeProvider:
    """The port to the provider: what it does next, and how often it was asked."""

    def __init__(self, *key_ids: str) -> None:
        self.key_ids = key_ids
        self.error: Exception | None = None
        self.fetches = 0
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> KeySet:
        self.fetches += 1
        assert self.gate.wait(SETTLE_SECONDS)
        if self.error is not None:
            raise self.error
        return key_set_of(*self.key_ids)

    def fail(self, reason: ProviderReason = ProviderReason.STATUS) -> None:
        """Fail from now on."""
        self.error = ProviderError(reason)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Answer only after the block."""
        self.gate.clear()
        try:
            yield
        finally:
            self.gate.set()


def key_set_of(*key_ids: str) -> KeySet:
    """Return a set with these key ids."""
    return KeySet(MappingProxyType(dict.fromkeys(key_ids, PUBLIC_KEY)))


def find(cache: SigningKeyCache, key_id: str) -> KeySet:
    """Look for a key id from an event loop of its own."""
    return asyncio.run(cache.find(key_id))


def settle(cache: SigningKeyCache) -> None:
    """Wait until no refresh runs."""
    ends_at = time.monotonic() + SETTLE_SECONDS
    while (refresh := cache._refresh) is not None:
        refresh.done.result(ends_at - time.monotonic())
        assert time.monotonic() < ends_at


def wait_until(is_true: Callable[[], bool]) -> None:
    """Wait for another thread."""
    ends_at = time.monotonic() + SETTLE_SECONDS
    while not is_true():
        assert time.monotonic() < ends_at
        time.sleep(0.001)
