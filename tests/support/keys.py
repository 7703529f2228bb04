"""Signing keys for a ``SigningKeyCache``: a provider that a test controls."""

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
from shared.edge.signing_keys import SigningKeyCache
from tests.simulator.services.signing import SigningKey
from tests.support.clock import SETTLE_SECONDS, FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

PUBLIC_KEY = SigningKey("any").private.public_key()


class FakeProvider:
    """Stands in for fetching keys: publishes ``key_ids``, fails, or keeps waiting.

    Attributes:
        fetches: how often it was asked.
        error: what the next fetches raise, if anything.
    """

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
        return KeySet(MappingProxyType(dict.fromkeys(self.key_ids, PUBLIC_KEY)))

    def fail(self, reason: ProviderReason = ProviderReason.STATUS) -> None:
        """Fail from now on."""
        self.error = ProviderError(reason)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let fetches wait until the end of the block."""
        self.gate.clear()
        try:
            yield
        finally:
            self.gate.set()


class Keys(SigningKeyCache):
    """Signing keys, not fetched yet, whose provider and clock a test controls."""

    def __init__(self) -> None:
        self.provider = FakeProvider("old")
        self.clock = FakeClock()
        super().__init__(self.provider, clock=self.clock)

    def ids_found(self, key_id: str) -> set[str]:
        """Look for a key id; return the ids of the key set that is found."""
        return {*asyncio.run(self.find(key_id)).keys}

    def refresh(self) -> None:
        """Start a refresh if one is due, and wait until none runs."""
        self.keep_fresh()
        settle(self)


def running_refresh(cache: SigningKeyCache) -> Future[None] | None:
    """Return what ends with the refresh that runs, if one does."""
    refresh = cache._refresh
    return None if refresh is None else refresh.done


def settle(cache: SigningKeyCache) -> None:
    """Wait until no refresh runs."""
    ends_at = time.monotonic() + SETTLE_SECONDS
    while (done := running_refresh(cache)) is not None:
        done.result(ends_at - time.monotonic())
        assert time.monotonic() < ends_at
