"""Places: a limit of concurrent work, in all and for each tenant.

Without a limit for each tenant one tenant's batch would keep all others waiting.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Places:
    """So many places in all, and so many of them for one tenant. For one event loop."""

    def __init__(self, total: int, *, per_tenant: int) -> None:
        """Offer ``total`` places."""
        self._total = total
        self._per_tenant = per_tenant
        self._taken: Counter[str] = Counter()
        # By tenant, in the order in which tenants are served next.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def place(
        self, tenant_id: str, *, timeout_seconds: float
    ) -> AsyncIterator[None]:
        """Hold a place for ``tenant_id``, after waiting for one.

        Raises:
            TimeoutError: none became free in time.
        """
        if not self._is_free(tenant_id) or self._waiting.get(tenant_id):
            await self._wait(tenant_id, timeout_seconds)
        else:
            self._taken[tenant_id] += 1
        try:
            yield
        finally:
            self._leave(tenant_id)

    def _is_free(self, tenant_id: str) -> bool:
        is_any_free = self._taken.total() < self._total
        return is_any_free and self._taken[tenant_id] < self._per_tenant

    async def _wait(self, tenant_id: str, timeout_seconds: float) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant_id, deque()).append(turn)
        try:
            async with asyncio.timeout(max(timeout_seconds, 0)):
                await turn
        except BaseException:
            # The place may have been given in the very moment in which we gave up.
            if turn.done() and not turn.cancelled():
                self._leave(tenant_id)
            raise

    def _leave(self, tenant_id: str) -> None:
        self._taken[tenant_id] -= 1
        if not self._taken[tenant_id]:
            del self._taken[tenant_id]
        self._give_to_next()

    def _give_to_next(self) -> None:
        """Give the place to whoever waits longest of the tenant that is next."""
        for tenant_id in [*self._waiting]:
            waiting = self._waiting[tenant_id]
            while waiting and waiting[0].done():
                waiting.popleft()
            if waiting and not self._is_free(tenant_id):
                continue
            # To the end of the row, or out of it.
            del self._waiting[tenant_id]
            if not waiting:
                continue
            waiting.popleft().set_result(None)
            self._taken[tenant_id] += 1
            if waiting:
                self._waiting[tenant_id] = waiting
            return
