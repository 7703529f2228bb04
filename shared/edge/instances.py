"""One instance as a neighbour: at most 32 deliveries at a time, on threads of its own.

A slow instance delays no answer and no other instance. Connections are renewed every
five minutes, because DNS is how operators move running calls to another machine.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from shared.core.deliveries import MAX_REPLY_BYTES, InstanceReply, Unreached
from shared.core.instances import Instance, InstanceHealth
from shared.core.strict_json import StrictJsonError, read_object
from shared.edge.outbound import (
    OutboundError,
    SharedSession,
    has_ended,
    retry_after_seconds,
    send,
)
from shared.edge.threads import DaemonThreads
from shared.edge.tls import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.core.ports import Clock
    from shared.edge.outbound import OutboundReply

PLACES = 32
IDLE_SECONDS = 60.0
RENEWED_AFTER_SECONDS = 5 * 60.0


class NoPlaceError(Exception):
    """As many deliveries to this instance as may be are under way."""


class InstanceClient:
    """Posts to one instance. For one event loop.

    Attributes:
        instance: where it is.
        health: whether new calls pass it over.
    """

    def __init__(
        self, instance: Instance, *, ca_bundle: str, clock: Clock = time.monotonic
    ) -> None:
        """Post to ``instance``; ``clock`` in monotonic seconds."""
        self.instance = instance
        self.health = InstanceHealth(clock)
        self._ca_bundle = ca_bundle
        self._clock = clock
        self._taken = 0
        # Name resolution may keep a thread beyond the end of its delivery.
        self._threads = DaemonThreads(
            "instance", at_most=2 * PLACES, idle_seconds=IDLE_SECONDS
        )
        self._session = SharedSession(ca_bundle, connections=PLACES)
        self._opened_at = clock()

    def close(self) -> None:
        """Close the session and its connections."""
        self._session.close()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places.

        Raises:
            NoPlaceError: all are taken.
        """
        if self._taken >= PLACES:
            raise NoPlaceError
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def post(
        self, body: bytes, headers: Mapping[str, str], *, ends_at: float
    ) -> InstanceReply | Unreached:
        """Post once, until ``ends_at`` (monotonic). What was not sent then never is."""
        transfer = Transfer(ends_at=ends_at, max_bytes=MAX_REPLY_BYTES)
        url = self.instance.url
        session = self._current_session()

        def work() -> OutboundReply:
            return send(
                session.open(), "POST", url, body, transfer=transfer, headers=headers
            )

        sent = asyncio.ensure_future(self._threads.run(partial(work)))
        try:
            if not await has_ended(sent, transfer):
                return Unreached.NO_REPLY
            reply = sent.result()
        except RuntimeError:
            return Unreached.NO_REPLY
        except OutboundError as error:
            if error.status is None:
                return Unreached.NO_REPLY
            return InstanceReply(error.status, _retry_after(error.headers))
        finally:
            transfer.give_up()
            sent.cancel()
        return InstanceReply(
            reply.status, _retry_after(reply.headers), _body_of(reply), _is_json(reply)
        )

    def _current_session(self) -> SharedSession:
        """Return the session, a new one every five minutes."""
        now = self._clock()
        if now - self._opened_at >= RENEWED_AFTER_SECONDS:
            # Requests that are under way end as they would have.
            self._session.close()
            self._session = SharedSession(self._ca_bundle, connections=PLACES)
            self._opened_at = now
        return self._session


def _retry_after(headers: Mapping[str, str]) -> float | None:
    return retry_after_seconds(headers.get("Retry-After"))


def _body_of(reply: OutboundReply) -> dict[str, object] | None:
    """Read a body; ``None`` if it is no JSON object, or too long."""
    try:
        return None if reply.is_cut else read_object(reply.body)
    except StrictJsonError:
        return None


def _is_json(reply: OutboundReply) -> bool:
    kind = reply.headers.get("Content-Type", "").partition(";")[0]
    return kind.strip().lower() == "application/json"
